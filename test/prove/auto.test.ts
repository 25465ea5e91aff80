// Mode `auto` starts only where the wall is shown to hold: a proof that stands, or the quick set now. Seen from outside, with the real command.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { Failure } from '../../src/errors/failure.ts'
import type { Proof } from '../../src/model/proof.ts'
import { proveCommand } from '../../src/prove/command-line.ts'
import { processContext } from '../../src/run/context.ts'
import { run } from '../../src/run/run.ts'
import { anchorhold, makeWorld, start, type World } from '../support/anchorhold.ts'

interface Started {
  readonly code: number
  readonly said: string
  /** Of the event `wall.proven`; undefined where there was none. */
  readonly fresh: boolean | undefined
}

async function auto(world: World, more: readonly string[] = [], cwd?: string): Promise<Started> {
  const args = ['run', '--json', '--mode', 'auto', ...more, '--', 'sh', '-c', 'echo began >> began']
  const { code, stderr } = await anchorhold(world, args, { timeoutMilliseconds: 90_000, ...(cwd === undefined ? {} : { cwd }) })
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; fresh?: boolean; probes?: number })
  const proven = events.find(({ kind }) => kind === 'wall.proven')
  if (proven !== undefined) expect(proven.probes).toBeGreaterThan(10)
  return { code, said: stderr, fresh: proven?.fresh }
}

const state = (world: World): string => path.join(world.home, '.local/state/anchorhold')
const folder = (world: World): string => path.join(state(world), 'prove', 'standing')
function kept(world: World): readonly string[] {
  return existsSync(folder(world)) ? readdirSync(folder(world)).map((name) => path.join(folder(world), name)) : []
}
const began = (world: World): boolean => existsSync(path.join(world.project, 'began'))

it('the quick set is tried once; then its proof stands, until the policy, the project or the kernel is another', async () => {
  const world = makeWorld()
  expect(await auto(world)).toMatchObject({ code: 0, fresh: true })
  expect(await auto(world)).toMatchObject({ code: 0, fresh: false })
  expect(await auto(world, ['--allow', 'docs.example.org'])).toMatchObject({ code: 0, fresh: true })
  const other = path.join(path.dirname(world.project), 'other')
  mkdirSync(other)
  expect(await auto(world, [], other)).toMatchObject({ code: 0, fresh: true })
  expect(kept(world)).toHaveLength(3)
  // The cells of a proof are no sessions of the user's: four runs are there.
  expect(readdirSync(path.join(state(world), 'sessions')).filter((name) => /^\d{8}-/.test(name))).toHaveLength(4)
  for (const file of kept(world)) writeFileSync(file, readFileSync(file, 'utf8').replace(/"kernel":"[^"]*"/, '"kernel":"0.0.1"'))
  expect(await auto(world)).toMatchObject({ code: 0, fresh: true })
})

it.each<readonly [string, (file: string) => void]>([
  ['cut off', (file) => writeFileSync(file, readFileSync(file, 'utf8').slice(0, 200))],
  ['of another verdict', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('"holds"', '"leaks"'))],
  ['of no probe', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/"probes":\d+/, '"probes":0'))],
  ['of a day that has not come', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/"date":"\d+/, '"date":"2199'))],
  ['about another build', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/"build":"\w/, '"build":"x'))],
  ['that others can write', (file) => chmodSync(file, 0o666)],
  [
    'that is a link',
    (file) => {
      writeFileSync(`${file}.elsewhere`, readFileSync(file), { mode: 0o600 })
      rmSync(file)
      symlinkSync(`${file}.elsewhere`, file)
    },
  ],
])('a proof %s is none', async (_name, damage) => {
  const world = makeWorld()
  expect(await auto(world)).toMatchObject({ code: 0, fresh: true })
  for (const file of kept(world)) damage(file)
  expect(await auto(world)).toMatchObject({ code: 0, fresh: true })
  expect(await auto(world)).toMatchObject({ code: 0, fresh: false })
})

it('a wall that leaks starts nothing in auto, and says which probe and which command; with prompts it starts', async () => {
  const world = makeWorld()
  const beside = ['--mount', path.dirname(world.project)]
  const refused = await auto(world, beside)
  expect([refused.code, began(world), kept(world)]).toEqual([125, false, []])
  expect(refused.said).toContain('files-beside')
  expect(refused.said).toContain(`anchorhold prove --mode auto --mount ${path.dirname(world.project)}:ro`)
  const { code } = await anchorhold(world, ['run', '--mode', 'allow-listed', ...beside, '--', 'sh', '-c', 'echo began >> began'])
  expect([code, began(world)]).toEqual([0, true])
})

