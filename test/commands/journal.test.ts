// `log`, `sessions`, `completion` and `doctor` as a user types them, from their sources.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { capture, type Captured } from '../../src/host/process.ts'
import { journalFile } from '../../src/session/folders.ts'
import type { Session } from '../../src/session/open.ts'
import { makeStateDir, newSession } from '../session/support.ts'

const cli = path.resolve(import.meta.dirname, '../../src/cli.ts')

interface World {
  readonly home: string
  readonly project: string
  readonly stateDir: string
  readonly env: Readonly<Record<string, string>>
}

function makeWorld(): World {
  const home = path.dirname(makeStateDir())
  const project = path.join(home, 'project')
  mkdirSync(project)
  const stateDir = path.join(home, 'state', 'anchorhold')
  return {
    home,
    project: realpathSync(project),
    stateDir,
    env: { HOME: home, XDG_STATE_HOME: path.join(home, 'state'), PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8' },
  }
}

function anchorhold(world: World, ...args: readonly string[]): Promise<Captured> {
  return capture([process.execPath, cli, ...args], { cwd: world.project, env: world.env, timeoutMilliseconds: 30_000 })
}

function open(world: World, more: { readonly project?: string; readonly name?: string; readonly dryRun?: boolean } = {}): Promise<Session> {
  return newSession(world.stateDir, { project: world.project, ...more })
}

test('log shows the newest session of the project, hostile text made visible', async () => {
  const world = makeWorld()
  const session = await open(world)
  session.emit({
    kind: 'network.refused',
    host: 'evil\u001b]0;title\u0007\u202e.test',
    port: 443,
    how: 'dns',
    code: 'not-listed',
    reason: 'no\rrule\nnames it',
  })
  await session.close(0)
  const other = await open(world, { project: '/elsewhere' })
  await other.close(0)
  const shown = await anchorhold(world, 'log')
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  expect(shown.stdout).toContain('refused evil\\x1b]0;title\\x07\\u202e.test:443 (dns): no\\rrule\\nnames it')
  expect(shown.stdout.split('\n')).toHaveLength(2)
  const json = await anchorhold(world, 'log', session.id, '--json')
  expect(json.stdout).toMatch(/^[ -~]*\n$/)
  expect(JSON.parse(json.stdout)).toMatchObject({ event: { host: 'evil\u001b]0;title\u0007\u202e.test' } })
})

test('log beside a dry run shows the newest session that ran; by its id the dry run too', async () => {
  const world = makeWorld()
  const ran = await open(world)
  ran.emit({ kind: 'warning', code: 'some/code', message: 'this one ran' })
  await ran.close(0)
  const dry = await open(world, { dryRun: true })
  dry.emit({ kind: 'warning', code: 'some/code', message: 'this one does not' })
  expect((await anchorhold(world, 'log')).stdout).toContain('this one ran')
  expect((await anchorhold(world, 'log', dry.id)).stdout).toContain('this one does not')
  await dry.close(0)
})

test('log --verify: 0 where the journal is intact, 1 with the line where it is not', async () => {
  const world = makeWorld()
  const session = await open(world, { name: 'tried' })
  for (let index = 0; index < 3; index += 1) session.emit({ kind: 'warning', code: 'test', message: `m${index}` })
  expect(await anchorhold(world, 'log', 'tried', '--verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('no recorded end') })
  await session.close(0)
  expect(await anchorhold(world, 'log', 'tried', '--verify')).toMatchObject({
    code: 0,
    stdout: `${session.id}: 3 lines, intact to the end\n`,
  })
  const file = journalFile(session.folder)
  writeFileSync(file, readFileSync(file, 'utf8').replace('m1', 'mX'))
  const changed = await anchorhold(world, 'log', 'tried', '--verify')
  expect(changed).toMatchObject({ code: 1, stdout: '' })
  expect(changed.stderr).toContain('line 2')
  const json = await anchorhold(world, 'log', 'tried', '--verify', '--json')
  expect([json.code, JSON.parse(json.stdout)]).toMatchObject([1, { ok: false, line: 2 }])
})

test.each(['log', 'sessions'])('%s --json ends quietly when its reader goes away', async (command) => {
  const world = makeWorld()
  const session = await open(world)
  for (let i = 0; i < 4_000; i += 1) session.emit({ kind: 'warning', code: 'some/code', message: 'x'.repeat(500) })
  await session.close(0)
  for (let i = 0; i < (command === 'sessions' ? 300 : 0); i += 1) await (await open(world, { name: `n${i}` })).close(0)
  const child = spawn(process.execPath, [cli, command, '--json'], { cwd: world.project, env: world.env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stdout.once('data', () => child.stdout.destroy())
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  expect({ code, signal, said }).toEqual({ code: 0, signal: null, said: '' })
})

test('log --follow ends with the session', async () => {
  const world = makeWorld()
  const session = await open(world)
  session.emit({ kind: 'warning', code: 'test', message: 'early' })
  const child = spawn(process.execPath, [cli, 'log', '--follow'], {
    cwd: world.project,
    env: world.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(child.stdout, 'data')
  session.emit({ kind: 'warning', code: 'test', message: 'late' })
  await session.close(0)
  const [code] = (await once(child, 'close')) as [number]
  const text = Buffer.concat(chunks).toString()
  expect([code, text.includes('early'), text.includes('late')]).toEqual([0, true, true])
})

test('sessions lists those of the project, all with --all, damaged ones as such', async () => {
  const world = makeWorld()
  expect(await anchorhold(world, 'sessions')).toMatchObject({ code: 0, stdout: expect.stringContaining('No session of') })
  const mine = await open(world, { name: 'mine' })
  await mine.close(3)
  const other = await open(world, { project: '/elsewhere' })
  const damaged = await open(world)
  await damaged.close(0)
  appendFileSync(path.join(damaged.folder, 'record.json'), 'x')
  const own = await anchorhold(world, 'sessions')
  expect(own.stdout).toMatch(new RegExp(`${mine.id} +mine +ended \\(3\\)`))
  expect(own.stdout).not.toContain(other.id)
  const all = await anchorhold(world, 'sessions', '--all')
  expect(all.stdout).toMatch(new RegExp(`${other.id} +running`))
  expect(all.stdout).toMatch(new RegExp(`${damaged.id} +damaged`))
  const rows = (await anchorhold(world, 'sessions', '--all', '--json')).stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  expect(rows).toHaveLength(3)
  await other.close(0)
  expect((await anchorhold(world, 'sessions', 'prune', '--days', '0')).stdout).toMatch(/^2 sessions removed\nkept /)
  expect(await anchorhold(world, 'sessions', 'prune', '--days', 'x')).toMatchObject({
    code: 125,
    stderr: expect.stringContaining('not a number of days'),
  })
})

test('a wrong id says so; with --json as JSON', async () => {
  const world = makeWorld()
  expect(await anchorhold(world, 'log', 'nothing')).toMatchObject({
    code: 125,
    stdout: '',
    stderr: expect.stringContaining('No session has the id or name "nothing"'),
  })
  const json = await anchorhold(world, 'log', 'nothing', '--json')
  expect(JSON.parse(json.stderr)).toMatchObject({ exitCode: 125, error: { code: 'session/unknown' } })
})

test('completion knows every command; another shell is refused', async () => {
  const world = makeWorld()
  const bash = await anchorhold(world, 'completion', 'bash')
  expect(bash.stderr).toBe('')
  for (const command of ['run', 'demo', 'policy', 'explain', 'trust', 'init', 'sessions', 'sessions prune', 'log', 'doctor'])
    expect(bash.stdout).toContain(`'${command}')`)
  expect(await anchorhold(world, 'completion', 'tcsh')).toMatchObject({ code: 125, stderr: expect.stringContaining('bash, zsh or fish') })
})

test('doctor says what is there and whether a run would work', async () => {
  const world = makeWorld()
  const json = await anchorhold(world, 'doctor', '--json')
  expect(json.stderr).toBe('')
  const report = JSON.parse(json.stdout) as { ready: boolean; sections: { title: string; findings: { id: string; level: string }[] }[] }
  expect(json.code).toBe(report.ready ? 0 : 1)
  const ids = report.sections.flatMap(({ findings }) => findings.map(({ id }) => id))
  for (const id of ['kernel', 'node', 'user-namespaces', 'apparmor', 'native', 'inotify', 'cgroups', 'state', 'leftovers'])
    expect(ids).toContain(id)
  const human = await anchorhold(world, 'doctor')
  expect(human.code).toBe(json.code)
  expect(human.stdout).toMatch(/^This machine\n/)
})
