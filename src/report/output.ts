// Standard output of the commands that show things. A reader that goes away (`| head`) is no failure.

/** Writes lines, each ended; nothing for none. Text is the caller's to make plain. */
export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
}

/** Ends the process quietly, with the code it would have had, once nobody reads standard output any more. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
    throw error
  })
}
