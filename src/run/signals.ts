// Signals to anchorhold become signals to the command; what asked for the end decides the exit code (128+n).
import { constants } from 'node:os'
import type { Cell } from '../model/engine.ts'

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
/** How long a command may take to end after SIGTERM or SIGHUP before everything in the cell is killed. */
const graceMilliseconds = 5_000

export interface SignalGuard extends Disposable {
  /** From now on signals reach this cell. One that came before ends it at once. */
  attach(cell: Cell): void
  /** 128+n of the first signal that asked for the end; undefined where none did. */
  readonly exitCode: number | undefined
  readonly asked: AbortSignal
}

/**
 * With an inherited terminal Ctrl-C and Ctrl-\ reach the cell's foreground programs from the kernel: they are not sent a
 * second time, and a program that handles them goes on.
 */
export function guardSignals(terminal: 'inherit' | 'none'): SignalGuard {
  let cell: Cell | undefined
  let exitCode: number | undefined
  let timer: NodeJS.Timeout | undefined
  const controller = new AbortController()
  const handlers = forwarded.map((name) => {
    const fromKeyboard = terminal === 'inherit' && (name === 'SIGINT' || name === 'SIGQUIT')
    const handler = () => {
      if (fromKeyboard && cell !== undefined) return
      const again = exitCode !== undefined
      exitCode ??= 128 + constants.signals[name]
      controller.abort()
      if (again) cell?.kill()
      else cell?.signal(name)
      timer ??= setTimeout(() => cell?.kill(), graceMilliseconds)
      timer.unref()
    }
    process.on(name, handler)
    return [name, handler] as const
  })
  return {
    attach(started) {
      cell = started
      if (exitCode !== undefined) started.kill()
    },
    get exitCode() {
      return exitCode
    },
    asked: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      for (const [name, handler] of handlers) process.off(name, handler)
    },
  }
}
