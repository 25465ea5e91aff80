// Gateway, dial: whose certificates the company's proxy may show. Only for a proxy that is itself reached by TLS (`HTTPS_PROXY=https://…`).
import { readFileSync } from 'node:fs'
import { caBundle } from '../../host/system.ts'

type Env = Readonly<Record<string, string | undefined>>

/** PEM texts: Node's own list, the machine's bundle, and what the caller's NODE_EXTRA_CA_CERTS and SSL_CERT_FILE name. A file that can't be read adds nothing. */
export function authorities(env: Env): readonly string[] {
  const files = new Set([caBundle(), env['NODE_EXTRA_CA_CERTS'], env['SSL_CERT_FILE']])
  const texts = [...files].map((file) => (file === undefined || file === '' ? '' : readText(file)))
  // Loaded where it is needed: each start would pay for it.
  return [...process.getBuiltinModule('node:tls').rootCertificates, ...texts.filter((text) => text.includes('-----BEGIN '))]
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}
