// Where programs of this machine look for certificate authorities: files that hold many at once. Asked only by runs that end TLS.
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'

export interface TrustStores {
  /** PEM bundles of the system, canonical paths, each once; the cell's own lie over them. */
  readonly pem: readonly string[]
  /** Key stores of Java installations (`cacerts`), the same. */
  readonly java: readonly string[]
  /** Text of the bundle that the machine itself trusts. */
  readonly authorities: string
}

/** Debian and Alpine, Fedora, SUSE, others; OpenSSL's own default; FreeBSD-style. */
const pemFiles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/tls/certs/ca-certificates.crt',
  '/etc/pki/tls/cert.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
  '/usr/lib/ssl/cert.pem',
  '/usr/local/share/certs/ca-root-nss.crt',
] as const
const javaFiles = ['/etc/ssl/certs/java/cacerts', '/etc/pki/java/cacerts', '/etc/pki/ca-trust/extracted/java/cacerts'] as const

/** `javaHome`: the caller's JAVA_HOME. Files that are not there, or can't be read, are left out. */
export function findTrustStores(bundle: string | undefined, javaHome: string | undefined): TrustStores {
  const homes = [...children('/usr/lib/jvm'), ...children('/usr/java'), ...children('/opt'), ...(javaHome === undefined ? [] : [javaHome])]
  const stores = homes.flatMap((home) => [path.join(home, 'lib/security/cacerts'), path.join(home, 'jre/lib/security/cacerts')])
  return {
    pem: existing(pemFiles),
    java: existing([...javaFiles, ...stores]),
    authorities: bundle === undefined ? '' : readFileSync(bundle, 'utf8'),
  }
}

function existing(files: readonly string[]): readonly string[] {
  return [...new Set(files.flatMap((file) => canonical(file) ?? []))]
}

function canonical(file: string): string | undefined {
  try {
    return realpathSync(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

function children(folder: string): readonly string[] {
  try {
    return readdirSync(folder).map((name) => path.join(folder, name))
  } catch (error) {
    if (error instanceof Error && 'code' in error) return []
    throw error
  }
}
