// Gateway: for a moment after each piece the loop looks for the next one instead of going to sleep: where a request follows an answer at once,
// waking a processor costs more than the relay itself (in a virtual machine 10 to 40 µs, four times for each request). Made by open.ts.
import { availableParallelism } from 'node:os'

export interface Attention {
  /** A small piece came from the cell; the server's answer may follow. */
  readonly cell: () => void
  /** A small piece came from a server; the next request may follow. */
  readonly server: () => void
}

export interface AttentionInput {
  /** How long it looks, in milliseconds; 0: not at all. */
  readonly milliseconds: number
  readonly now?: () => number
  /** Calls back after the sockets were looked at once, without sleeping. */
  readonly soon?: (look: () => void) => void
  /** How often somebody else took the processor from this process so far. */
  readonly preempted?: () => number
}

/** Where the looking found nothing so often in a row, it is tried with every so many-th piece only (a server far away, a slow program). */
const inVain = 8
const every = 16
/** So many times it looks before it asks whether the processor is wanted elsewhere; then it rests, longer each time, milliseconds. */
const looks = 64
const rests = { first: 50, most: 1_600 } as const

/** With one processor there is nobody to wait for while looking: it never does. */
export function makeAttention(input: AttentionInput): Attention {
  if (input.milliseconds === 0 || (input.now === undefined && availableParallelism() < 2)) return { cell: nothing, server: nothing }
  const watch = new Looking(input)
  const [cell, server] = [new Side(), new Side()]
  return { cell: () => watch.heard(cell), server: () => watch.heard(server) }
}

function nothing(): void {
  return undefined
}

/** How it went after pieces from one side. */
class Side {
  missed = 0
  skipped = 0
}

class Looking {
  private side: Side | undefined
  private running = false
  private until = 0
  private count = 0
  private before = 0
  private restUntil = 0
  private rest: number = rests.first
  private readonly milliseconds: number
  private readonly now: () => number
  private readonly soon: (look: () => void) => void
  private readonly preempted: () => number
  private readonly look = (): void => {
    if (this.side === undefined) this.running = false
    else if (this.now() < this.until) this.soon(this.look)
    else {
      this.running = false
      this.side.missed += 1
      this.side = undefined
    }
  }

  constructor({ milliseconds, now, soon, preempted }: AttentionInput) {
    this.milliseconds = milliseconds
    this.now = now ?? (() => performance.now())
    this.soon = soon ?? ((look) => void setImmediate(look))
    this.preempted = preempted ?? (() => process.resourceUsage().involuntaryContextSwitches)
  }

  heard(side: Side): void {
    const now = this.now()
    if (this.side !== undefined) this.side.missed = this.side.skipped = 0
    this.side = undefined
    if (now < this.restUntil || this.isInVain(side) || this.isWanted(now)) return
    this.side = side
    this.until = now + this.milliseconds
    if (this.running) return
    this.running = true
    this.soon(this.look)
  }

  private isInVain(side: Side): boolean {
    if (side.missed < inVain) return false
    side.skipped = (side.skipped + 1) % every
    return side.skipped !== 0
  }

  /** Where others wait for this processor, looking would only hold them up, and with them the very peers that it looks for. */
  private isWanted(now: number): boolean {
    this.count += 1
    if (this.count < looks) return false
    this.count = 0
    const preempted = this.preempted()
    const wanted = preempted - this.before > looks
    this.before = preempted
    if (!wanted) {
      this.rest = rests.first
      return false
    }
    this.restUntil = now + this.rest
    this.rest = Math.min(this.rest * 2, rests.most)
    return true
  }
}
