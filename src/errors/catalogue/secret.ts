// Failures of secrets: where a value can't be had, or must not be used. No fact ever holds a value.
export const secretFailures = {
  'secret/unset': {
    message: 'the secret {secret} is taken from your variable {variable}, which is not set',
    remedy:
      'Set it for this run ({variable}=… anchorhold run …), or keep the value in the store: anchorhold secret set {secret}, with "from: store" in the policy.',
  },
  'secret/bad-value': {
    message: 'the value of the secret {secret} ({where}) cannot be used: {reason}',
    remedy: 'Give the credential itself: one line of printable ASCII, at least 8 characters.',
  },
  'secret/file': {
    message: 'the secret {secret} cannot be read from {file}: {reason}',
    remedy: 'Keep it in a file of your own, mode 600, outside of every project, or in the store: anchorhold secret set {secret}',
  },
  'secret/no-program': {
    message: 'the secret {secret} is printed by {program}, which is not in your PATH (what lies in the project does not count)',
    remedy: 'Install {program}, or write its full path in the policy.',
  },
  'secret/command': {
    message: 'the secret {secret} is printed by {program}, and that failed: {reason}',
    remedy: 'Run the command yourself; it gets no input, and has 60 seconds.',
  },
  'secret/no-login': {
    message: 'the secret {secret} is the login in {file}, and there is none',
    remedy: 'Log in on your own machine ({again}), or take the policy line out.',
  },
  'secret/login-ended': {
    message: 'the login of {title} cannot be used: {reason}',
    remedy: 'Log in again on your own machine: {again}',
  },
  'secret/no-repository': {
    message: 'nothing staged can be scanned in {project}: {reason}',
    remedy: 'Go to a folder of a git repository, or name files: anchorhold secret scan PATH',
  },
  'secret/no-such-path': {
    message: '{path} cannot be scanned: {reason}',
    remedy: 'Name a file or a folder that exists.',
  },
  'secret/not-json': {
    message: 'the secret {secret} is the member {member} of what {source} gives, and that is no JSON object',
    remedy: 'Look at it yourself; `aws configure export-credentials --format process` prints what is expected.',
  },
  'secret/no-keyring': {
    message: 'the secret {secret} is in the keyring, and secret-tool, which reads it, is not installed',
    remedy:
      'Install it (Debian, Ubuntu: sudo apt-get install libsecret-tools), or keep the value in the store: anchorhold secret set {secret}',
  },
  'secret/not-in-keyring': {
    message: 'the keyring has no entry for the secret {secret} (service {service}, account {account})',
    remedy: 'Put it there: secret-tool store --label={secret} service {service} account {account}',
  },
  'secret/not-stored': {
    message: "anchorhold's store has no secret {secret}",
    remedy: 'Put it there: anchorhold secret set {secret}; what it has: anchorhold secret list',
  },
  'secret/store-unsafe': {
    message: "anchorhold's store of secrets is not safe to use: {path}: {reason}",
    remedy: 'Look who changed it. A folder of your own with mode 700 and files with mode 600 is what it should be.',
  },
  'secret/bad-name': {
    message: '"{secret}" is not a name for a secret',
    remedy: 'Use letters, digits and _ only: it is also the variable that holds the placeholder inside.',
  },
  'secret/no-value': {
    message: 'no value came for the secret {secret}',
    remedy: 'Type it at the prompt, or give it on standard input: printf %s "$VALUE" | anchorhold secret set {secret}',
  },
  'secret/unknown': {
    message: 'no secret {secret} is bound by this policy',
    remedy: 'Bind it: anchorhold run --secret {secret}@HOST …, or a line under secrets: in your policy.',
  },
  'secret/shown': {
    message: 'the value of the secret {secret} would be readable in the cell: it is in {place}',
    remedy: 'Write ${secret} in single quotes, so that the shell inside puts the placeholder there, or take the value out.',
  },
} as const
