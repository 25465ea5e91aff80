// Standard output of the commands that show things. A reader that goes away (`| head`) is no failure.
import { writeSync } from 'node:fs'

/** Writes lines, each ended; nothing for none. Text is the caller's to make plain. */
export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) print(`${lines.join('\n')}\n`)
}

/** Lines of a list that nobody reads to its end: the first of them, and how many more there are. */
export function firstLines(lines: readonly string[], most: number = 100): readonly string[] {
  return lines.length <= most ? lines : [...lines.slice(0, most), `… and ${(lines.length - most).toLocaleString('en')} more`]
}

/**
 * All of the text is with the reader when this returns; where nobody reads any more the process ends quietly, with the code it would have had.
 * Not through `process.stdout`: that brings Node's streams and network modules, which take longer than most of what is shown here.
 */
export function print(text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
      if (error.code !== 'EAGAIN') throw error
      Atomics.wait(idle, 0, 0, 2) // a pipe that somebody else made non-blocking is full
    }
  }
}
const idle = new Int32Array(new SharedArrayBuffer(4))

/** For a command that writes to `process.stdout` itself: ends it quietly, with the code it would have had, once nobody reads any more. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
    throw error
  })
}
