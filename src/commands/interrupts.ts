// For commands that make things which have to go again: an interrupt ends the work, which clears up, and only then the command.
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
type Interrupt = keyof typeof exitCodes

export interface Interrupts extends Disposable {
  readonly signal: AbortSignal
  /** The one that came first. */
  readonly name: Interrupt | undefined
  /** 128+n of it. */
  readonly exitCode: number | undefined
}

/** Until it is disposed no interrupt ends this process by itself. */
export function catchInterrupts(): Interrupts {
  const stop = new AbortController()
  let name: Interrupt | undefined
  const handlers = (Object.keys(exitCodes) as Interrupt[]).map((each) => {
    const handler = (): void => {
      name ??= each
      stop.abort()
    }
    process.on(each, handler)
    return [each, handler] as const
  })
  return {
    signal: stop.signal,
    get name() {
      return name
    },
    get exitCode() {
      return name === undefined ? undefined : exitCodes[name]
    },
    [Symbol.dispose]() {
      for (const [each, handler] of handlers) process.off(each, handler)
    },
  }
}
