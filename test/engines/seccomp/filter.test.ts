// The compiled filter against checked-in tables: a call that becomes allowed, or stops being, shows in review (KRN-03).
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { compileFilter } from '../../../src/engines/seccomp/compile.ts'
import { syscallNumbers } from '../../../src/engines/seccomp/numbers.ts'
import { rulesFor } from '../../../src/engines/seccomp/rules.ts'
import { nameAnswer, runFilter } from './interpreter.ts'

const audit = { x86_64: 0xc000003e, aarch64: 0xc00000b7 } as const
const architectures = ['x86_64', 'aarch64'] as const
/** What fixtures/sweep.c passes. */
const ones = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]

test.each(architectures)('every call of %s answers as in the checked-in table', (architecture) => {
  const program = compileFilter(architecture, { pinned: false, coreHandler: false })
  const table = Object.entries(syscallNumbers(architecture))
    .map(([name, number]) => `${number} ${name} ${nameAnswer(runFilter(program, number, ones, audit[architecture]).answer)}\n`)
    .join('')
  const file = path.join(import.meta.dirname, `../fixtures/syscalls-${architecture}.txt`)
  if (process.env['ANCHORHOLD_UPDATE_TABLES'] === '1') writeFileSync(file, table)
  expect(table).toBe(readFileSync(file, 'utf8'))
})

test('numbers that no table knows, other architectures and x32 answer ENOSYS', () => {
  const program = compileFilter('x86_64', { pinned: false, coreHandler: false })
  for (const number of [335, 400, 468, 1000, 0x3fffffff, 0x40000000, 0x40000027, 0xffffffff])
    expect(nameAnswer(runFilter(program, number).answer), String(number)).toBe('ENOSYS')
  for (const arch of [0x40000003, 0xc00000b7, 0]) expect(nameAnswer(runFilter(program, 39, [], arch).answer)).toBe('ENOSYS')
  expect(nameAnswer(runFilter(program, 39).answer)).toBe('allow')
})

test.each([
  ['socket', [1, 1, 0], 'allow'],
  ['socket', [2, 0x80801, 0], 'allow'],
  ['socket', [10, 2, 17], 'allow'],
  ['socket', [16, 3, 0], 'allow'],
  ['socket', [2, 3, 1], 'EPERM'],
  ['socket', [2, 3, 0], 'EPERM'],
  ['socket', [2, 0x80003, 6], 'EPERM'],
  ['socket', [2, 2, 1], 'EPERM'],
  ['socket', [10, 3, 58], 'EPERM'],
  ['socket', [16, 3, 12], 'EPERM'],
  ['socket', [2, 1, 262], 'EPROTONOSUPPORT'],
  ['socket', [40, 1, 0], 'EAFNOSUPPORT'],
  ['socket', [17, 3, 0], 'EAFNOSUPPORT'],
  ['socket', [38, 5, 0], 'EAFNOSUPPORT'],
  ['socket', [1, 0x80805, 0], 'allow'],
  ['socket', [1, 2, 0], 'EPROTONOSUPPORT'],
  ['socket', [1, 0x80003, 0], 'EPROTONOSUPPORT'],
  ['socketpair', [1, 1, 0], 'allow'],
  ['socketpair', [1, 0x80802, 0], 'EPROTONOSUPPORT'],
  ['socketpair', [2, 1, 0], 'EAFNOSUPPORT'],
  ['clone', [0x11], 'allow'],
  ['clone', [0x3d0f00], 'allow'],
  ['clone', [0x10000011], 'EPERM'],
  ['clone', [0x20011], 'EPERM'],
  ['clone', [0x2000000], 'EPERM'],
  ['clone', [0x40000000], 'EPERM'],
  ['ioctl', [0, 0x5401], 'allow'],
  ['ioctl', [0, 0x5412], 'EPERM'],
  ['ioctl', [0, 0x541c], 'EPERM'],
  ['ioctl', [0, 0x5423], 'EPERM'],
  ['personality', [0xffffffff], 'allow'],
  ['personality', [0], 'allow'],
  ['personality', [0x40000], 'EPERM'],
  ['personality', [8], 'EPERM'],
] as const)('%s(%j) → %s', (name, args, expected) => {
  for (const architecture of architectures) {
    const number = syscallNumbers(architecture)[name] ?? -1
    expect(
      nameAnswer(runFilter(compileFilter(architecture, { pinned: false, coreHandler: false }), number, args, audit[architecture]).answer),
    ).toBe(expected)
  }
})

test('affinity is refused only where it keeps a limit', () => {
  const number = syscallNumbers('x86_64')['sched_setaffinity'] ?? -1
  expect(nameAnswer(runFilter(compileFilter('x86_64', { pinned: true, coreHandler: false }), number).answer)).toBe('EPERM')
  expect(nameAnswer(runFilter(compileFilter('x86_64', { pinned: false, coreHandler: false }), number).answer)).toBe('allow')
})

test('every rule has a reason, every name is a call of some architecture, and none stands twice', () => {
  const rules = [...rulesFor({ pinned: false, coreHandler: false })]
  const known = new Set(architectures.flatMap((architecture) => Object.keys(syscallNumbers(architecture))))
  // Names that neither of the two architectures has.
  const elsewhere = new Set(['stime', 'vm86', 'set_thread_area', 'get_thread_area'])
  const names = rules.flatMap((rule) => rule.names)
  expect(names.filter((name) => !known.has(name) && !elsewhere.has(name))).toEqual([])
  expect(names.length).toBe(new Set(names).size)
  expect(rules.every((rule) => rule.reason.length > 10)).toBe(true)
})

test('the program is small, common calls are decided in few steps, and compiling takes well under 2 ms', () => {
  const program = compileFilter('x86_64', { pinned: false, coreHandler: false })
  expect(program.byteLength / 8).toBeLessThan(4096)
  for (const name of ['read', 'write', 'openat', 'futex', 'mmap', 'close'])
    expect(runFilter(program, syscallNumbers('x86_64')[name] ?? -1).steps, name).toBeLessThan(16)
})

test('where crashes are handed to a program of the host, the core limit stays (SEC-04)', () => {
  const program = compileFilter('x86_64', { pinned: false, coreHandler: true })
  const { prlimit64 = -1, setrlimit = -1 } = syscallNumbers('x86_64')
  const asked = (number: number, args: readonly number[]): number => runFilter(program, number, args).answer
  expect(asked(setrlimit, [4])).toBe(0x00050000) // done, says SECCOMP_RET_ERRNO with 0
  expect(nameAnswer(asked(setrlimit, [7]))).toBe('allow')
  expect(nameAnswer(asked(prlimit64, [0, 4, 0, 0x7f00]))).toBe('allow')
  for (const pointer of [0x7fff_0000_1000, 0x1_0000_0000, 8]) expect(asked(prlimit64, [0, 4, pointer])).toBe(0x00050000)
  expect(nameAnswer(asked(prlimit64, [0, 7, 8]))).toBe('allow')
})
