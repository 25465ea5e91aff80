// Failures of exports: a policy as files for a container engine.
export const exportFailures = {
  'export/cannot': {
    message: 'Files without anchorhold cannot keep {what}.',
    remedy: 'Export with {instead}; or let anchorhold run it: anchorhold run --engine docker',
  },
  'export/place': {
    message: '{folder} cannot hold the files: {reason}.',
    remedy: 'Name a new folder outside the project: anchorhold export … --to FOLDER',
  },
} as const