it('what could not be tried is not green: nothing starts, and it is said', async () => {
  const world = makeWorld()
  const refused = await auto(world, ['--limit', 'processes=16'])
  expect([refused.code, began(world), kept(world)]).toEqual([125, false, []])
  expect(refused.said).toMatch(/could not be shown.*anchorhold prove --mode auto --limit processes=16/s)
})

it('says nothing in a pipe, one line with --verbose; other modes and dry runs ask for nothing', async () => {
  const world = makeWorld()
  for (const more of [['--mode', 'allow-listed'], ['--mode', 'auto', '--dry-run'], []])
    expect((await anchorhold(world, ['run', ...more, '--', 'true'])).code).toBe(0)
  expect(existsSync(path.join(state(world), 'prove'))).toBe(false)
  expect(await anchorhold(world, ['run', '--mode', 'auto', '--', 'true'])).toMatchObject({ code: 0, stdout: '', stderr: '' })
  const { stderr } = await anchorhold(world, ['run', '--mode', 'auto', '--verbose', '--', 'true'])
  expect(stderr.split('\n').filter((line) => line.includes('proven'))).toEqual([expect.stringMatching(/ ago, by \d\d probes$/)])
})

it('`anchorhold prove` with the same flags is that proof; a later one that leaks takes it away', async () => {
  const world = makeWorld()
  const login = path.join(world.home, '.claude', '.credentials.json')
  mkdirSync(path.dirname(login))
  writeFileSync(login, 'not even JSON: nobody opens it', { mode: 0o600 })
  const { stdout, code } = await anchorhold(world, ['prove', '--quick', '--json', '--agent', 'claude', '--mode', 'auto'])
  const proof = JSON.parse(stdout) as Proof
  expect([code, kept(world).length]).toEqual([0, 1])
  const policy = await anchorhold(world, ['policy', '--json', '--agent', 'claude', '--mode', 'auto'])
  expect(JSON.parse(policy.stdout)).toMatchObject({
    policy: { digest: proof.policyDigest, secrets: [{ name: 'CLAUDE_CODE_OAUTH_TOKEN' }] },
  })

  expect((await anchorhold(world, ['prove', '--mode', 'auto'])).code).toBe(0)
  expect(await auto(world)).toMatchObject({ fresh: false })
  // One wall says nothing of the others.
  const other = ['--mode', 'auto', '--deny', 'a.example.org']
  expect((await anchorhold(world, ['prove', '--wall', 'kernel', ...other])).code).toBe(0)
  expect(await auto(world, ['--deny', 'a.example.org'])).toMatchObject({ fresh: true })
})

it('an interrupt while the wall is tried ends it by that signal, starts nothing and leaves nothing', async () => {
  const world = makeWorld()
  const { child, outcome } = start(world, ['run', '--mode', 'auto', '--', 'sh', '-c', 'echo began >> began'])
  const beside = (): readonly string[] => readdirSync(path.dirname(world.project)).filter((name) => name.includes('prove-'))
  await expect.poll(beside, { timeout: 20_000, interval: 5 }).toHaveLength(1)
  child.kill('SIGINT')
  expect((await outcome).signal).toBe('SIGINT')
  expect([beside(), began(world), kept(world)]).toEqual([[], false, []])
})

it('a caller that gives nobody to ask gets no run in auto', async () => {
  const world = makeWorld()
  const context = { ...processContext(world.env), cwd: world.project }
  await expect(run({ args: ['true'], mode: 'auto' }, context)).rejects.toThrow(Failure)
  await expect(run({ args: ['true'], mode: 'auto' }, context)).rejects.toMatchObject({ code: 'prove/unasked' })
})

it('the command of a refusal has every flag of the run, as a shell reads it, and no value of a variable', () => {
  const options = {
    args: ['x'],
    agent: 'claude',
    mode: 'auto',
    allow: ['a.example.org'],
    hide: ['my notes*'],
    env: ['KEY=very secret'],
  } as const
  expect(proveCommand({ ...options, mount: [{ path: '/srv/a', mode: 'rw' }] })).toBe(
    "anchorhold prove --agent claude --mode auto --allow a.example.org --env 'KEY=…' --hide 'my notes*' --mount /srv/a:rw",
  )
})
