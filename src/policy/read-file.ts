// Policy: reads a policy file once, through one descriptor, after checking whose it is and where it really lies.
import { constants, fstatSync, readSync } from 'node:fs'
import path from 'node:path'
import { createHash } from 'node:crypto'
import { Failure } from '../errors/failure.ts'
import { show } from './show.ts'
import { lstat, open, realpath, stat } from '../host/at-once.ts'
import { isWithin } from '../host/paths.ts'

export interface ReadPolicy {
  readonly bytes: Uint8Array
  /** sha-256, hex. */
  readonly digest: string
  /** Where the file really lies. */
  readonly real: string
}

/** More is no policy, and would only be work for the parser. */
const largest = 2 ** 20

/**
 * The user's own policy. It must not lie in the project, be reached through a link into it, or be anybody's to write: what the agent can
 * write must not decide about the agent. Undefined where there is none and none was asked for.
 * Throws Failure `policy/unreadable` or `policy/untrusted-file`.
 */
export async function readUserPolicy(file: string, project: string, asked: boolean): Promise<ReadPolicy | undefined> {
  const seen = await absentAsUndefined(lstat(file), file)
  if (seen === undefined) {
    if (asked) throw new Failure('policy/unreadable', { file: show(file, 300), reason: 'it does not exist' })
    return undefined
  }
  const real = await reading(realpath(file), file)
  const root = await realpath(project).catch((error: unknown) => {
    if (isSystemError(error)) return project
    throw error
  })
  if (isWithin(real, root) || isWithin(path.resolve(file), root)) {
    throw new Failure('policy/untrusted-file', {
      file: show(file, 300),
      reason: 'it lies in the project, where the agent could rewrite it',
    })
  }
  await refuseForeign(path.dirname(real), file, 'its folder')
  return readOnce(real, file, true)
}

/** The project's own policy (`anchorhold.yaml`): never through a link. Undefined where there is none. */
export async function readProjectPolicy(file: string): Promise<ReadPolicy | undefined> {
  const seen = await absentAsUndefined(lstat(file), file)
  return seen === undefined ? undefined : readOnce(file, file, false)
}

async function readOnce(real: string, file: string, mustBeOwn: boolean): Promise<ReadPolicy> {
  using handle = await reading(open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK), file)
  const facts = fstatSync(handle.fd)
  const unreadable = (reason: string): never => {
    throw new Failure('policy/unreadable', { file: show(file, 300), reason })
  }
  if (!facts.isFile()) return unreadable('it is not a regular file')
  if (facts.size > largest) return unreadable('it is larger than 1 MiB')
  if (mustBeOwn) refuseOwner(facts, file, 'it')
  if (mustBeOwn && facts.nlink > 1) {
    throw new Failure('policy/untrusted-file', {
      file: show(file, 300),
      reason: 'it has a second name (hard link), through which others could rewrite it',
    })
  }
  const buffer = Buffer.alloc(largest + 1)
  let length = 0
  for (;;) {
    const bytesRead = readSync(handle.fd, buffer, length, buffer.length - length, length)
    if (bytesRead === 0) break
    length += bytesRead
    if (length > largest) return unreadable('it is larger than 1 MiB')
  }
  const bytes = buffer.subarray(0, length)
  return { bytes, digest: createHash('sha256').update(bytes).digest('hex'), real }
}

async function refuseForeign(folder: string, file: string, what: string): Promise<void> {
  const facts = await reading(stat(folder), file)
  // A sticky folder such as /tmp lets nobody replace another one's file.
  refuseOwner({ uid: facts.uid, mode: (facts.mode & 0o1000) === 0 ? facts.mode : facts.mode & ~0o002 }, file, what)
}

function refuseOwner(facts: { readonly uid: number; readonly mode: number }, file: string, what: string): void {
  const refuse = (reason: string): never => {
    throw new Failure('policy/untrusted-file', { file: show(file, 300), reason })
  }
  if (facts.uid !== process.getuid?.() && facts.uid !== 0) refuse(`${what} belongs to another user`)
  if ((facts.mode & 0o002) !== 0) refuse(`${what} is writable by everybody`)
}

async function reading<T>(work: Promise<T>, file: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isSystemError(error)) throw error
    const reason =
      error.code === 'ELOOP'
        ? 'it is a symbolic link'
        : error.code === 'ENOENT'
          ? 'it points to nothing'
          : `it can't be opened (${error.code})`
    throw new Failure('policy/unreadable', { file: show(file, 300), reason }, { cause: error })
  }
}

async function absentAsUndefined<T>(work: Promise<T>, file: string): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
    return reading(Promise.reject(error), file)
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
