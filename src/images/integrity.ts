// An agent's copy is what the registry says it is, by npm; that this is also what anchorhold was tested with, is seen here.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { orAbsent, parseJson } from '../agents/files.ts'
import type { Distribution } from '../model/agent.ts'
import { platformName, type Platform } from '../agents/installation.ts'
import { Failure } from '../errors/failure.ts'

export interface Copy {
  /** Of the platform package: …/node_modules/@scope/name-linux-x64. */
  readonly folder: string
  readonly distribution: Distribution
  readonly version: string
  readonly platform: Platform
}

/**
 * Compares what npm noted of the tarball it unpacked with what is known of the pinned version; of others only npm knows.
 * @throws Failure 'image/integrity'
 */
export async function checkIntegrity({ folder, distribution, version, platform }: Copy): Promise<void> {
  const name = `${distribution.package}-${platformName(platform)}`
  const wanted = version === distribution.pinned ? distribution.integrity[platformName(platform)] : undefined
  if (wanted === undefined) return
  const modules = folder.slice(0, folder.lastIndexOf('/node_modules/') + '/node_modules'.length)
  const found = notedIntegrity(parseJson((await orAbsent(readFile(path.join(modules, '.package-lock.json'), 'utf8'))) ?? ''), name)
  if (found === wanted) return
  throw new Failure('image/integrity', { package: name, version, found: found ?? 'nothing', wanted, folder: path.dirname(modules) })
}

function notedIntegrity(lock: unknown, name: string): string | undefined {
  const packages = field(lock, 'packages')
  const integrity = field(field(packages, `node_modules/${name}`), 'integrity')
  return typeof integrity === 'string' ? integrity : undefined
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
