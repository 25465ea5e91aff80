// Sets of syscall arguments as lists of cubes that do not overlap: how a list of clauses, of which the first that fits decides, is said to an
// engine that knows no order and takes one masked comparison for each argument (OCI runtime specification, SCMP_CMP_MASKED_EQ). Pure.
import type { Test } from './rules.ts'

/** For each argument that is tested: `value & mask === want`. Arguments that are not there may be anything. */
export type Cube = ReadonlyMap<Test['arg'], { readonly mask: bigint; readonly want: bigint }>

const low = 0xffffffffn

/** All arguments for which every test holds. */
export function cubesOf(tests: readonly Test[]): readonly Cube[] {
  return tests.reduce<readonly Cube[]>((cubes, test) => meetAll(cubes, cubesOfTest(test)), [new Map()])
}

function cubesOfTest({ arg, mask = 0xffffffff, high, in: values }: Test): readonly Cube[] {
  const shift = high === true ? 32n : 0n
  return values.map((value) => new Map([[arg, { mask: (BigInt(mask) & low) << shift, want: (BigInt(value) & low) << shift }]]))
}

/** What lies in one of the first and in one of the second. */
function meetAll(some: readonly Cube[], others: readonly Cube[]): readonly Cube[] {
  return some.flatMap((one) => others.flatMap((other) => meet(one, other) ?? []))
}

function meet(one: Cube, other: Cube): Cube | undefined {
  const met = new Map(one)
  for (const [arg, { mask, want }] of other) {
    const there = met.get(arg) ?? { mask: 0n, want: 0n }
    if (((there.want ^ want) & there.mask & mask) !== 0n) return undefined
    met.set(arg, { mask: there.mask | mask, want: there.want | want })
  }
  return met
}

/** What lies in one of the first and in none of the second. */
export function without(some: readonly Cube[], others: readonly Cube[]): readonly Cube[] {
  return others.reduce((left, other) => left.flatMap((one) => (meet(one, other) === undefined ? [one] : outside(one, other))), some)
}

/** The part of `one` that is not in `other`: bit by bit, those that differ from it there and are equal in all bits before. */
function outside(one: Cube, other: Cube): readonly Cube[] {
  const parts: Cube[] = []
  let rest = one
  for (const [arg, { mask, want }] of other) {
    for (let bit = 1n << 63n; bit > 0n; bit >>= 1n) {
      if ((mask & bit) === 0n || ((rest.get(arg)?.mask ?? 0n) & bit) !== 0n) continue
      const part = meet(rest, new Map([[arg, { mask: bit, want: (want & bit) ^ bit }]]))
      if (part !== undefined) parts.push(part)
      rest = meet(rest, new Map([[arg, { mask: bit, want: want & bit }]])) ?? rest
    }
  }
  return parts
}
