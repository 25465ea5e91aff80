// Failures of the workspace phase.
export const workspaceFailures = {
  'workspace/not-a-project': {
    message: '{path} cannot be the project: {reason}.',
    remedy: 'Change into the folder of one project, or name it: anchorhold run --project DIR …',
  },
  'workspace/missing': {
    message: 'The project folder {path} does not exist or cannot be read ({reason}).',
    remedy: 'Check the path and its permissions.',
  },
} as const
