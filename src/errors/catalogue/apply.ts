// Failures of reading, applying and taking back what an agent proposed.
export const applyFailures = {
  'apply/no-path': {
    message: '{path} is not among the changes of {id}.',
    remedy: 'List them: anchorhold diff {id} --name-only',
  },
  'apply/project-gone': {
    message: '{path}, which the proposal {id} is for, is not there (moved, removed, or no folder).',
    remedy: 'Nothing was changed. Bring it back to that path, or drop the proposal: anchorhold discard {id}',
  },
  'apply/base-gone': {
    message: 'What {path} was before the run is not known any more: it was too large to keep, and it was changed since.',
    remedy: 'Look at the proposed file itself: anchorhold diff --json names where it lies.',
  },
  'apply/not-as-shown': {
    message: '{path} is not what was shown: it was changed while you looked at it.',
    remedy: 'Nothing was applied. Look at it again: anchorhold diff',
  },
  'apply/needs-choice': {
    message: 'There is no terminal to ask in, and nothing says what to apply: nothing was.',
    remedy: 'Name the files (anchorhold apply {id} PATH…), or take everything that needs no look: anchorhold apply {id} --all',
    exitCode: 1,
  },
  'apply/failed': {
    message: 'Applying stopped at {path}: {reason}. {state}',
    remedy: 'Mend that, then: anchorhold apply {id}',
  },
  'apply/interrupted': {
    message: 'Interrupted: nothing was applied, everything is as it was before.',
    remedy: 'Once more: anchorhold apply {id}',
    exitCode: 130,
  },
  'apply/nothing-to-undo': {
    message: 'Nothing was applied {where} that could be taken back.',
    remedy: 'List the sessions: anchorhold sessions',
  },
  'apply/undo-changed': {
    message: 'Not taken back, since you changed it after it was applied: {paths}.',
    remedy: 'Everything is as it is. To take back the rest, or these all the same, name them: anchorhold undo {id} PATH…',
    exitCode: 1,
  },
  'apply/not-open': {
    message: 'The proposal {id} is {state}.',
    remedy: '{remedy}',
  },
  'apply/git': {
    message: 'git refused while {doing}: {reason}.',
    remedy: 'No branch was moved. See what is applied: git status; files can be taken back with: anchorhold undo',
  },
  'apply/commits-left': {
    message: 'The commits were not replayed: {reason}.',
    remedy: 'Read them first (anchorhold diff {id}), then name those files too: anchorhold apply {id} --all --commits PATH…',
    exitCode: 1,
  },
  'apply/commits-elsewhere': {
    message: 'The commits were not replayed: the repository of this folder lies elsewhere (a linked work tree or a submodule).',
    remedy: 'Take the files and commit them yourself: anchorhold apply {id} --all --commit MESSAGE',
    exitCode: 1,
  },
  'apply/commits-submodule': {
    message: 'The commits were not replayed: they name commits that the agent made in a submodule, which are not carried over: {paths}.',
    remedy: 'Take the files (anchorhold apply {id} --all), commit them in the submodule, then here.',
    exitCode: 1,
  },
  'apply/live': {
    message: 'Session {id} ran live: what it changed is in the project already.',
    remedy:
      'Read it with anchorhold diff {id}, take it back with anchorhold undo {id}. To be asked first: anchorhold run --workspace review …',
  },
} as const
