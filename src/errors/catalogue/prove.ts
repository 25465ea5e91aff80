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
  'prove/unasked': {
    message: 'mode auto wants a proof of the wall, and the caller gave nobody to ask for one',
    remedy: 'Use `anchorhold run` or the run() of the package, which ask. Or: --mode allow-listed',
  },
  'prove/auto-leaks': {
    message: 'no run without prompts, because the wall leaks here with this policy: {probes}',
    remedy: 'What was tried, and why it counts: {command}\nWith prompts it starts: --mode allow-listed',
  },
  'prove/auto-not-shown': {
    message: 'no run without prompts, because it could not be shown that the wall holds here with this policy: {probes}',
    remedy: 'What could not be tried, and why: {command}\nWith prompts it starts: --mode allow-listed',
  },
  'prove/cell': {
    message: 'the cell of the proof ended too early, with exit code {code}: {output}',
    remedy: 'Nothing was shown. `anchorhold doctor` says what this machine lacks.',
  },
} as const
