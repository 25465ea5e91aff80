// Paths in rules and mounts, in every spelling (attacks.md CFG-10..13).
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inCell, makeWorld, start } from '../support/anchorhold.ts'
import { expectRefused, ownPolicy } from './refusals.ts'

describe('CFG-13 mounts that would undo the wall', () => {
  it('are refused, however they are spelt, read-only as well', async () => {
    const world = makeWorld()
    const short = mkdtempSync(path.join(os.tmpdir(), 'ah-s-'))
    onTestFinished(() => rmSync(short, { recursive: true, force: true }))
    const socket = path.join(short, 'docker.sock')
    const server = net.createServer().listen(socket)
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    for (const name of ['.ssh', '.aws', '.gnupg', '.config', '.config/gh', '.docker', '.kube', '.local/share'])
      mkdirSync(path.join(world.home, name), { recursive: true })
    await inCell(world, 'true') // so that anchorhold's own folders exist
    const link = (name: string, target: string): string => {
      symlinkSync(target, path.join(world.home, name))
      return path.join(world.home, name)
    }
    const places = [
      '/',
      '/proc',
      '/sys',
      '/dev',
      '/run',
      '/proc/1',
      '/dev/kvm',
      '/home',
      '/var',
      '/tmp',
      '~',
      '~/',
      '~/.',
      '~/..',
      world.home,
      `${world.home}/`,
      `${world.home}/work/..`,
      path.dirname(world.home),
      socket,
      link('to-socket', socket),
      link('to-home', world.home),
      link('to-root', '/'),
      link('to-run', '/run'),
      '~/.ssh',
      '~/.aws',
      '~/.gnupg',
      '~/.config',
      '~/.config/gh',
      '~/.docker',
      '~/.kube',
      '~/.local/state/anchorhold',
      '~/.local/state/anchorhold/sessions',
      '~/.local/share/anchorhold',
      '~/.local/state',
      link('to-keys', path.join(world.home, '.ssh')),
      '',
      '~root',
      '$HOME',
      '/nowhere',
      'nowhere',
      'a\nb',
    ]
    for (const place of places.filter((each) => each !== '/dev/kvm' || existsSync(each))) {
      for (const mode of ['ro', 'rw']) await expectRefused(world, ['--mount', `${place}:${mode}`], /mount|can't be used/)
    }
    for (const place of ['/usr', '/etc', '/bin', '/boot', '/usr/local']) await expectRefused(world, ['--mount', `${place}:rw`], /mount/)
  }, 120_000)

  it('control: an ordinary folder, file and link to one are mounted, under their real names', async () => {
    const world = makeWorld()
    const shared = path.join(world.home, 'shared')
    mkdirSync(shared)
    writeFileSync(path.join(shared, 'x'), 'seen')
    symlinkSync(shared, path.join(world.home, 'alias'))
    expect((await inCell(world, `cat ${shared}/x`, ['--mount', path.join(world.home, 'alias')])).stdout).toBe('seen')
    expect((await inCell(world, `cat ${shared}/x`, ['--mount', `${shared}/x`])).stdout).toBe('seen')
    expect((await inCell(world, `cat ${shared}/x 2>/dev/null || echo none`)).stdout).toBe('none\n')
  })
})

describe('CFG-10 CFG-11 CFG-12 path rules', () => {
  it.each([
    'secret',
    './secret',
    '/secret',
    'secret/',
    'secret//',
    './/secret/./',
    '**/secret',
    'SECRET',
    '[s]ecret',
    's?cret',
    'sec*',
    'secret/key',
    './secret/key',
    'key',
    '**/key',
    'KEY',
    'k[e]y',
    'secret/**',
    'secret/*',
  ])('--hide %s hides secret/key', async (glob) => {
    const world = makeWorld()
    mkdirSync(path.join(world.project, 'secret'))
    writeFileSync(path.join(world.project, 'secret/key'), 'canary')
    writeFileSync(path.join(world.project, 'open'), 'seen')
    const { stdout } = await inCell(world, 'cat secret/key ./secret//key ../project/secret/key "$PWD/secret/key" 2>/dev/null; cat open', [
      '--hide',
      glob,
    ])
    expect(stdout).toBe('seen')
  })

  it.each(['[x]', 'a b', 'é', 'a*b', 'a\\b'])('a file that is literally named %j is hidden by its escaped name', async (name) => {
    const world = makeWorld()
    writeFileSync(path.join(world.project, name), 'canary')
    const glob = name.replace(/[[\]*?\\]/g, '\\$&')
    expect((await inCell(world, 'cat -- "$(ls)"', ['--hide', glob])).stdout).toBe('')
    expect((await inCell(world, 'cat -- "$(ls)"')).stdout).toBe('canary') // control
  })

  it('CFG-12 hidden beats protected beats mounted, at any depth, whichever source says it', async () => {
    const world = makeWorld()
    const shared = path.join(world.home, 'shared')
    mkdirSync(path.join(shared, 'a/b/c'), { recursive: true })
    for (const place of ['a/x', 'a/b/x', 'a/b/c/x', 'a/b/c/key']) writeFileSync(path.join(shared, place), 'seen')
    ownPolicy(world, `files: { mount: [{ path: ${shared}, mode: rw }, { path: ${shared}/a/b, mode: ro }], protect: [a/x], hide: [key] }\n`)
    const script = `cd ${shared}; for f in a/x a/b/x a/b/c/x a/b/c/key; do cat $f; echo w 2>/dev/null > $f && echo " $f written"; echo; done 2>/dev/null; echo w > a/new`
    const { stdout } = await inCell(world, script, ['--mount', `${shared}/a/b/c:rw`, '--hide', 'c/x'])
    expect(stdout).not.toMatch(/written/)
    expect(readdirSync(path.join(shared, 'a'))).toContain('new')
    for (const place of ['a/x', 'a/b/x', 'a/b/c/x', 'a/b/c/key']) expect(readFileSync(path.join(shared, place), 'utf8'), place).toBe('seen')
    expect(stdout.match(/seen/g)).toHaveLength(2) // a/x and a/b/x
  })
})

describe('CFG-11 hidden while the cell runs', () => {
  const script = 'touch ready; while [ ! -e go ]; do sleep 0.05; done; sleep 0.5; cat .env sub/key.pem; echo end'

  async function duringRun(change: (project: string) => void): Promise<string> {
    const world = makeWorld()
    mkdirSync(path.join(world.project, 'sub'))
    writeFileSync(path.join(world.project, '.env'), 'canary before\n')
    const { outcome } = start(world, ['run', '--hide', '*.pem', '--', 'sh', '-c', script])
    for (let waited = 0; !existsSync(path.join(world.project, 'ready')) && waited < 20_000; waited += 50) await sleep(50)
    change(world.project)
    writeFileSync(path.join(world.project, 'go'), '')
    return (await outcome).stdout
  }

  it('what was hidden at the start stays so when the host rewrites or replaces it', async () => {
    expect(await duringRun((project) => writeFileSync(path.join(project, '.env'), 'canary after\n'))).toBe('end\n')
    const replaced = await duringRun((project) => {
      writeFileSync(path.join(project, 'fresh'), 'canary after\n')
      renameSync(path.join(project, 'fresh'), path.join(project, '.env'))
    })
    expect(replaced).toBe('end\n')
  })

  it("LIMIT: a file that first appears under a hidden name during the run is taken for the cell's own work, and shown", async () => {
    expect(await duringRun((project) => writeFileSync(path.join(project, 'sub/key.pem'), 'late\n'))).toBe('late\nend\n')
  })
})
