// The code of a system error, for messages. Used wherever a failure says why a file could not be had.

/** `ENOENT` and so on; "unknown error" for what is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
