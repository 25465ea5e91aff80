// `anchorhold secret scan` as a user types it: files, what is staged, what a session left. The value is never shown.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'
import { git, gitWorld, writeFiles } from '../support/repository.ts'

const value = 'hunter2-Zq8rTtuV0wXyzA2bC3'
const pat = ['ghp', 'abcdefghijklmnopqrstuvwxyz0123456789'].join('_')

interface Report {
  readonly findings: readonly {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly kind: string
    readonly name: string
    readonly form?: string
  }[]
  readonly files: number
  readonly searched: readonly string[]
  readonly missing: readonly { readonly name: string }[]
  readonly unread: readonly { readonly file: string; readonly reason: string }[]
}

it('finds values of the environment, of the store and of the policy, and formats; shows none of them; exit code 1', async () => {
  const world = makeWorld()
  const stored = 'stored-value-0123456789'
  expect((await anchorhold(world, ['secret', 'set', 'STORED'], { input: stored })).code).toBe(0)
  writeFiles(world.project, {
    'a.txt': `one\nkey ${value}\n`,
    'deep/b.bin': `\0\0${Buffer.from(stored).toString('base64')}`,
    'c.env': `TOKEN=${pat}\n`,
    'fine.txt': 'nothing here\n',
  })
  symlinkSync('/etc/passwd', path.join(world.project, 'link'))
  const found = await anchorhold(world, ['secret', 'scan'], { env: { MY_API_TOKEN: value } })
  expect(found.code).toBe(1)
  expect(found.stdout.split('\n').filter(Boolean)).toEqual([
    'a.txt:2:5  the value of MY_API_TOKEN (as it is)',
    'c.env:1:7  looks like: GitHub Token',
    'deep/b.bin:1:3  the value of STORED (base64)',
  ])
  expect(found.stderr).toContain('3 findings in 3 files; 4 files read.')
  const json = await anchorhold(world, ['secret', 'scan', '--json', 'a.txt', 'fine.txt'], { env: { MY_API_TOKEN: value } })
  const report = JSON.parse(json.stdout) as Report
  expect(report).toMatchObject({
    findings: [{ file: 'a.txt', line: 2, column: 5, kind: 'known', name: 'MY_API_TOKEN' }],
    files: 2,
    unread: [],
  })
  expect(report.searched.toSorted()).toEqual(['MY_API_TOKEN', 'STORED'])
  for (const text of [found.stdout, found.stderr, json.stdout]) expect(text).not.toMatch(new RegExp(`${value}|${stored}|${pat}`))
})

it('says so where there is nothing, and exits 0; a path that is not there is an error, and so are two questions at once', async () => {
  const world = makeWorld()
  writeFileSync(path.join(world.project, 'fine.txt'), 'nothing\n')
  const fine = await anchorhold(world, ['secret', 'scan'])
  expect([fine.code, fine.stdout]).toEqual([0, ''])
  expect(fine.stderr).toContain('No secret found: 1 file read')
  const missing = await anchorhold(world, ['secret', 'scan', 'nowhere'])
  expect([missing.code, missing.stderr]).toEqual([125, expect.stringContaining('nowhere cannot be scanned: ENOENT')])
  expect((await anchorhold(world, ['secret', 'scan', '--staged', 'fine.txt'])).stderr).toContain('cannot be given together')
})

it('staged: what the next commit would hold, not what lies beside it, and before the first commit too', async () => {
  const world = makeWorld()
  git(world.project, 'init', '-q')
  writeFiles(world.project, { 'staged.txt': `x ${pat}\n`, 'not staged.txt': `${pat}\n` })
  git(world.project, 'add', 'staged.txt')
  writeFiles(world.project, { 'staged.txt': 'clean now, but staged is staged\n', '.gitattributes': '* diff=evil filter=evil\n' })
  git(world.project, 'config', 'diff.evil.textconv', 'touch ran')
  git(world.project, 'config', 'core.fsmonitor', 'touch ran; false')
  const found = await anchorhold(world, ['secret', 'scan', '--staged'])
  expect([found.code, found.stdout.trim()]).toEqual([1, 'staged.txt:1:3  looks like: GitHub Token'])
  execFileSync('test', ['!', '-e', path.join(world.project, 'ran')])
  const outside = makeWorld()
  expect((await anchorhold(outside, ['secret', 'scan', '--staged'])).stderr).toContain('nothing staged can be scanned')
})

