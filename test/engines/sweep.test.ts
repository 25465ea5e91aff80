// Every system call tried from inside a cell: what the checked-in table refuses is refused by the kernel, and nothing else is.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { bubblewrap } from '../../src/engines/bubblewrap.ts'
import { makePlan, makeScratch, runPlan } from './support.ts'
import { buildFixture } from './fixtures/build.ts'

const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
const errnos: Readonly<Record<string, number>> = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 }

test('the sweep matches the table', async () => {
  using scratch = makeScratch()
  const program = buildFixture('sweep', scratch.project)
  const table = new Map(
    readFileSync(path.join(import.meta.dirname, `fixtures/syscalls-${architecture}.txt`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([number, name, action]) => [Number(number), { name: name ?? '', action: action ?? '' }]),
  )
  const { stdout, end } = await runPlan(bubblewrap, scratch, makePlan(scratch, [program]))
  expect(end).toMatchObject({ kind: 'exited', code: 0 })
  const seen = new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number) as [number, number]),
  )
  expect(seen.size).toBe(480)
  for (const [number, errno] of seen) {
    const row = table.get(number) ?? { name: `unknown ${number}`, action: 'ENOSYS' }
    // uretprobe and uprobe never reach a filter (Linux 6.14); outside the kernel's own trampoline they do nothing.
    if (architecture === 'x86_64' && (number === 335 || number === 336)) continue
    if (row.action !== 'allow') expect([row.name, errno]).toEqual([row.name, errnos[row.action]])
  }
  // Control: outside, calls that the filter refuses answer otherwise.
  const outside = execFileSync(program, ['0', '480'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number) as [number, number])
  const differs = outside.filter(([number, errno]) => (table.get(number)?.action ?? 'allow') !== 'allow' && errno !== seen.get(number))
  expect(differs.length).toBeGreaterThan(10)
})

test('32-bit and x32 entries are refused', async () => {
  using scratch = makeScratch()
  const program = buildFixture('sweep', scratch.project)
  const { stdout } = await runPlan(bubblewrap, scratch, makePlan(scratch, [program, '0x40000000', '0x40000010']))
  expect(
    new Set(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[1]),
    ),
  ).toEqual(new Set(['38']))
})
