// The caller's environment as it was before bin/anchorhold took out what Node and OpenSSL would pick up.
type Env = Readonly<Record<string, string | undefined>>

/** The names that bin/anchorhold keeps under another one: which certificate authorities this machine's owner trusts. */
const kept = ['NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA', 'SSL_CERT_FILE', 'SSL_CERT_DIR'] as const
const prefix = 'ANCHORHOLD_CALLER_'

/**
 * For helper programs (npm, pip and their like) and for `--env NAME`: behind a company's certificate authority they need these.
 * Node itself never saw them; a variable that was empty counts as unset.
 */
export function callerEnv(env: Env): Env {
  const caller = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith(prefix)))
  for (const name of kept) {
    const value = env[`${prefix}${name}`]
    if (value !== undefined && value !== '') caller[name] = value
  }
  return caller
}
