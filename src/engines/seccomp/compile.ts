// The rules → one classic BPF program for seccomp(2). Pure, well under 2 ms. Neighbours: rules.ts, numbers.ts before it.
import { errno, rulesFor, type Action, type FilterOptions, type Rule, type Test } from './rules.ts'
import { syscallNumbers, type Architecture } from './numbers.ts'

/** linux/audit.h AUDIT_ARCH_*. */
const auditArch: Readonly<Record<Architecture, number>> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 }
/** Entries of the x32 ABI come with this bit in the number, under the same architecture value. */
const x32Bit = 0x40000000

// linux/bpf_common.h and linux/filter.h
const loadWord = 0x20
const andWith = 0x54
const jumpAlways = 0x05
const jumpEqual = 0x15
const jumpAtLeast = 0x35
const answer = 0x06
// struct seccomp_data: int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]
const numberAt = 0
const archAt = 4
const argumentsAt = 16

interface Instruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

const plain = (code: number, k: number): Instruction => ({ code, jt: 0, jf: 0, k })
const returned = (action: Action): Instruction => plain(answer, action === 'allow' ? 0x7fff0000 : 0x00050000 | errno[action])

/** The filter for one architecture, as struct sock_filter in memory order; throws when a name stands in two rules. */
export function compileFilter(architecture: Architecture, options: FilterOptions): Uint8Array {
  const ranges = rangesOf(byNumber(architecture, rulesFor(options)))
  return encode([
    plain(loadWord, archAt),
    { code: jumpEqual, jt: 1, jf: 0, k: auditArch[architecture] },
    returned('ENOSYS'), // int 0x80 and 32-bit programs: other numbers, other meanings
    plain(loadWord, numberAt),
    { code: jumpAtLeast, jt: 0, jf: 1, k: x32Bit },
    returned('ENOSYS'),
    ...tree(ranges),
  ])
}

function byNumber(architecture: Architecture, rules: readonly Rule[]): ReadonlyMap<number, Rule> {
  const numbers = syscallNumbers(architecture)
  const found = new Map<number, Rule>()
  for (const rule of rules) {
    for (const name of rule.names) {
      const number = numbers[name]
      if (number === undefined) continue
      if (found.has(number)) throw new Error(`seccomp rules: ${name} stands in two rules`)
      found.set(number, rule)
    }
  }
  return found
}

interface Range {
  readonly from: number
  readonly rule: Rule | undefined
}

/** Neighbouring numbers with the same answer become one range; every number has one. */
function rangesOf(found: ReadonlyMap<number, Rule>): readonly Range[] {
  const ranges: Range[] = []
  const last = Math.max(...found.keys())
  for (let number = 0; number <= last + 1; number++) {
    const rule = found.get(number)
    const before = ranges.at(-1)
    if (before === undefined || !sameAnswer(before.rule, rule)) ranges.push({ from: number, rule })
  }
  return ranges
}

function sameAnswer(one: Rule | undefined, other: Rule | undefined): boolean {
  if (one?.clauses !== undefined || other?.clauses !== undefined) return one === other
  return (one?.action ?? 'ENOSYS') === (other?.action ?? 'ENOSYS')
}

/** A balanced tree of comparisons: every call is decided after about eight of them. */
function tree(ranges: readonly Range[]): readonly Instruction[] {
  const first = ranges[0]
  if (first === undefined) return [returned('ENOSYS')]
  if (ranges.length === 1) return leaf(first.rule)
  const middle = ranges.length >> 1
  const low = tree(ranges.slice(0, middle))
  const high = tree(ranges.slice(middle))
  const pivot = ranges[middle]?.from ?? 0
  // Conditional jumps reach 255 instructions; farther ones go through an unconditional one.
  if (low.length <= 255) return [{ code: jumpAtLeast, jt: low.length, jf: 0, k: pivot }, ...low, ...high]
  return [{ code: jumpAtLeast, jt: 0, jf: 1, k: pivot }, plain(jumpAlways, low.length), ...low, ...high]
}

function leaf(rule: Rule | undefined): readonly Instruction[] {
  if (rule === undefined) return [returned('ENOSYS')]
  return [...(rule.clauses ?? []).flatMap((clause) => clauseCode(clause.when, returned(clause.then))), returned(rule.action)]
}

/** Tests one after the other; the first that fails jumps behind the answer. */
function clauseCode(tests: readonly Test[], then: Instruction): readonly Instruction[] {
  const code: Instruction[] = [then]
  for (const test of tests.toReversed()) code.unshift(...testCode(test, code.length))
  return code
}

function testCode(test: Test, skip: number): readonly Instruction[] {
  const load = [
    plain(loadWord, argumentsAt + 8 * test.arg + (test.high === true ? 4 : 0)),
    ...(test.mask === undefined ? [] : [plain(andWith, test.mask)]),
  ]
  const compare = test.in.map((value, index): Instruction => {
    const left = test.in.length - 1 - index
    return { code: jumpEqual, jt: left, jf: left === 0 ? skip : 0, k: value }
  })
  return [...load, ...compare]
}

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(program.length * 8))
  program.forEach((instruction, index) => {
    // Both architectures are little-endian.
    bytes.setUint16(index * 8, instruction.code, true)
    bytes.setUint8(index * 8 + 2, instruction.jt)
    bytes.setUint8(index * 8 + 3, instruction.jf)
    bytes.setUint32(index * 8 + 4, instruction.k >>> 0, true)
  })
  return new Uint8Array(bytes.buffer)
}
