// Failures of `anchorhold prove`.
export const proveFailures = {
  'prove/catalogue': {
    message: 'the catalogue of probes cannot be used: {file}: {reason}',
    remedy: 'It comes with anchorhold: install it again.',
  },
  'prove/nothing': {
    message: 'no probe of the catalogue is for {what}',
    remedy: 'Without --wall, or with --full, there are more.',
  },
  'prove/no-program': {
    message: 'the program of the probes is not there: {file}',
    remedy: 'Build it: npm run build',
  },
  'prove/cell': {
    message: 'the cell of the proof ended too early, with exit code {code}: {output}',
    remedy: 'Nothing was shown. `anchorhold doctor` says what this machine lacks.',
  },
} as const
