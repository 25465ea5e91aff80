// Gateway: for a moment after each small piece the loop looks for the next one instead of going to sleep: where a request follows an answer at
// once, waking a processor costs more than the relay itself (in a virtual machine 10 to 40 µs, four times for each request). Made by open.ts.
import { readFileSync } from 'node:fs'
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
  /** Milliseconds of a processor that this process had so far. */
  readonly used?: () => number
  /** Whether more threads of this machine want a processor than there are. */
  readonly busy?: () => boolean
}

/** Where the looking found nothing so often in a row, it is tried with every so many-th piece only (a server far away, a slow program). */
const inVain = 8
const every = 16
/** More pieces than this at one look: so much is under way that there is always something to do, and what comes together is done cheaper together. */
const few = 2
/** Of the processor's time, milliseconds: so long somebody else must have had it while it was looking. */
const taken = 0.5
/** Milliseconds without looking: where much is under way; where others took the processor, longer each time until they did not for a while. */
const rests = { crowd: 5, first: 200, most: 3_200, forgotten: 5_000 } as const
/** Milliseconds after which it is asked anew whether the machine is busy. */
const asking = 100

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

function usedByProcess(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The fourth field: threads that run or wait for a processor, of all there are (proc_loadavg(5)); one too many may be a helper of this runtime. Where it can't be read, only `taken` tells. */
function busyMachine(): boolean {
  try {
    return Number.parseInt(readFileSync('/proc/loadavg', 'latin1').split(' ')[3] ?? '', 10) > availableParallelism() + 1
  } catch {
    return false
  }
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
  private pieces = 0
  /** Of the last look. */
  private looked = 0
  /** Since when this process never slept, and what it had used by then. */
  private awake = 0
  private usedBefore = 0
  private restUntil = 0
  private rest: number = rests.first
  private readonly milliseconds: number
  private readonly now: () => number
  private readonly soon: (look: () => void) => void
  private askAt = 0
  private readonly used: () => number
  private readonly busy: () => boolean
  private readonly look = (): void => {
    const now = this.now()
    if (this.pieces > few) this.stop(now, rests.crowd)
    else if (now - this.looked > taken && this.wasTaken(now)) this.leave(now)
    this.pieces = 0
    this.looked = now
    if (this.side !== undefined && now < this.until) return this.soon(this.look)
    if (this.side !== undefined) this.side.missed += 1
    this.side = undefined
    this.running = false
  }

  constructor({ milliseconds, now, soon, used, busy }: AttentionInput) {
    this.milliseconds = milliseconds
    this.now = now ?? (() => performance.now())
    this.soon = soon ?? ((look) => void setImmediate(look))
    this.used = used ?? usedByProcess
    this.busy = busy ?? busyMachine
  }

  heard(side: Side): void {
    const now = this.now()
    if (this.side !== undefined) this.side.missed = this.side.skipped = 0
    this.side = undefined
    this.pieces += 1
    if (now < this.restUntil || this.isInVain(side) || this.isBusy(now)) return
    this.side = side
    this.until = now + this.milliseconds
    if (this.running) return
    this.running = true
    this.pieces = 1
    this.begin(now)
    this.looked = now
    this.soon(this.look)
  }

  private isInVain(side: Side): boolean {
    if (side.missed < inVain) return false
    side.skipped = (side.skipped + 1) % every
    return side.skipped !== 0
  }

  private isBusy(now: number): boolean {
    if (now < this.askAt) return false
    this.askAt = now + asking
    if (!this.busy()) return false
    this.stop(now, asking)
    return true
  }

  private begin(now: number): void {
    this.awake = now
    this.usedBefore = this.used()
  }

  /** Whether the time since the last look went to others: what was not used while awake. */
  private wasTaken(now: number): boolean {
    const [awake, usedBefore] = [this.awake, this.usedBefore]
    this.begin(now)
    return now - awake - (this.usedBefore - usedBefore) > taken
  }

  /** Where others wait for this processor, looking would only hold them up, and with them the very peers that it looks for. */
  private leave(now: number): void {
    if (now - this.restUntil > rests.forgotten) this.rest = rests.first
    this.stop(now, this.rest)
    this.rest = Math.min(this.rest * 2, rests.most)
  }

  private stop(now: number, milliseconds: number): void {
    this.restUntil = now + milliseconds
    this.side = undefined
  }
}
