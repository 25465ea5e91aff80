// The functions of node:fs/promises that every start and end uses, done at once: a thread pool that has to be started first, and a wait for each
// answer, cost a start some milliseconds, and loading node:fs/promises one more. For small files and few; the rest takes node:fs/promises.
import * as fs from 'node:fs'

export async function lstat(place: string): Promise<fs.Stats> {
  return fs.lstatSync(place)
}

export async function stat(place: string): Promise<fs.Stats> {
  return fs.statSync(place)
}

export async function realpath(place: string): Promise<string> {
  return fs.realpathSync.native(place)
}

/** The canonical path's own bytes, which need not be UTF-8. */
export async function realpathBytes(place: string): Promise<Buffer> {
  return fs.realpathSync.native(place, { encoding: 'buffer' })
}

export async function readdir(folder: string): Promise<string[]> {
  return fs.readdirSync(folder)
}

export async function entriesOf(folder: string): Promise<fs.Dirent[]> {
  return fs.readdirSync(folder, { withFileTypes: true })
}

export async function mkdir(folder: string, options: fs.MakeDirectoryOptions): Promise<void> {
  fs.mkdirSync(folder, options)
}

export async function writeFile(place: string, content: string | Uint8Array, options: { readonly mode: number }): Promise<void> {
  fs.writeFileSync(place, content, options)
}

/** latin1: every byte is one character. */
export async function readText(place: string): Promise<string> {
  return fs.readFileSync(place, 'latin1')
}

/** Shares blocks where the file system can; a large file is copied beside everything else. */
export async function copyFile(from: string, to: string): Promise<void> {
  const mode = fs.constants.COPYFILE_FICLONE
  if (fs.statSync(from).size < 2 ** 22) return fs.copyFileSync(from, to, mode)
  return new Promise((resolve, reject) => fs.copyFile(from, to, mode, (error) => (error === null ? resolve() : reject(error))))
}

export async function rm(place: string, options: fs.RmOptions): Promise<void> {
  fs.rmSync(place, options)
}

/** An open descriptor, closed by its scope. */
export interface Opened extends Disposable {
  readonly fd: number
}

export async function open(place: string, flags: number): Promise<Opened> {
  const fd = fs.openSync(place, flags)
  return { fd, [Symbol.dispose]: () => fs.closeSync(fd) }
}
