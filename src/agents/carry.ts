// Brings the user's own set-up (instructions, skills, …) into a cell, read-only. A folder is shown as it is where nothing
// in it leads elsewhere or looks like a secret; otherwise a cleaned copy of it is shown.
import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { dataDir, isWithin } from '../host/paths.ts'
import type { Mount } from '../model/plan.ts'
import { errorCode, orAbsent, parseJson } from './files.ts'
import { readObject, type JsonObject } from './home-file.ts'

export interface Carried {
  /** A file or folder of the user's, absolute; nothing is carried where it is absent. */
  readonly from: string
  /** Where the cell sees it. */
  readonly to: string
}

export interface CarryContext {
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly hostHome: string
  /** The agent's folder on the host; links may lead to what is carried of it, to nothing else in it. */
  readonly folder: string
}

/** A settings file of the user's as an object; {} where it is absent or not JSON (the agent itself says so). */
export async function userJson(file: string): Promise<JsonObject> {
  const text = await orAbsent(readFile(file, 'utf8'))
  return text === undefined ? {} : readObject(parseJson(text))
}

/**
 * Read-only mounts for the wanted paths.
 * @throws Failure 'agent/set-up-too-large'
 */
export async function carriedMounts(wanted: readonly Carried[], context: CarryContext): Promise<readonly Mount[]> {
  const open = await openPaths(wanted, context)
  const mounts: Mount[] = []
  for (const { from, to } of wanted) {
    const real = await followed(from, open)
    if (real === undefined) continue
    const info = await stat(real)
    if (info.isFile()) mounts.push({ kind: 'bind', from: real, to, mode: 'ro' })
    else if (info.isDirectory())
      mounts.push({ kind: 'bind', from: (await staysInside(real)) ? real : await cleanedCopy(real, open, context), to, mode: 'ro' })
  }
  return mounts
}

/** What a link of the user's set-up may lead to. */
interface OpenPaths {
  readonly home: string
  readonly folder: string
  readonly carried: readonly string[]
}

async function openPaths(wanted: readonly Carried[], { hostHome, folder }: CarryContext): Promise<OpenPaths> {
  const real = async (given: string): Promise<string> => (await orAbsent(realpath(given))) ?? given
  return { home: await real(hostHome), folder: await real(folder), carried: await Promise.all(wanted.map(({ from }) => real(from))) }
}

async function followed(from: string, open: OpenPaths): Promise<string | undefined> {
  const real = await orAbsent(realpath(from))
  return real !== undefined && mayShow(real, open) ? real : undefined
}

/** Dot folders hold keys and tokens; system folders hold the machine. Ordinary folders are the user's to link to. */
function mayShow(real: string, { home, folder, carried }: OpenPaths): boolean {
  if (looksSecret(path.basename(real))) return false
  if (isWithin(real, folder)) return carried.some((one) => one !== folder && isWithin(real, one) && isWithin(one, folder))
  if (isWithin(real, home))
    return (
      real !== home &&
      path
        .relative(home, real)
        .split('/')
        .every((part) => !part.startsWith('.') || plainDotFolders.has(part))
    )
  return ['/usr', '/opt', '/srv', '/mnt'].some((root) => real !== root && isWithin(real, root)) || isWithin(real, '/tmp')
}
const plainDotFolders = new Set(['.dotfiles', '.agents', '.claude'])

function looksSecret(name: string): boolean {
  return /^(?:\.env(?:\..*)?|\.git|\.netrc|\.npmrc|\.pypirc|\.ssh|\.aws|\.gnupg|\.credentials.*|id_(?:rsa|dsa|ecdsa|ed25519)|credentials(?:\.json)?|.*\.(?:pem|key|p12|pfx|kdbx))$/i.test(
    name,
  )
}

/** Whether the folder can be shown as it is: no link out of it, nothing that looks like a secret. */
async function staysInside(root: string): Promise<boolean> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (looksSecret(entry.name)) return false
    if (!entry.isSymbolicLink()) continue
    const target = await orAbsent(realpath(path.join(entry.parentPath, entry.name)))
    if (target !== undefined && !isWithin(target, root)) return false
  }
  return true
}

const maxBytes = 256 * 2 ** 20
const maxEntries = 20_000

/** A copy with links resolved where they may be, everything else left out; named after its content, made once. */
async function cleanedCopy(root: string, open: OpenPaths, { hostEnv, hostHome }: CarryContext): Promise<string> {
  const files = await listing(root, open)
  const digest = createHash('sha256')
    .update(JSON.stringify([root, files]))
    .digest('hex')
    .slice(0, 32)
  const store = path.join(dataDir(hostEnv, hostHome), 'carried')
  const target = path.join(store, digest)
  if ((await orAbsent(stat(target))) !== undefined) return target
  await mkdir(store, { recursive: true, mode: 0o700 })
  const partial = await mkdtemp(path.join(store, 'partial-'))
  try {
    for (const { from, at, mode } of files) {
      const to = path.join(partial, at)
      await mkdir(path.dirname(to), { recursive: true })
      await copyFile(from, to)
      await chmod(to, mode & 0o755)
    }
    await rename(partial, target).catch((error: unknown) => {
      if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error))) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return target
}

interface Listed {
  readonly from: string
  readonly at: string
  readonly mode: number
  readonly bytes: number
  readonly changed: number
}

async function listing(root: string, open: OpenPaths): Promise<readonly Listed[]> {
  const files: Listed[] = []
  let bytes = 0
  let entries = 0
  const walk = async (folder: string, at: string, above: readonly string[]): Promise<void> => {
    for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (looksSecret(entry.name)) continue
      const real = entry.isSymbolicLink() ? await followed(path.join(folder, entry.name), open) : path.join(folder, entry.name)
      if (real === undefined || above.includes(real)) continue
      const info = await stat(real)
      entries += 1
      if (info.isDirectory()) await walk(real, path.join(at, entry.name), [...above, real])
      else if (info.isFile()) {
        bytes += info.size
        files.push({ from: real, at: path.join(at, entry.name), mode: info.mode, bytes: info.size, changed: info.mtimeMs })
      }
      if (bytes > maxBytes || entries > maxEntries)
        throw new Failure('agent/set-up-too-large', { path: root, bytes: maxBytes, entries: maxEntries })
    }
  }
  await walk(root, '', [root])
  return files
}
