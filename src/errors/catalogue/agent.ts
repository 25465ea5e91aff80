// Failures of the agent phase.
export const agentFailures = {
  'agent/unknown': {
    message: 'There is no agent named "{name}". Known agents: {known}.',
    remedy: 'A plain command comes after two dashes: anchorhold run -- {name} …',
  },
  'agent/no-command': {
    message: 'There is nothing to run: neither an agent nor a command was named.',
    remedy: 'anchorhold run claude, or anchorhold run -- COMMAND [ARGS…]',
  },
  'agent/not-installed': {
    message: '{title} was not found on this machine (searched: {searched}).',
    remedy: 'Install it once for yourself ({own}), or only for anchorhold: anchorhold agents install {name}',
  },
  'agent/too-old': {
    message: '{title} {version} at {path} is older than {floor}, the oldest version whose permission rules hold against a project ({why}).',
    remedy: 'Update it ({own}), or let anchorhold keep a copy of its own: anchorhold agents install {name}',
  },
  'agent/skip-permissions': {
    message:
      '"{argument}" switches every permission prompt of {title} off, and this run has mode "{mode}"; anchorhold gives that switch itself, behind a wall it has just checked.',
    remedy: 'To let the agent work without prompts: anchorhold run --mode auto {name} … (without "{argument}")',
  },
  'agent/home-unreadable': {
    message: "The agent's own state file {path} cannot be used: {reason}.",
    remedy: 'Mend the file or move it away; the next start writes a fresh one.',
  },
  'agent/set-up-too-large': {
    message:
      'Your set-up in {path} has links or secrets in it, and is too large to be copied without them (more than {bytes} bytes or {entries} entries).',
    remedy: 'Move what does not belong to the set-up out of that folder.',
  },
  'agent/install-failed': {
    message: 'npm could not install {package}@{version}: {reason}.',
    remedy: 'See what npm says: npm view {package}@{version} version. A proxy or registry set up for npm is used.',
  },
  'agent/npm-missing': {
    message: 'npm was not found in PATH, and {title} is installed with it.',
    remedy: 'Install Node.js with npm (Debian, Ubuntu: sudo apt-get install npm), or {title} by its own installer.',
  },
  'agent/demo-stage': {
    message: 'The demo could not set its stage: {step} failed ({reason}).',
    remedy: 'The demo needs git (Debian, Ubuntu: sudo apt-get install git) and room in the folder for temporary files.',
  },
  'agent/bad-version': {
    message: '"{version}" is not a version of {title}.',
    remedy: 'Name one in full, for example: anchorhold agents install {name} --version {example}',
  },
  'agent/not-installable': {
    message: '"{name}" is not an agent that anchorhold can install. It can install: {known}.',
    remedy: 'anchorhold agents shows what is there.',
  },
} as const
