// The last word of a command that failed: rendered in one place, told on stderr.

/** Tells of it; the exit code. */
export async function refuse(error: unknown, flags: Readonly<Record<string, unknown>>): Promise<number> {
  const { exitCodeOf, renderFailure } = await import('../report/failure.ts')
  process.stderr.write(renderFailure(error, { json: flags['json'] === true, verbose: flags['verbose'] === true }))
  return exitCodeOf(error)
}
