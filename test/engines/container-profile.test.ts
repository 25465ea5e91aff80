import fc from 'fast-check'
import { expect, test } from 'vitest'
import { containerProfile } from '../../src/engines/seccomp/profile.ts'
import { errno, rulesFor, type Action, type Rule, type Test } from '../../src/engines/seccomp/rules.ts'

interface Entry {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly { readonly index: number; readonly value: bigint; readonly valueTwo: bigint; readonly op: string }[]
}

const options = { pinned: false, coreHandler: true }
const rules = rulesFor(options)

/** As an engine reads it: numbers of 64 bits whole. */
function read(): { readonly syscalls: readonly Entry[] } {
  const text = containerProfile(options).replaceAll(/("value(?:Two)?": )(\d+)/g, '$1"$2"')
  return JSON.parse(text, (key, value: unknown) => (key.startsWith('value') ? BigInt(String(value)) : value)) as { syscalls: Entry[] }
}
const profile = read()

function byRule({ clauses = [], action }: Rule, args: readonly bigint[]): Action {
  const holds = ({ arg, mask = 0xffffffff, high, in: values }: Test): boolean => {
    const word = Number(((args[arg] ?? 0n) >> (high === true ? 32n : 0n)) & 0xffffffffn)
    return values.some((value) => (BigInt(word) & BigInt(mask >>> 0)) === BigInt(value >>> 0))
  }
  return clauses.find(({ when }) => when.every(holds))?.then ?? action
}

const meets = ({ args = [] }: Entry, values: readonly bigint[]): boolean =>
  args.every(({ index, value, valueTwo }) => ((values[index] ?? 0n) & value) === valueTwo)

test('an engine that knows no order of rules answers every call as the filter does, by exactly one entry', () => {
  const judged = rules.filter(({ clauses }) => clauses !== undefined)
  expect(judged.length).toBeGreaterThan(5)
  const interesting = judged.flatMap(({ clauses = [] }) =>
    clauses.flatMap(({ when }) => when.flatMap(({ in: values, mask = 0 }) => [...values, mask].map((value) => BigInt(value >>> 0)))),
  )
  const value = fc.oneof(
    fc.constantFrom(...interesting),
    fc.constantFrom(...interesting).chain((one) => fc.integer({ min: 0, max: 63 }).map((bit) => one ^ (1n << BigInt(bit)))),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 300n }),
  )
  fc.assert(
    fc.property(fc.constantFrom(...judged), fc.array(value, { minLength: 6, maxLength: 6 }), (rule, args) => {
      for (const name of rule.names) {
        const met = profile.syscalls.filter((entry) => entry.names.includes(name) && meets(entry, args))
        expect(met).toHaveLength(1)
        const wanted = byRule(rule, args)
        expect(met[0]?.action).toBe(wanted === 'allow' ? 'SCMP_ACT_ALLOW' : 'SCMP_ACT_ERRNO')
        if (wanted !== 'allow') expect(met[0]?.errnoRet).toBe(errno[wanted])
      }
    }),
    { numRuns: 4_000 },
  )
})

test('every rule is in it, each argument at most once in an entry, as its library needs it', () => {
  for (const { names } of rules)
    for (const name of names)
      expect(
        profile.syscalls.some((entry) => entry.names.includes(name)),
        name,
      ).toBe(true)
  for (const { args = [] } of profile.syscalls) {
    expect(new Set(args.map(({ index }) => index)).size).toBe(args.length)
    expect(args.every(({ op }) => op === 'SCMP_CMP_MASKED_EQ')).toBe(true)
  }
})
