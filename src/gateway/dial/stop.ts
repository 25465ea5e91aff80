// Gateway, dial: what ends a dial before it is done: its time is over, or the gateway closes. dial.ts makes one for each dial.
import type { Deadlines } from '../deadlines.ts'

/** An AbortController and a timer for each dial would be a tenth of what the gateway does for a short connection. */
export class Stop {
  stopped = false
  private waiting: (() => void) | undefined

  /** One waits at a time. Called once, and at once where it was stopped before. */
  wait(onStop: () => void): void {
    if (this.stopped) onStop()
    else this.waiting = onStop
  }

  /** Nobody waits any more. */
  over(): void {
    this.waiting = undefined
  }

  now(): void {
    const { waiting } = this
    this.stopped = true
    this.waiting = undefined
    waiting?.()
  }
}

/** `work` with a stop that comes after so many milliseconds, or with the signal. */
export type InTime = <T>(work: (stop: Stop) => Promise<T>) => Promise<T>

export function makeInTime(deadlines: Deadlines, milliseconds: number, signal: AbortSignal): InTime {
  const open = new Set<Stop>()
  let closed = signal.aborted
  signal.addEventListener('abort', () => {
    closed = true
    for (const stop of open) stop.now()
  })
  return async (work) => {
    const stop = new Stop()
    const deadline = deadlines.open(() => stop.now())
    deadline.set(milliseconds)
    open.add(stop)
    if (closed) stop.now()
    try {
      return await work(stop)
    } finally {
      deadline.close()
      open.delete(stop)
    }
  }
}
