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
  'workspace/bad-glob': {
    message: 'The path pattern {glob} cannot be used: {reason}.',
    remedy: 'Write it as in .gitignore, relative to the project: name, folder/, *.ext, a/**/b.',
  },
  'workspace/scan': {
    message: 'The project could not be searched for protected paths: {reason}.',
    remedy: 'Nothing was started. Run `anchorhold doctor`; if a folder cannot be read, mend its permissions or remove it.',
  },
  'workspace/git-link': {
    message: 'The git work tree {path} points to {target}, which cannot be used: {reason}.',
    remedy: 'Repair the work tree on the host with: git worktree repair',
  },
  'workspace/not-restored': {
    message: '{path} was not put back: {reason}.',
    remedy: 'What was held is untouched at {kept}.',
  },
} as const
