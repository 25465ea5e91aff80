// Time that only goes forward. Not `performance.now()`: asking for it loads node:perf_hooks, a millisecond of every start.

/** Milliseconds since some moment of the past. */
export function now(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1e6
}
