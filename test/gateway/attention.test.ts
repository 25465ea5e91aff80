// The gateway looks for the next piece for a moment before it sleeps: when it looks, when it stops, and when it leaves the processor to others.
import { expect, it } from 'vitest'
import { makeAttention, type Attention } from '../../src/gateway/attention.ts'

interface Bench extends Attention {
  /** Runs what was asked for, once: the sockets are looked at. False: it sleeps. */
  readonly look: () => boolean
  readonly pass: (milliseconds: number) => void
  /** As `pass`, but somebody else had the processor. */
  readonly lose: (milliseconds: number) => void
  busy: boolean
}

function bench(milliseconds = 1): Bench {
  let [now, used] = [0, 0]
  let due: (() => void) | undefined
  const attention = makeAttention({ milliseconds, now: () => now, used: () => used, busy: () => made.busy, soon: (look) => (due = look) })
  const made: Bench = {
    busy: false,
    ...attention,
    look() {
      const looked = due
      due = undefined
      looked?.()
      return looked !== undefined
    },
    pass(more) {
      now += more
      used += more
    },
    lose: (more) => void (now += more),
  }
  return made
}

/** A piece that nothing followed in time. */
function vainly(clock: Bench, side: 'cell' | 'server'): boolean {
  clock[side]()
  const looked = clock.look()
  clock.pass(2)
  while (clock.look());
  return looked
}

it('after a piece it looks until its time is over, and then sleeps', () => {
  const clock = bench()
  expect(clock.look()).toBe(false)
  clock.cell()
  clock.pass(0.6)
  expect(clock.look()).toBe(true)
  clock.pass(0.6)
  expect(clock.look()).toBe(true)
  expect(clock.look()).toBe(false)
})

it('the next piece begins the time anew, without a second loop beside the first', () => {
  const clock = bench()
  clock.cell()
  clock.pass(0.9)
  clock.server()
  clock.pass(0.9)
  expect(clock.look()).toBe(true)
  expect(clock.look()).toBe(true)
  clock.pass(0.2)
  expect(clock.look()).toBe(true)
  expect(clock.look()).toBe(false)
})

it('where nothing followed eight times, it is tried with every sixteenth piece only; one that follows makes it look each time again', () => {
  const clock = bench()
  for (let times = 0; times < 8; times++) expect(vainly(clock, 'server')).toBe(true)
  const tries = Array.from({ length: 32 }, () => vainly(clock, 'server'))
  expect(tries.filter(Boolean)).toHaveLength(2)
  // What comes from the cell is counted for itself.
  expect(vainly(clock, 'cell')).toBe(true)
  let looked = false
  while (!looked) {
    clock.server()
    looked = clock.look()
  }
  clock.cell()
  expect(clock.look()).toBe(true)
  clock.pass(2)
  while (clock.look());
  expect(vainly(clock, 'server')).toBe(true)
})

/** How many of 100 quick exchanges, 10 µs a side, were looked for. */
function exchanges(clock: Bench): number {
  let looked = 0
  for (let times = 0; times < 100; times++) {
    for (const side of ['cell', 'server'] as const) {
      clock[side]()
      clock.pass(0.01)
      if (clock.look()) looked += 0.5
    }
  }
  while (clock.look()) clock.pass(0.1)
  return looked
}

/** Somebody else has the processor while it looks. */
function loses(clock: Bench, milliseconds: number): void {
  clock.cell()
  clock.lose(milliseconds)
  while (clock.look()) clock.pass(0.1)
}

it('where others take the processor it rests, longer each time, and has forgotten it a while later', () => {
  const clock = bench()
  expect(exchanges(clock)).toBe(100)
  loses(clock, 0.4)
  expect(exchanges(clock)).toBe(100)
  loses(clock, 3)
  expect(exchanges(clock)).toBe(0)
  clock.pass(200)
  expect(exchanges(clock)).toBe(100)
  loses(clock, 3)
  clock.pass(200)
  expect(exchanges(clock)).toBe(0)
  clock.pass(200)
  expect(exchanges(clock)).toBe(100)
  clock.pass(6_000)
  loses(clock, 3)
  clock.pass(200)
  expect(exchanges(clock)).toBe(100)
})

it('on a busy machine it does not look, until it is busy no more', () => {
  const clock = bench()
  clock.busy = true
  expect(exchanges(clock)).toBe(0)
  clock.pass(100)
  expect(exchanges(clock)).toBe(0)
  clock.busy = false
  clock.pass(100)
  expect(exchanges(clock)).toBe(100)
})

it("its own long work is nobody else's, nor is the time in which it slept", () => {
  const clock = bench()
  clock.cell()
  clock.pass(5)
  while (clock.look()) clock.pass(0.1)
  expect(exchanges(clock)).toBe(100)
  clock.lose(60_000)
  expect(exchanges(clock)).toBe(100)
})

it('where pieces of many connections come together it does not look, for a moment', () => {
  const clock = bench()
  for (let connection = 0; connection < 3; connection++) clock.cell()
  expect([clock.look(), clock.look()]).toEqual([true, false])
  expect(exchanges(clock)).toBe(0)
  clock.pass(5)
  expect(exchanges(clock)).toBe(100)
})

it('with no time given it never looks', () => {
  const clock = bench(0)
  clock.cell()
  clock.server()
  expect(clock.look()).toBe(false)
})
