// Small questions about the host's file system, asked while looking for an installation. Used by this folder only.
import { open, readFile } from 'node:fs/promises'
import { accessSync, constants, realpathSync, statSync } from 'node:fs'

/** The value, or undefined where the path does not exist, leads nowhere or may not be read. */
export async function orAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (absent.has(errorCode(error))) return undefined
    throw error
  }
}
const absent = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG', 'EISDIR', 'EPERM'])

/** `ENOENT` and so on; '' for what is no system error. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** The same for a question that is answered at once. Every start asks dozens of them, and each promise costs it a turn of a thread pool. */
export function nowOrAbsent<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch (error) {
    if (absent.has(errorCode(error))) return undefined
    throw error
  }
}

/** The real path of a regular file that the caller may execute. */
export async function executableAt(file: string): Promise<string | undefined> {
  return nowOrAbsent(() => {
    const real = realpathSync(file)
    accessSync(real, constants.X_OK)
    return statSync(real).isFile() ? real : undefined
  })
}

/** 'native' for an ELF program, 'script' for anything else; the first bytes of a script come along. */
export async function kindOfProgram(
  file: string,
): Promise<{ readonly kind: 'native' } | { readonly kind: 'script'; readonly head: string }> {
  await using handle = await open(file, 'r')
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0)
  const head = buffer.subarray(0, bytesRead)
  if (head.subarray(0, 4).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]))) return { kind: 'native' }
  return { kind: 'script', head: head.toString('latin1') }
}

/** name and version of a package folder; undefined where it has none. */
export async function packageAt(folder: string): Promise<{ readonly name: string; readonly version: string } | undefined> {
  const text = await orAbsent(readFile(`${folder}/package.json`, 'utf8'))
  if (text === undefined) return undefined
  const parsed = parseJson(text)
  if (typeof parsed !== 'object' || parsed === null || !('name' in parsed) || !('version' in parsed)) return undefined
  return typeof parsed.name === 'string' && typeof parsed.version === 'string' ? { name: parsed.name, version: parsed.version } : undefined
}

/** The value, or undefined for text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
