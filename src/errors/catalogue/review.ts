// Failures of the review phase: the view, and what is read of a proposal.
export const reviewFailures = {
  'review/unreadable': {
    message: 'What the run changed cannot be read in {path}: {reason}.',
    remedy: 'Nothing was changed. Mend the permissions there, or drop the proposal: anchorhold discard',
  },
  'review/damaged': {
    message: 'The record of the proposal {id} is damaged: {path}.',
    remedy: 'What the agent changed lies in {upper}: take what you need from there. To be rid of it: anchorhold sessions prune --damaged',
  },
  'review/busy': {
    message: 'The proposal {id} is in use (process {pid}).',
    remedy:
      'Wait until that run or command has ended; several runs at once each need a proposal of their own: anchorhold run --workspace review …',
  },
  'review/none': {
    message: 'No proposal {where}.',
    remedy: 'anchorhold run --workspace review … makes one; anchorhold sessions lists them.',
  },
  'review/too-large': {
    message: 'No copy-on-write view can be mounted here, and a copy of the project needs {bytes} MiB where {room} MiB may be used.',
    remedy: 'See why with: anchorhold doctor. Allow more (--limit disk=50g), or work without review: anchorhold run --workspace live …',
  },
  'review/no-room': {
    message: 'The disk of {path} is nearly full: a review keeps what it changes there.',
    remedy: 'Make room, or keep sessions elsewhere: XDG_STATE_HOME=DIR anchorhold …',
  },
  'review/not-open': {
    message: 'The proposal {id} was {state}: nothing of it waits any more.',
    remedy: 'Begin a new one: anchorhold run --workspace review …',
  },
  'review/other-project': {
    message: 'The proposal {id} is one of {project}, not of {asked}.',
    remedy: 'Leave --project out: anchorhold run --continue {id} …',
  },
  'review/other-mode': {
    message: 'The proposal {id} can only be gone on with in a review, and this run would be {mode}.',
    remedy: 'Remove the setting that says so (--workspace, or workspace.mode in a policy).',
  },
} as const
