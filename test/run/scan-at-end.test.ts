// What a run wrote is looked through for secrets at its end, by itself, in every kind of workspace: told with kind and place, never with the value.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { changedSince } from '../../src/run/changed-since.ts'
import { anchorhold, inCell, makeWorld, type Outcome, type World } from '../support/anchorhold.ts'
import { gitWorld, writeFiles } from '../support/repository.ts'

const value = 'tok_0123456789abcdefghij'
const env = { DEPLOY_TOKEN: value, OTHER_API_KEY: 'hunter2-Zq8rTtuV0wXyzA2bC3' }
const bound = ['--secret', 'DEPLOY_TOKEN@api.example.test']
/** Shell that writes a text which must not stand in the command line. */
const put = (text: string, file: string): string => `a='${text.slice(0, 4)}'; printf '%s' "$a"'${text.slice(4)}' > ${file};`
const pat = ['ghp', 'abcdefghijklmnopqrstuvwxyz0123456789'].join('_')

interface Scanned {
  readonly kind: string
  readonly files: number
  readonly found: number
  readonly complete: boolean
  readonly findings: readonly {
    readonly file: string
    readonly line: number
    readonly of: string
    readonly name: string
    readonly form?: string
  }[]
}

/** What the journal has of the scan. */
async function scanned(world: World, name: string): Promise<Scanned | undefined> {
  const { stdout } = await anchorhold(world, ['log', name, '--json'])
  const events = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { event: Scanned }).event)
  return events.find(({ kind }) => kind === 'secret.scanned')
}

const places = (event: Scanned | undefined): readonly string[] =>
  (event?.findings ?? []).map(({ file, line, name, form }) => `${file}:${line} ${name} ${form ?? ''}`.trim()).toSorted()

/** Nothing of ours may hold a value: what is printed, and every file of the session but what the cell itself wrote. */
function expectNoValue(world: World, name: string, ...outcomes: readonly Outcome[]): void {
  for (const { stdout, stderr } of outcomes)
    for (const text of [value, pat, env.OTHER_API_KEY]) expect(stdout + stderr, name).not.toContain(text)
  const sessions = path.join(world.home, '.local/state/anchorhold/sessions')
  for (const session of readdirSync(sessions))
    expect(readFileSync(path.join(sessions, session, 'journal.jsonl'), 'utf8')).not.toContain(value)
}

const everywhere = [
  put(value, 'plain.txt'),
  put(Buffer.from(value).toString('base64'), 'deep.bin'),
  put([...value].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(''), 'url.txt'),
  'mkdir -p node_modules/x;',
  put(env.OTHER_API_KEY, 'node_modules/x/index.js'),
  put(pat, 'node_modules/x/theirs.js'), // other people's example keys are no leak
  'mkdir -p ~/.agent; printf "%s" "$DEPLOY_TOKEN" > placeholder.txt; printf "first\\n" > ~/.agent/log.jsonl;',
  put(pat, '~/.agent/part'),
  'cat ~/.agent/part >> ~/.agent/log.jsonl; rm ~/.agent/part;',
].join(' ')

it.each(['live', 'review'])(
  '%s: what was written in the project and in the agent’s home, in every encoding; neither placeholders nor what was there before',
  async (mode) => {
    const world = gitWorld()
    writeFiles(world.project, { 'old.txt': value })
    await new Promise((resolve) => setTimeout(resolve, 50)) // the old file must be older than the run
    const run = await inCell(world, everywhere, [...bound, '--workspace', mode, '--name', mode], { env })
    expect(run.code, run.stderr).toBe(0)
    const event = await scanned(world, mode)
    expect(places(event)).toEqual([
      'deep.bin:1 DEPLOY_TOKEN base64',
      'home:/.agent/log.jsonl:2 GitHub Token',
      'node_modules/x/index.js:1 OTHER_API_KEY as it is',
      'plain.txt:1 DEPLOY_TOKEN as it is',
      'url.txt:1 DEPLOY_TOKEN URL-encoded',
    ])
    expect(event?.complete).toBe(true)
    expect(run.stderr).toMatch(/^anchorhold: what this run wrote holds 5 secrets: .* and 2 more; look: anchorhold secret scan --session /m)
    const again = await anchorhold(world, ['secret', 'scan', '--session', mode, '--json'], { env })
    expect((JSON.parse(again.stdout) as Scanned).findings.map(({ file }) => file)).not.toContain('placeholder.txt')
    expectNoValue(world, mode, run, again)
  },
)

