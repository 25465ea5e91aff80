// Gateway: one bound on time for the phases that wait for the cell or for the outside.

/**
 * What `work` resolves to, or undefined when it took longer or the signal ended it. `work` goes on behind; it asks `stopped()` after each wait
 * and gives up by itself.
 */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal,
  work: (stopped: () => boolean) => Promise<T>,
): Promise<T | undefined> {
  let stopped = signal.aborted
  let stop: () => void = () => undefined
  const late = new Promise<undefined>((resolve) => {
    stop = () => {
      stopped = true
      resolve(undefined)
    }
  })
  const timer = setTimeout(stop, milliseconds)
  signal.addEventListener('abort', stop)
  try {
    return await Promise.race([work(() => stopped), late])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
