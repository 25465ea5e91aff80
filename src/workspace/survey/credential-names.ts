// Names of files that hold credentials by convention, for looking into mounts. Data; wider than hidden-names.ts: a finding hides nothing.

interface CredentialName {
  /** As in .gitignore, without regard to case. */
  readonly glob: string
  readonly what: string
}

const credentialNames: readonly CredentialName[] = [
  { glob: 'id_*sa', what: 'an SSH key' },
  { glob: 'id_ed25519*', what: 'an SSH key' },
  { glob: 'id_ecdsa*', what: 'an SSH key' },
  { glob: '.ssh', what: 'SSH keys and hosts' },
  { glob: '.gnupg', what: 'OpenPGP keys' },
  { glob: '*.pem', what: 'a key or certificate' },
  { glob: '*.key', what: 'a key' },
  { glob: '*.p12', what: 'a key with its certificate' },
  { glob: '*.pfx', what: 'a key with its certificate' },
  { glob: '*.jks', what: 'a Java key store' },
  { glob: '*.keystore', what: 'a Java key store' },
  { glob: '*.ppk', what: 'a PuTTY key' },
  { glob: '.env', what: 'environment with keys' },
  { glob: '.env.*', what: 'environment with keys' },
  { glob: '.aws', what: 'AWS keys' },
  { glob: '.azure', what: 'Azure logins' },
  { glob: '.kube', what: 'cluster keys' },
  { glob: 'kubeconfig', what: 'cluster keys' },
  { glob: '.docker/config.json', what: 'registry logins' },
  { glob: 'gcloud/credentials.db', what: 'Google Cloud logins' },
  { glob: 'application_default_credentials.json', what: 'a Google Cloud login' },
  { glob: 'credentials.json', what: 'credentials' },
  { glob: 'client_secret*.json', what: 'an OAuth secret' },
  { glob: 'service-account*.json', what: 'a service account key' },
  { glob: 'secrets.y*ml', what: 'secrets' },
  { glob: 'gh/hosts.yml', what: 'a GitHub login' },
  { glob: 'glab-cli/config.yml', what: 'a GitLab login' },
  { glob: '.netrc', what: 'passwords by host' },
  { glob: '.git-credentials', what: 'passwords of git remotes' },
  { glob: '.npmrc', what: 'a registry login, mostly' },
  { glob: '.pypirc', what: 'upload passwords' },
  { glob: '.pgpass', what: 'database passwords' },
  { glob: '.my.cnf', what: 'database passwords' },
  { glob: '.vault-token', what: 'a token' },
  { glob: '.htpasswd', what: 'password hashes' },
  { glob: '.cargo/credentials*', what: 'a registry login' },
  { glob: '.claude/.credentials.json', what: 'a Claude login' },
  { glob: '.codex/auth.json', what: 'a Codex login' },
  { glob: '.gemini/oauth_creds.json', what: 'a Gemini login' },
  { glob: 'terraform.tfstate*', what: 'state with the secrets of what was built' },
  { glob: '*.tfvars', what: 'variables, often with secrets' },
  { glob: '*.kdbx', what: 'a password store' },
  { glob: '.password-store', what: 'a password store' },
  { glob: 'keyrings', what: "the desktop's keyring" },
  { glob: '*.keyring', what: "the desktop's keyring" },
  { glob: '*.kwl', what: "the desktop's keyring" },
  { glob: 'login data', what: "a browser's passwords" },
  { glob: 'logins.json', what: "a browser's passwords" },
  { glob: 'key4.db', what: "a browser's passwords" },
  { glob: 'cookies.sqlite', what: "a browser's sessions" },
  { glob: 'cookies', what: "a browser's sessions" },
  { glob: 'wallet.dat', what: 'a wallet' },
]

const shapes = credentialNames.map(({ glob, what }) => ({
  what,
  shape: new RegExp(`(?:^|/)${glob.replace(/[.+?^$()[\]{}|\\]/g, '\\$&').replaceAll('*', '[^/]*')}$`, 'i'),
}))

/** What a path holds by its name; undefined for one that says nothing. */
export function namedCredential(file: string): string | undefined {
  return shapes.find(({ shape }) => shape.test(file))?.what
}
