// Failures of the command line.
export const commandFailures = {
  'command/internal': {
    message: 'anchorhold failed: {message}',
    remedy: 'This is a defect of anchorhold. Nothing more was started; `anchorhold log` shows how far it came.',
  },
  'command/usage': {
    message: '{what}',
    remedy: '{hint}',
  },
  'command/bad-request': {
    message: 'this is not a request that can be asked about: {reason}',
    remedy: 'For example: anchorhold explain host api.example.org --method POST --path /repos/me/x/issues',
  },
  'command/contradiction': {
    message: '{one} and {two} cannot be given together.',
    remedy: 'Give one of them.',
  },
} as const
