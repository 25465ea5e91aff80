// The quick reader of `run` lines against the command-line library: what it reads, the library reads alike; what the library refuses, it leaves.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { programOf } from '../../src/commands/perform.ts'
import { plainLine } from '../../src/commands/run-line.ts'
import { runOptions } from '../../src/commands/run-options.ts'
import { register, toOptions } from '../../src/commands/run.ts'

type Read = readonly [options: unknown, flags: unknown]

/** What the library makes of the words; undefined where it refuses them or prints help. */
async function byLibrary(words: readonly string[]): Promise<Read | undefined> {
  let read: Read | undefined
  const file = {
    register: (program: Parameters<typeof register>[0]) =>
      register(program, async (options, flags) => {
        read = [options, flags]
        return 0
      }),
  }
  const program = await programOf({ run: () => file }, 'run')
  for (const command of [program, ...program.commands]) command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
  await program.parseAsync(['run', ...words], { from: 'user' }).catch(() => undefined)
  return read
}

function byQuickReader(words: readonly string[]): Read | undefined {
  const line = plainLine(words)
  return line && [toOptions(line.first, line.rest, line.flags), line.flags]
}

const names = runOptions.map(({ flags }) => flags.split(' ', 1)[0] ?? '')
const value = fc.constantFrom(
  'live',
  'auto',
  'ask',
  'review',
  'a.example:443',
  'X=1',
  '/a:rw',
  '/b',
  'a=b',
  '',
  '-',
  '--',
  '-x',
  '--quiet',
  'ü\n=',
)
const word = fc.oneof(
  fc.constantFrom(...names),
  fc.tuple(fc.constantFrom(...names), value).map(([name, text]) => `${name}=${text}`),
  value,
  fc.constantFrom(
    'claude',
    'true',
    '--help',
    '-h',
    '--no-quiet',
    '--modes',
    '--Mode',
    '--dryRun',
    '-5',
    '---',
    '--=x',
    '--constructor',
    '--proto__',
  ),
)
const plain = fc.tuple(
  fc.array(fc.tuple(fc.constantFrom('--allow', '--env', '--hide', '--limit'), value), { maxLength: 4 }),
  fc.array(fc.constantFrom('--quiet', '--json', '--dry-run'), { maxLength: 2 }),
  fc.constantFrom([], ['--'], ['claude'], ['--', 'npm']),
  fc.array(word, { maxLength: 4 }),
)

it('lines of any words', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 7 }), async (words) => {
      const quick = byQuickReader(words)
      if (quick !== undefined) expect(quick).toEqual(await byLibrary(words))
    }),
    { numRuns: 3000 },
  )
})

it('plain lines are read, and alike', async () => {
  await fc.assert(
    fc.asyncProperty(plain, async ([valued, switches, agent, rest]) => {
      const words = [...valued.flat(), ...switches, ...agent, ...(agent.length === 0 ? [] : rest)]
      const quick = byQuickReader(words)
      expect(quick).toBeDefined()
      expect(quick).toEqual(await byLibrary(words))
    }),
    { numRuns: 1000 },
  )
})

it('help and mistakes are the library’s', () => {
  for (const words of [['--help'], ['-h'], ['--enigne', 'x'], ['--mode', 'x'], ['--allow'], ['--quiet=1'], ['--name', 'a', '--name', 'b']])
    expect(plainLine(words)).toBeUndefined()
})
