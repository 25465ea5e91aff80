// Files that commonly hold keys: empty inside the cell, listed at the start. A short list on purpose: each entry is a name that is
// a key by convention. Names that are often test fixtures (*.pem, *.key, credentials.json) are left to `files.hide` of the policy.
import type { HiddenName } from './names.ts'

export const hiddenNames: readonly HiddenName[] = [
  { glob: '.env', reason: 'environment files hold keys' },
  { glob: '.env.*', reason: 'environment files hold keys' },
  { glob: '.netrc', reason: 'passwords by host' },
  { glob: '_netrc', reason: 'passwords by host' },
  { glob: '.pypirc', reason: 'upload passwords' },
  { glob: '.pgpass', reason: 'database passwords' },
  { glob: '.my.cnf', reason: 'database passwords' },
  { glob: '.git-credentials', reason: 'passwords of git remotes' },
  { glob: '.vault-token', reason: 'a token' },
  { glob: '.htpasswd', reason: 'password hashes' },
  { glob: 'id_rsa', reason: 'a private key' },
  { glob: 'id_dsa', reason: 'a private key' },
  { glob: 'id_ecdsa', reason: 'a private key' },
  { glob: 'id_ed25519', reason: 'a private key' },
  { glob: '*.p12', reason: 'a private key with its certificate' },
  { glob: '*.pfx', reason: 'a private key with its certificate' },
  { glob: '*.kdbx', reason: 'a password store' },
  { glob: 'terraform.tfstate', reason: 'state with the secrets of what was built' },
  { glob: 'terraform.tfstate.backup', reason: 'state with the secrets of what was built' },
  { glob: '.aws/credentials', reason: 'cloud keys' },
  { glob: '.docker/config.json', reason: 'registry passwords' },
  { glob: '.kube/config', reason: 'cluster keys' },
]

/** Templates that carry the name but no secret. */
export const shownNames: readonly string[] = [
  '.env.example',
  '.env.sample',
  '.env.template',
  '.env.dist',
  '.env.defaults',
  '.env.schema',
  '.env.*.example',
  '.env.*.sample',
  '.env.*.template',
  '.env.d.ts',
]
