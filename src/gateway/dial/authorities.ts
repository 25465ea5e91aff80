// Gateway, dial: whose certificates count outside: for servers that TLS is verified with, and a company's proxy that is reached by TLS.
import { readFileSync } from 'node:fs'
import { caBundle } from '../../host/system.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * PEM texts: the machine's bundle (whom its owner took out is out), and what the caller's NODE_EXTRA_CA_CERTS and SSL_CERT_FILE name; Node's own
 * list only where the machine has no bundle. A file that can't be read adds nothing.
 */
export function authorities(env: Env): readonly string[] {
  const bundle = caBundle()
  const files = new Set([bundle, env['NODE_EXTRA_CA_CERTS'], env['SSL_CERT_FILE']])
  const texts = [...files].map((file) => (file === undefined || file === '' ? '' : readText(file)))
  // Loaded where it is needed: each start would pay for it.
  const own = bundle === undefined ? process.getBuiltinModule('node:tls').rootCertificates : []
  return [...own, ...texts.filter((text) => text.includes('-----BEGIN '))]
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}
