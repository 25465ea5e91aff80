// Facts about this host's system folders, looked up once per run; plan/system-mounts.ts turns them into mounts.
import { lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import path from 'node:path'

/** How one folder at the root of the host's file system looks: a link (`bin -> usr/bin`), a folder, or not there. */
export type RootEntry = { readonly kind: 'link'; readonly target: string } | { readonly kind: 'folder' } | { readonly kind: 'absent' }

export interface SystemFacts {
  /** `/bin`, `/sbin`, `/lib`, `/lib64`, `/lib32`, `/libx32`, by path. */
  readonly roots: Readonly<Record<string, RootEntry>>
  /** Entries below /etc that programs need and that exist here, as absolute paths; links are given with their target. */
  readonly etc: readonly { readonly path: string; readonly link?: string }[]
  /** The machine's certificate bundle in one file, below a folder that every cell sees. */
  readonly caBundle?: string
}

const rootNames = ['/bin', '/sbin', '/lib', '/lib64', '/lib32', '/libx32'] as const

/** What programs need of /etc: certificates, time zone, loader, alternatives, name tables, run-time settings. No account, host or network set-up. */
const etcNames = [
  'alternatives',
  'ca-certificates',
  'ca-certificates.conf',
  'debian_version',
  'fonts',
  'gai.conf',
  'inputrc',
  'java',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'locale.alias',
  'localtime',
  'lsb-release',
  'magic',
  'magic.mime',
  'mime.types',
  'os-release',
  'pki/ca-trust/extracted',
  'pki/tls/certs',
  'pki/tls/cert.pem',
  'protocols',
  'redhat-release',
  'rpc',
  'services',
  'ssl/certs',
  'ssl/cert.pem',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
] as const
/** Versioned folders of run-times: `java-17-openjdk`, `python3.11`. */
const etcPattern = /^(?:java-[\w.-]+|python3(?:\.\d+)?|perl|maven)$/

/** Debian and its like, Fedora and its like, others. */
const bundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', '/etc/ssl/cert.pem'] as const

/** Reads the facts. Entries that can't be read are treated as absent: the cell then has less, never more. */
export function readSystem(): SystemFacts {
  const roots: Record<string, RootEntry> = {}
  for (const name of rootNames) roots[name] = rootEntry(name)
  const names = [...etcNames, ...listNames('/etc').filter((name) => etcPattern.test(name))]
  const etc = names.flatMap((name) => {
    const full = path.join('/etc', name)
    const stat = lstatSync(full, { throwIfNoEntry: false })
    if (stat === undefined) return []
    return [stat.isSymbolicLink() ? { path: full, link: readlinkSync(full) } : { path: full }]
  })
  const bundle = caBundle()
  return { roots, etc, ...(bundle === undefined ? {} : { caBundle: bundle }) }
}

/** Path of the machine's certificate bundle; undefined where there is none. */
export function caBundle(): string | undefined {
  return bundles.find((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)
}

function rootEntry(name: string): RootEntry {
  const stat = lstatSync(name, { throwIfNoEntry: false })
  if (stat === undefined) return { kind: 'absent' }
  return stat.isSymbolicLink() ? { kind: 'link', target: readlinkSync(name) } : { kind: 'folder' }
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return []
    throw error
  }
}
