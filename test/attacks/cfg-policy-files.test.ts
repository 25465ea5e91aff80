// Policy files as an attacker or an accident leaves them (attacks.md CFG-01..04, 19, 24). A refusal is: code 125, the command did not run.
import { chmodSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { policyJsonSchema } from '../../src/policy/schema.ts'
import { parsePolicy } from '../../src/policy/yaml.ts'
import { Failure } from '../../src/errors/failure.ts'
import { anchorhold, makeWorld, type Outcome, type World } from '../support/anchorhold.ts'

type Place = 'user' | 'project' | 'flag'
const places: readonly Place[] = ['user', 'project', 'flag']

function fileOf(world: World, place: Place): string {
  if (place === 'project') return path.join(world.project, 'anchorhold.yaml')
  const file = place === 'user' ? path.join(world.home, '.config/anchorhold/policy.yaml') : path.join(world.home, 'given.yaml')
  mkdirSync(path.dirname(file), { recursive: true })
  return file
}

async function runWith(world: World, place: Place): Promise<Outcome> {
  return anchorhold(world, [
    'run',
    ...(place === 'flag' ? ['--policy', path.join(world.home, 'given.yaml')] : []),
    '--',
    'sh',
    '-c',
    'echo ran; touch ran',
  ])
}

function expectRefused(world: World, { code, stdout, stderr }: Outcome, why: RegExp): void {
  expect([code, stdout, existsSync(path.join(world.project, 'ran'))], stderr).toEqual([125, '', false])
  expect(stderr).toMatch(why)
}

/** What lies at the place of the policy, and the words of the refusal. */
const broken: Readonly<Record<string, readonly [(file: string) => void, RegExp]>> = {
  empty: [(file) => writeFileSync(file, ''), /says nothing/],
  'comments only': [(file) => writeFileSync(file, '# network: {}\n'), /says nothing/],
  'half written': [(file) => writeFileSync(file, 'network:\n  allow: [a.test, "b.te'), /:2:|:3:/],
  'a list': [(file) => writeFileSync(file, '- a.test\n'), /must be a mapping/],
  text: [(file) => writeFileSync(file, 'allow everything\n'), /must be a mapping/],
  'a folder': [(file) => mkdirSync(file), /not a regular file/],
  'a pipe': [(file) => execFileSync('mkfifo', [file]), /not a regular file/],
  'a link to a pipe': [
    (file) => (execFileSync('mkfifo', [`${file}.pipe`]), symlinkSync(`${file}.pipe`, file)),
    /not a regular file|symbolic link/,
  ],
  'a link to nothing': [(file) => symlinkSync('/nowhere/at/all', file), /points to nothing|symbolic link|does not exist/],
  'a link to itself': [(file) => symlinkSync(file, file), /symbolic link|ELOOP/],
  'a link to a device': [(file) => symlinkSync('/dev/zero', file), /not a regular file|symbolic link/],
  huge: [(file) => writeFileSync(file, `# ${'x'.repeat(2 ** 20)}\nengine: auto\n`), /larger than 1 MiB/],
  'not UTF-8': [(file) => writeFileSync(file, Buffer.from('engine: \xff\n', 'latin1')), /not UTF-8/],
  'UTF-16': [(file) => writeFileSync(file, Buffer.from('\ufeffengine: auto\n', 'utf16le')), /not UTF-8|byte order/],
  'under another ending': [(file) => writeFileSync(file.replace(/yaml$/, 'yml'), 'engine: auto\n'), /is not read|does not exist/],
}

describe('CFG-01 a policy that cannot be read whole stops the run', () => {
  it.each(Object.entries(broken).flatMap(([what, [make, why]]) => places.map((place) => [place, what, make, why] as const)))(
    '%s: %s',
    async (place, _what, make, why) => {
      const world = makeWorld()
      make(fileOf(world, place))
      expectRefused(world, await runWith(world, place), why)
    },
  )

  it('unreadable, and not there though asked for', async () => {
    const world = makeWorld()
    expectRefused(world, await runWith(world, 'flag'), /does not exist/)
    const file = fileOf(world, 'user')
    writeFileSync(file, 'engine: auto\n', { mode: 0o600 })
    chmodSync(file, 0)
    const outcome = await runWith(world, 'user')
    // Root reads it all the same, and then follows it.
    if (process.getuid?.() === 0) expect(outcome.stdout).toBe('ran\n')
    else expectRefused(world, outcome, /can't be opened/)
  })

  it.each(places)('control: a good one as %s is followed', async (place) => {
    const world = makeWorld()
    writeFileSync(fileOf(world, place), 'workspace: { mode: live }\n', { mode: 0o600 })
    expect(await runWith(world, place)).toMatchObject({ code: 0, stdout: 'ran\n' })
  })
})

function refusalOf(text: string): { readonly code: string; readonly message: string; readonly line: unknown; readonly column: unknown } {
  try {
    parsePolicy(Buffer.from(text), 'p.yaml')
  } catch (error) {
    if (error instanceof Failure)
      return { code: error.code, message: error.message, line: error.facts['line'], column: error.facts['column'] }
    throw error
  }
  return { code: 'accepted', message: '', line: 0, column: 0 }
}

interface Level {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Level>>
  readonly items?: Level
  readonly anyOf?: readonly Level[]
}

/** Every mapping of the language with the keys that lead to it; 0 stands for the first entry of a list. */
function mappings(
  level: Level,
  at: readonly (string | 0)[] = [],
): readonly { readonly at: readonly (string | 0)[]; readonly keys: readonly string[] }[] {
  const inner = [
    ...(level.anyOf ?? []).flatMap((branch) => mappings(branch, at)),
    ...(level.items === undefined ? [] : mappings(level.items, [...at, 0])),
  ]
  if (level.properties === undefined) return inner
  const below = Object.entries(level.properties).flatMap(([key, value]) => mappings(value, [...at, key]))
  return [{ at, keys: Object.keys(level.properties) }, ...below, ...inner]
}

/** A policy with one key at a place, the place itself in block style. */
function policyWith(at: readonly (string | 0)[], key: string): { readonly text: string; readonly line: number; readonly column: number } {
  let text = ''
  let indent = 0
  let fresh = true
  for (const step of at) {
    if (step === 0) {
      text += `${' '.repeat(indent)}- `
      indent += 2
      fresh = false
    } else {
      text += `${fresh ? ' '.repeat(indent) : ''}${step}:\n`
      indent += 2
      fresh = true
    }
  }
  text += `${fresh ? ' '.repeat(indent) : ''}${key}: x\n`
  return { text, line: text.trimEnd().split('\n').length, column: indent + 1 }
}

describe('CFG-02 an unknown key is refused at every depth, with the right one, line and column', () => {
  const all = mappings(policyJsonSchema())
  const rows = all.flatMap(({ at, keys }) => keys.map((key) => [[...at, key].join('.'), at, key] as const))

  it('there are mappings three deep to try', () => {
    expect(all.length).toBeGreaterThan(7)
    expect(rows.length).toBeGreaterThan(30)
  })

  it.each(rows)('%s', (_name, at, key) => {
    const typo = key.length > 4 ? `${key.slice(0, 1)}${key.slice(2, 3)}${key.slice(1, 2)}${key.slice(3)}` : `${key}s`
    const known = all.find((each) => each.at.join() === at.join())?.keys ?? []
    for (const wrong of [typo, key.toUpperCase(), `${key} `.replace(' ', '_'), `x-${key}`]) {
      if (known.includes(wrong)) continue
      const { text, line, column } = policyWith(at, wrong)
      const refusal = refusalOf(text)
      expect([refusal.code, refusal.line, refusal.column], `${text}\n${refusal.message}`).toEqual(['policy/unknown-key', line, column])
      if (wrong === key.toUpperCase() || wrong === typo) expect(refusal.message, text).toContain(`"${key}"`)
    }
  })

  it.each([
    'allowedDomain: [a.test]',
    'allow: [a.test]',
    'hosts: []',
    'network: { alow: [] }',
    'sandbox: false',
    'enabled: false',
    'network: { allow: { a.test: true } }',
    'network: "true"',
    'files: true',
    'limits: 5',
    'env: [A=1]',
    'workspace: readonly',
    'permissions: { mode: yolo }',
    'engine: none',
    'engine: false',
    'limits: { memory: yes }',
    'limits: { memory: -1 }',
    'limits: { processes: 1.5 }',
    'limits: { memory: .inf }',
  ])('%s', async (line) => {
    const world = makeWorld()
    writeFileSync(fileOf(world, 'user'), `${line}\n`, { mode: 0o600 })
    expectRefused(world, await runWith(world, 'user'), /policy\.yaml:1:\d+|limit/)
  })
})

describe('CFG-03 no trick of YAML makes two readers read two policies', () => {
  it.each([
    ['a key twice', 'engine: auto\nengine: docker\n', 2],
    ['a key twice in flow', 'network: { deny: [], deny: [a.test] }\n', 1],
    ['a key twice, once quoted', 'engine: auto\n"engine": docker\n', 2],
    ['a key twice, once escaped', 'engine: auto\n"\\x65ngine": docker\n', 2],
    ['an anchor', 'network: &n { allow: [a.test] }\n', 1],
    ['an alias', 'files: { hide: &a [x] , protect: *a }\n', 1],
    ['a merge key', 'network: { <<: { allow: [a.test] } }\n', 1],
    ['a tag', 'engine: !!str auto\n', 1],
    ['a tag of its own', 'network: !x { allow: [a.test] }\n', 1],
    ['a directive', '%YAML 1.1\n---\nengine: auto\n', 1],
    ['two documents', 'engine: auto\n---\nengine: docker\n', 2],
    ['something after the end', 'engine: auto\n...\nnetwork: {}\n', 3],
    ['a byte order mark', '\ufeffengine: auto\n', 1],
    ['a NUL', 'engine: auto\0\n', 1],
    ['a bidi override', 'network: { allow: ["a\u202e.test"] }\n', 1],
    ['a line separator', 'engine: auto\u2028network: {}\n', 1],
    ['a next-line character', 'engine: auto\u0085network: {}\n', 1],
    ['a complex key', '? [a]\n: b\n', 1],
    ['a key that is a number', '1: x\n', 1],
    ['the key of prototypes', '__proto__: { engine: none }\n', 1],
    ['a tab as indent', 'network:\n\tallow: []\n', 2],
    ['an unclosed quote', 'engine: "auto\n', 2],
    ['billions of laughs', 'a: &a [x,x]\nb: &b [*a,*a]\nnetwork: { allow: *b }\n', 1],
  ])('%s', (_what, text, line) => {
    const refusal = refusalOf(text)
    expect(['policy/bad-yaml', 'policy/unknown-key', 'policy/wrong-type'], refusal.message).toContain(refusal.code)
    expect([refusal.line, typeof refusal.column]).toEqual([line, 'number'])
  })

  it('words that are values elsewhere stay text', () => {
    const { tree } = parsePolicy(
      Buffer.from('env: { A: no, B: on, C: 1.10, D: 0x1f, E: 1e3, F: 2026-01-01, G: "", H: yes }\nnetwork: { deny: [no.test] }\n'),
      'p.yaml',
    )
    expect([tree.env?.['A'], tree.env?.['B'], tree.env?.['F'], tree.env?.['G'], tree.env?.['H']]).toEqual([
      'no',
      'on',
      '2026-01-01',
      '',
      'yes',
    ])
  })
})

/** What a project may ask for, and the words in which it is refused. */
const widening: readonly (readonly [string, RegExp])[] = [
  ['network: { allow: [evil.test] }', /allows evil\.test/],
  ['network: { allow: ["*.evil.test"] }', /allows \*\.evil\.test/],
  ['network: { allow: ["evil.test:22"] }', /allows evil\.test:22/],
  ['network: { allow: [claude] }', /allows the preset claude/],
  ['network: { routes: { evil.test: 127.0.0.1 } }', /can't have routes/],
  ['permissions: { mode: auto }', /permission mode auto/],
  ['permissions: { mode: allow-listed }', /permission mode allow-listed/],
  ['permissions: { allow: ["Bash(*)"] }', /pass without a question/],
  ['files: { unprotect: [.vscode] }', /lifts the protection/],
  ['files: { unprotect: [.env] }', /lifts the protection/],
  ['files: { mount: [{ path: ../../outside }] }', /mounts .*outside/],
  ['files: { mount: [{ path: ../../outside, mode: rw }] }', /mounts .*outside/],
  ['files: { mount: [{ path: ~/outside }] }', /mounts .*outside/],
  ['env: { WIDENED: "yes" }', /sets the variable WIDENED/],
  ['env: { SECRET: }', /sets the variable SECRET/],
  ['limits: { processes: 100000 }', /raises the limit/],
  ['limits: { processes: none }', /raises the limit/],
  ['engine: bubblewrap', /chooses the engine/],
  ['agent: claude', /chooses the agent/],
]

describe('CFG-04 CFG-24 a policy that comes with the project only narrows', () => {
  it.each(widening)('%s: refused until it is approved', async (line, why) => {
    const world = makeWorld()
    mkdirSync(path.join(world.home, 'outside'))
    writeFileSync(fileOf(world, 'project'), `${line}\n`)
    expectRefused(world, await runWith(world, 'project'), why)
    // No approval without somebody who reads it: neither a pipe nor the end of a file says yes.
    for (const input of ['y\n', 'yes\n', '']) expect((await anchorhold(world, ['trust'], { input })).code).toBe(125)
    expectRefused(world, await runWith(world, 'project'), why)
  })

  it('CFG-19 an approval holds for exactly this content of this file, until it is taken back', async () => {
    const world = makeWorld()
    const file = fileOf(world, 'project')
    const show = () => anchorhold(world, ['run', '--', 'sh', '-c', 'echo "<$WIDENED>"'])
    writeFileSync(file, 'env: { WIDENED: "1" }\n')
    expect((await show()).code).toBe(125)
    expect((await anchorhold(world, ['trust', '--yes'])).code).toBe(0)
    expect((await show()).stdout).toBe('<1>\n')
    writeFileSync(file, 'env: { WIDENED: "2" }\n')
    expect(await show()).toMatchObject({ code: 125, stdout: '' })
    writeFileSync(file, 'env: { WIDENED: "1" }\n')
    expect((await show()).stdout).toBe('<1>\n')
    const clone = path.join(world.home, 'work/clone')
    cpSync(world.project, clone, { recursive: true })
    expect(await anchorhold(world, ['run', '--', 'true'], { cwd: clone })).toMatchObject({ code: 125 })
    expect((await anchorhold(world, ['trust', '--revoke'])).code).toBe(0)
    expect((await show()).code).toBe(125)
  })

  it('the cell can neither change the policy for the next run nor approve it', async () => {
    const world = makeWorld()
    const file = fileOf(world, 'project')
    writeFileSync(file, 'env: { }\nworkspace: { mode: live }\n')
    const script =
      'echo "env: { WIDENED: 1 }" > anchorhold.yaml; mv anchorhold.yaml x; rm -f anchorhold.yaml; ls -A /home/agent/.local/state/anchorhold 2>&1; echo end'
    expect((await anchorhold(world, ['run', '--', 'sh', '-c', script])).stdout).toContain('end')
    expect((await anchorhold(world, ['run', '--', 'sh', '-c', 'echo "<$WIDENED>"; cat anchorhold.yaml'])).stdout).toBe(
      '<>\nenv: { }\nworkspace: { mode: live }\n',
    )
    const other = makeWorld()
    expect((await anchorhold(other, ['run', '--', 'sh', '-c', 'echo "env: { WIDENED: 1 }" > anchorhold.yaml'])).code).toBe(0)
    expect(existsSync(fileOf(other, 'project'))).toBe(false)
  })

  it.each(['a link', 'a pipe', 'a folder', 'a link to a folder'])('%s in its place is refused', async (what) => {
    const world = makeWorld()
    const file = fileOf(world, 'project')
    const target = path.join(world.home, 'good.yaml')
    writeFileSync(target, 'workspace: { mode: live }\n')
    if (what === 'a link') symlinkSync(target, file)
    else if (what === 'a pipe') execFileSync('mkfifo', [file])
    else if (what === 'a folder') mkdirSync(file)
    else symlinkSync(world.home, file)
    expectRefused(world, await runWith(world, 'project'), /symbolic link|not a regular file/)
    expect((await anchorhold(world, ['trust', '--yes'])).code).toBe(125)
  })

  it('of two sources the narrower wins, whichever it is; a deny is lifted by nothing', async () => {
    const world = makeWorld()
    writeFileSync(
      fileOf(world, 'user'),
      'network: { allow: [both.test, user.test, "*.wild.test"], deny: [no.test] }\nlimits: { processes: 100 }\nworkspace: { mode: live }\nenv: { SAME: a }\n',
      { mode: 0o600 },
    )
    writeFileSync(
      fileOf(world, 'project'),
      'network: { allow: [both.test, a.wild.test], deny: [user.test, b.wild.test] }\nlimits: { processes: 50 }\nworkspace: { mode: readonly }\nenv: { SAME: a }\n',
    )
    const verdict = async (host: string, ...flags: readonly string[]) =>
      (await anchorhold(world, ['explain', 'host', `${host}:443`, ...flags])).stdout.split('\n')[0]
    expect(await Promise.all(['both.test', 'user.test', 'a.wild.test', 'b.wild.test', 'no.test'].map((host) => verdict(host)))).toEqual([
      'both.test:443: allow',
      'user.test:443: deny',
      'a.wild.test:443: allow',
      'b.wild.test:443: deny',
      'no.test:443: deny',
    ])
    expect(await verdict('no.test', '--allow', 'no.test')).toBe('no.test:443: deny')
    expect(await verdict('user.test', '--allow', 'user.test')).toBe('user.test:443: deny')
    const { stdout, code } = await anchorhold(world, ['run', '--', 'sh', '-c', 'touch made 2>/dev/null || echo readonly'])
    expect([code, stdout.startsWith('readonly')]).toEqual([0, true])
    const { stdout: policy } = await anchorhold(world, ['policy'])
    expect(policy).toMatch(/limit processes +50 .*anchorhold\.yaml:2/)
  })
})