it('readonly: the transcript; live with --json and --quiet: the same in the result, in one line', async () => {
  const world = gitWorld()
  const script = `mkdir -p ~/.agent; ${put(value, '~/.agent/said')}`
  const sealed = await inCell(world, script, [...bound, '--workspace', 'readonly', '--quiet'], { env })
  expect(sealed.code, sealed.stderr).toBe(0)
  expect(sealed.stderr).toMatch(
    /^anchorhold: what this run wrote holds a secret: the value of DEPLOY_TOKEN in home:\/\.agent\/said:1; look: [^\n]*\n$/,
  )
  const json = await inCell(world, script, [...bound, '--json'], { env })
  const result = JSON.parse(json.stderr.trim().split('\n').at(-1) ?? '') as { readonly scan: Scanned }
  expect(result.scan).toMatchObject({
    found: 1,
    complete: true,
    findings: [{ file: 'home:/.agent/said', line: 1, of: 'known', name: 'DEPLOY_TOKEN' }],
  })
  expectNoValue(world, 'json', sealed, json)
})

it('a file that was taken away is looked through where it is kept; one that is named like the value is told without it', async () => {
  const world = gitWorld()
  const script = `${put(value, '.envrc')} n=tok_; printf '%s' "\${n}0123456789abcdefghij" > "\${n}0123456789abcdefghij"`
  const run = await inCell(world, script, [...bound, '--name', 'named'], { env })
  expect(run.code, run.stderr).toBe(0)
  const found = places(await scanned(world, 'named'))
  expect(found).toEqual(['[redacted]:1 DEPLOY_TOKEN as it is', expect.stringMatching(/^quarantine:\/.*\/\.envrc:1 DEPLOY_TOKEN/)])
  expectNoValue(world, 'named', run)
})

it('a run that wrote nothing, or only what is clean, has no word about it; whoever overwrites in place has written', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'kept.txt': 'x'.repeat(100) })
  await new Promise((resolve) => setTimeout(resolve, 50))
  const still = await inCell(world, 'cat kept.txt > /dev/null', ['--name', 'still'], { env })
  expect([still.code, still.stderr, await scanned(world, 'still')]).toEqual([0, '', undefined])
  const clean = await inCell(world, 'echo fine > new.txt', ['--name', 'clean'], { env })
  expect([clean.code, clean.stderr]).toEqual([0, ''])
  expect(await scanned(world, 'clean')).toMatchObject({ files: 1, found: 0, complete: true })
  const place = `a=hunt; printf '%s' "$a"'${env.OTHER_API_KEY.slice(4)}' | dd of=kept.txt conv=notrunc 2>/dev/null; touch -d 2001-01-01 kept.txt`
  const over = await inCell(world, place, ['--name', 'over'], { env })
  expect(over.code, over.stderr).toBe(0)
  expect(places(await scanned(world, 'over'))).toEqual(['kept.txt:1 OTHER_API_KEY as it is'])
})

it('what is too large to be looked through for every shape is looked through for values, and said to be left', async () => {
  const world = gitWorld()
  const script = `head -c 9000000 /dev/zero | tr '\\0' 'a' > big.txt; a=hunt; printf '%s' "$a"'${env.OTHER_API_KEY.slice(4)}' >> big.txt; mkfifo pipe; ln -s /etc/passwd link`
  const run = await inCell(world, script, ['--name', 'large'], { env })
  expect(run.code, run.stderr).toBe(0)
  const event = await scanned(world, 'large')
  expect(event).toMatchObject({ files: 1, found: 1, complete: false })
  const log = await anchorhold(world, ['log', 'large'])
  expect(log.stdout).toContain('1 found: the value of OTHER_API_KEY in big.txt:1; not all of it')
})

it('the look for what changed has a time: what lies nearest to the top comes first, and it is said that it is not all', async () => {
  const world = makeWorld()
  for (let folder = 0; folder < 40; folder += 1) {
    mkdirSync(path.join(world.project, `d${folder}`))
    for (let file = 0; file < 40; file += 1) writeFileSync(path.join(world.project, `d${folder}`, `f${file}`), '')
  }
  writeFileSync(path.join(world.project, 'top'), '')
  const all = await changedSince([world.project], 0, 60_000)
  expect([all.files.length, all.complete]).toEqual([1_601, true])
  const some = await changedSince([world.project], 0, -1)
  expect(some.complete).toBe(false)
  expect(some.files.length).toBeLessThan(1_601)
  expect((await changedSince([world.project], Date.now() + 60_000, 60_000)).files).toEqual([])
  expect((await changedSince([path.join(world.project, 'nowhere')], 0, 60_000)).files).toEqual([])
})
