// Failures of the engine phase.
export const engineFailures = {
  'engine/not-available': {
    message: 'The engine {engine} cannot be used here: {why}.',
    remedy: '{remedy}',
  },
  'engine/none': {
    message: 'No engine can build a wall on this machine: {why}.',
    remedy: '{remedy}',
  },
  'engine/cannot': {
    message: 'The engine {engine} has no {what}: {why}.',
    remedy: 'Choose another engine, for example: --engine bubblewrap. Which can what: docs/engines.md',
  },
  'engine/lost': {
    message: 'The cell was lost: {message}. Everything in it was ended; what it had written so far is kept.',
    remedy: 'See whether the engine is there: anchorhold doctor',
  },
  'engine/bad-plan': {
    message: 'The plan cannot be given to the engine: {why}.',
    remedy: 'See what would be run with: anchorhold run --dry-run',
  },
  'engine/start': {
    message: 'The cell could not be made: {why}.',
    remedy: 'See what is missing with: anchorhold doctor',
  },
  'engine/cell-failed': {
    message: 'The command was not started: {message}',
    remedy: 'See what is missing with: anchorhold doctor',
  },
  'engine/wall-leaks': {
    message: 'The wall leaks: {hits} connections from the cell reached a witness outside it. Everything in the cell was ended.',
    remedy: 'Do not run an agent here before this is understood: anchorhold doctor',
  },
  'engine/cover': {
    message: 'A protection could not be put on in the running cell: {why}.',
    remedy: 'End the session and start it again; the protection is put on at the start.',
  },
} as const
