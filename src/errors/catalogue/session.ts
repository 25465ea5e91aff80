// Failures of the session phase.
export const sessionFailures = {
  'session/state-unwritable': {
    message: 'The session cannot be kept in {path}: {reason}.',
    remedy: 'Make room or mend the permissions there, or choose another place: XDG_STATE_HOME=DIR anchorhold …',
  },
  'session/state-unsafe': {
    message:
      'The state folder {path} belongs to user {owner}, not to you (user {caller}): whoever owns it could change what anchorhold remembers.',
    remedy: 'Run anchorhold as that user (with sudo: sudo -H anchorhold …), or choose another place: XDG_STATE_HOME=DIR anchorhold …',
  },
  'session/journal-broken': {
    message: 'The journal {path} cannot be written any more: {reason}. The run was ended, since nothing would be recorded.',
    remedy: 'Make room on that disk (anchorhold sessions prune removes old sessions), then start again.',
  },
  'session/bad-name': {
    message: '"{name}" cannot be the name of a session.',
    remedy: 'Use at most 64 letters, digits, dots, hyphens, underscores and blanks, the first a letter, digit or underscore.',
  },
  'session/none': {
    message: 'There is no session{where}.',
    remedy: 'anchorhold run … makes one; anchorhold sessions --all lists those of every project.',
  },
  'session/unknown': {
    message: 'No session has the id or name "{text}".',
    remedy: 'List them: anchorhold sessions --all',
  },
  'session/ambiguous': {
    message: '"{text}" could be any of {count} sessions: {ids}.',
    remedy: 'Give more of the id.',
  },
  'session/damaged': {
    message: 'The session {id} cannot be read: {reason}.',
    remedy: 'Remove it: anchorhold sessions prune --damaged',
  },
  'session/journal-changed': {
    message: 'The journal of session {id} is not as it was written: {reason}.',
    remedy: 'Do not rely on it. The lines before that place are intact.',
    exitCode: 1,
  },
  'session/bad-days': {
    message: '"{text}" is not a number of days.',
    remedy: 'Give a whole number, such as: anchorhold sessions prune --days 30',
  },
  'session/bad-shell': {
    message: 'There is no completion for "{shell}".',
    remedy: 'Use bash, zsh or fish: anchorhold completion bash',
  },
} as const
