// Gateway: many bounds on time for the price of one timer. Coarse: late by a quarter of the shortest bound at most. Used by http/.

export interface Deadline {
  /** From now; replaces what was set. */
  set(milliseconds: number): void
  clear(): void
  /** Whether it passed since it was set last. */
  readonly passed: boolean
  /** No longer watched. */
  close(): void
}

export interface Deadlines {
  /** `onPassed` is called once for each `set` that was not met. */
  open(onPassed: () => void): Deadline
}

/** The timer runs only while something is watched, and never keeps the process alive. */
export function makeDeadlines(everyMilliseconds: number): Deadlines {
  const watched = new Set<Watched>()
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const now = performance.now()
    for (const deadline of watched) deadline.look(now)
    if (watched.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    open(onPassed) {
      const deadline = new Watched(onPassed, watched)
      watched.add(deadline)
      timer ??= setInterval(look, everyMilliseconds).unref()
      return deadline
    },
  }
}

class Watched implements Deadline {
  passed = false
  private at = Infinity
  private readonly onPassed: () => void
  private readonly watched: Set<Watched>

  constructor(onPassed: () => void, watched: Set<Watched>) {
    this.onPassed = onPassed
    this.watched = watched
  }

  set(milliseconds: number): void {
    this.at = performance.now() + milliseconds
    this.passed = false
  }

  clear(): void {
    this.at = Infinity
  }

  close(): void {
    this.watched.delete(this)
  }

  look(now: number): void {
    if (now < this.at) return
    this.at = Infinity
    this.passed = true
    this.onPassed()
  }
}
