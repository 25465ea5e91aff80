// The package of one platform that belongs to an agent's npm package (`NAME-linux-x64`), with its native program.
import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { executableAt, kindOfProgram, orAbsent, packageAt } from './files.ts'
import type { Distribution } from '../model/agent.ts'
import { platformName, type Platform } from './installation.ts'

export interface PlatformPackage {
  /** Real path of the package folder. */
  readonly folder: string
  readonly program: string
}

/**
 * Looks beside the package (npm, pnpm) and inside it (global installs that nest), for the given platform or this processor and C library;
 * a package of another version is not taken.
 */
export async function platformPackage(
  folder: string,
  version: string,
  distribution: Distribution,
  platform?: Platform,
): Promise<PlatformPackage | undefined> {
  const parent = folder.slice(0, folder.lastIndexOf('/node_modules/') + '/node_modules'.length)
  for (const name of platform === undefined ? ownNames(distribution) : [`${distribution.package}-${platformName(platform)}`]) {
    for (const root of [parent, path.join(folder, 'node_modules')]) {
      const real = await orAbsent(realpath(path.join(root, name)))
      if (real === undefined || (await packageAt(real))?.version !== version) continue
      const program = await executableAt(path.join(real, distribution.platformProgram))
      if (program !== undefined && (await kindOfProgram(program)).kind === 'native') return { folder: real, program }
    }
  }
  return undefined
}

function ownNames(distribution: Distribution): readonly string[] {
  const base = `${distribution.package}-${process.platform}-${process.arch}`
  return usesMusl() ? [`${base}-musl`, base] : [base, `${base}-musl`]
}

/** This machine, where it is one that agents have packages for. */
export function ownPlatform(): Platform | undefined {
  const { arch, platform } = process
  return platform === 'linux' && (arch === 'x64' || arch === 'arm64') ? { arch, libc: usesMusl() ? 'musl' : 'glibc' } : undefined
}

/** Node's own report names the C library's version only where it is glibc. */
function usesMusl(): boolean {
  const report: unknown = process.report.getReport()
  if (typeof report !== 'object' || report === null || !('header' in report)) return false
  const header = report.header
  return process.platform === 'linux' && typeof header === 'object' && header !== null && !('glibcVersionRuntime' in header)
}
