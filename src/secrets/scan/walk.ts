// Secrets, scan: the files below a path, read for a scan: never through a link, nothing but regular files, bounded memory.
import { constants, type Dirent } from 'node:fs'
import { lstat, open, readdir, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { codeOf } from '../../host/error-code.ts'
import type { Finding } from './finding.ts'
import type { Scan } from './scan.ts'

export interface FileFinding extends Finding {
  /** As given, then relative: what the user can open. */
  readonly file: string
}

export interface Walked {
  readonly findings: readonly FileFinding[]
  readonly files: number
  readonly bytes: number
  /** What could not be read, with the reason. */
  readonly unread: readonly { readonly file: string; readonly reason: string }[]
}

export interface WalkOptions {
  /** Of a path and its ctime (milliseconds since the epoch): whether it is scanned. Default: everything. */
  readonly wanted?: (file: string, changedAt: number) => boolean
  readonly onFile?: (files: number) => void
  /** `label` takes the place of the folder in what is told. Default: the folder. */
  readonly label?: string
}

/** Longer files are read in pieces of this size, which overlap so that nothing is cut in two. */
const piece = 32 * 1024 * 1024
const overlap = 65_536

/**
 * Scans one file, or all below a folder. git's object stores are left out: what lies there is packed, and was written from files or will become
 * some. Rejects only where the path itself does not exist.
 */
export async function scanPath(start: string, scan: Scan, options: WalkOptions = {}): Promise<Walked> {
  const findings: FileFinding[] = []
  const unread: { file: string; reason: string }[] = []
  let files = 0
  let bytes = 0
  const waiting = [start]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const facts = await lstat(file).catch((error: unknown) => {
      if (file === start) throw error
      return undefined // it went away meanwhile
    })
    const shown = options.label === undefined ? file : path.join(options.label, path.relative(start, file))
    if (facts?.isDirectory() === true) {
      const entries = await readdir(file, { withFileTypes: true }).catch((error: unknown): Dirent[] => {
        unread.push({ file: shown, reason: codeOf(error) })
        return []
      })
      const kept = entries.filter((entry) => !isObjectStore(path.join(entry.parentPath, entry.name)))
      waiting.push(
        ...kept
          .map((entry) => path.join(entry.parentPath, entry.name))
          .sort()
          .toReversed(),
      )
    } else if (facts?.isFile() === true && (options.wanted?.(file, facts.ctimeMs) ?? true)) {
      const read = await scanFile(file, scan).catch((error: unknown) => codeOf(error))
      if (typeof read === 'string') unread.push({ file: shown, reason: read })
      else {
        files += 1
        bytes += read.bytes
        findings.push(...read.findings.map((finding) => ({ ...finding, file: shown })))
        options.onFile?.(files)
      }
    }
  }
  return { findings, files, bytes, unread }
}

function isObjectStore(folder: string): boolean {
  return path.basename(folder) === 'objects' && /(?:^|\/)\.git(?:\/|$)/.test(folder)
}

/** One regular file, in pieces where it is long. Rejects with a system error, or with code "no longer a regular file". */
export async function scanFile(file: string, scan: Scan): Promise<{ readonly findings: readonly Finding[]; readonly bytes: number }> {
  await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const facts = await handle.stat()
  if (!facts.isFile()) throw Object.assign(new Error('no regular file'), { code: 'no longer a regular file' })
  const name = path.basename(file)
  if (facts.size <= piece) {
    const bytes = await handle.readFile()
    return { findings: await scan(bytes, name), bytes: bytes.length }
  }
  return await scanPieces(handle, facts.size, (bytes) => scan(bytes, name))
}

async function scanPieces(
  handle: FileHandle,
  size: number,
  scan: (bytes: Buffer) => Promise<readonly Finding[]>,
): Promise<{ findings: Finding[]; bytes: number }> {
  const found = new Map<string, Finding>()
  const buffer = Buffer.alloc(piece)
  let line = 0
  let at = 0
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, piece, at)
    const bytes = buffer.subarray(0, bytesRead)
    for (const finding of await scan(bytes)) {
      const placed = { ...finding, line: finding.line + line }
      found.set(`${placed.name}:${placed.line}`, placed)
    }
    if (bytesRead < piece || at + bytesRead >= size) return { findings: [...found.values()], bytes: at + bytesRead }
    for (let end = bytes.indexOf(10); end >= 0 && end < piece - overlap; end = bytes.indexOf(10, end + 1)) line += 1
    at += piece - overlap
  }
}

/** Several walks told as one. */
export function together(parts: readonly Walked[]): Walked {
  return {
    findings: parts.flatMap(({ findings }) => findings),
    files: parts.reduce((sum, { files }) => sum + files, 0),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    unread: parts.flatMap(({ unread }) => unread),
  }
}