it('staged binary content is looked at byte by byte: UTF-16 in both orders, and bytes that are no UTF-8 around a value', async () => {
  const world = makeWorld()
  git(world.project, 'init', '-q')
  const little = Buffer.from(`\ufeffkey = ${value}\n`, 'utf16le')
  const odd = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0xe9]), Buffer.from(value), Buffer.from([0xff, 0x80])])
  writeFiles(world.project, {})
  for (const [name, bytes] of Object.entries({ 'big.txt': Buffer.from(little).swap16(), 'little.txt': little, 'odd.bin': odd }))
    writeFileSync(path.join(world.project, name), bytes)
  git(world.project, 'add', '-A')
  const found = await anchorhold(world, ['secret', 'scan', '--staged', '--json'], { env: { MY_API_TOKEN: value } })
  const report = JSON.parse(found.stdout) as Report
  expect(report.findings.map(({ file, form, column }) => [file, form, column])).toEqual([
    ['big.txt', 'UTF-16', 16],
    ['little.txt', 'UTF-16', 15],
    ['odd.bin', 'as it is', 7],
  ])
})

it('a session: the files it changed and its transcript, not what was there before', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'old.txt': `${value}\n` })
  await new Promise((resolve) => setTimeout(resolve, 20)) // the old file's ctime must be before the session's
  const run = await inCell(
    world,
    `printf '%s\\n' ${pat} > new.txt; mkdir -p ~/.agent; printf 'said %s\\n' ${pat} > ~/.agent/transcript.jsonl`,
    ['--name', 'one'],
  )
  expect(run.code, run.stderr).toBe(0)
  const found = await anchorhold(world, ['secret', 'scan', '--session', 'one'], { env: { MY_API_TOKEN: value } })
  expect(found.stdout.trim().split('\n')).toEqual([
    'new.txt:1:1  looks like: GitHub Token',
    'home:/.agent/transcript.jsonl:1:6  looks like: GitHub Token',
  ])
  const review = await inCell(world, `printf '%s\\n' ${pat} > proposed.txt`, ['--workspace', 'review', '--name', 'two'])
  expect(review.code, review.stderr).toBe(0)
  const proposed = await anchorhold(world, ['secret', 'scan', '--session', 'two', '--json'], { env: { MY_API_TOKEN: value } })
  expect((JSON.parse(proposed.stdout) as Report).findings.map(({ file }) => file)).toContain('proposed.txt')
})

it('a secret whose value has to be asked for is named as not looked for', async () => {
  const world = makeWorld()
  mkdirSync(path.join(world.home, '.config', 'anchorhold'), { recursive: true })
  const policy = { secrets: [{ name: 'VAULT', from: { command: ['touch', 'ran'] }, hosts: ['api.thing.test'] }] }
  writeFileSync(path.join(world.home, '.config', 'anchorhold', 'policy.yaml'), JSON.stringify(policy))
  const done = await anchorhold(world, ['secret', 'scan'])
  expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('not looked for: VAULT: its command is not asked for a scan')])
})

it('what an agent proposes is looked through for the user’s own values before it is applied; a word that is a password is none', async () => {
  const world = gitWorld()
  const made = `printf 'one\\nk: ${Buffer.from(value).toString('base64')}\\n' > kept.txt; mkdir vendor; printf '%s' ${value} > vendor/other; echo secretsauce > soup`
  const env = { MY_API_TOKEN: value, DB_PASSWORD: 'secretsauce' }
  const ran = await inCell(world, made, ['--workspace', 'review'], { env })
  expect(ran.code, ran.stderr).toBe(0)
  expect(ran.stderr).toContain('3 files changed, 2 need your eyes')
  const diff = await anchorhold(world, ['diff'], { env })
  expect(diff.stdout).toContain('the value of your secret MY_API_TOKEN')
  expect(diff.stdout.match(/MY_API_TOKEN/g)).toHaveLength(2)
  expect(diff.stdout).not.toContain('DB_PASSWORD')
  const applied = await anchorhold(world, ['apply', '--all'], { env })
  expect(applied.stdout + applied.stderr).toMatch(/kept\.txt/)
  expect(existsSync(path.join(world.project, 'soup'))).toBe(true)
  expect(existsSync(path.join(world.project, 'kept.txt'))).toBe(false)
  expect(existsSync(path.join(world.project, 'vendor/other'))).toBe(false)
  for (const { stdout, stderr } of [diff, applied]) expect(`${stdout}${stderr}`).not.toMatch(new RegExp(`[^+]${value}`))
})
