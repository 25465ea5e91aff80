// The gateway looks for the next piece for a moment before it sleeps: when it looks, when it stops, and when it leaves the processor to others.
import { expect, it } from 'vitest'
import { makeAttention, type Attention } from '../../src/gateway/attention.ts'

interface Bench extends Attention {
  /** Runs what was asked for, once: the sockets are looked at. False: it sleeps. */
  readonly look: () => boolean
  readonly pass: (milliseconds: number) => void
  readonly takeProcessor: (times: number) => void
}

function bench(milliseconds = 1): Bench {
  let [now, preempted] = [0, 0]
  let due: (() => void) | undefined
  const attention = makeAttention({ milliseconds, now: () => now, preempted: () => preempted, soon: (look) => (due = look) })
  return {
    ...attention,
    look() {
      const looked = due
      due = undefined
      looked?.()
      return looked !== undefined
    },
    pass: (more) => void (now += more),
    takeProcessor: (times) => void (preempted += times),
  }
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

it('where others wait for the processor it rests, longer each time, and begins again when they are gone', () => {
  const clock = bench()
  const piece = (): boolean => {
    clock.cell()
    const looked = clock.look()
    clock.server()
    while (clock.look()) clock.pass(1)
    return looked
  }
  const pieces = (): number => Array.from({ length: 200 }, piece).filter(Boolean).length
  clock.takeProcessor(10)
  expect(pieces()).toBe(200)
  clock.takeProcessor(1_000)
  const busy = Array.from({ length: 6 }, () => {
    const looked = pieces()
    clock.takeProcessor(1_000)
    clock.pass(60)
    return looked
  })
  expect(Math.max(...busy)).toBeLessThan(200)
  expect(busy.at(-1)).toBe(0)
  clock.pass(2_000)
  pieces()
  clock.pass(2_000)
  expect(pieces()).toBe(200)
})

it('with no time given it never looks', () => {
  const clock = bench(0)
  clock.cell()
  clock.server()
  expect(clock.look()).toBe(false)
})
