// anchorhold in a project that wants to run something on the host, or to decide where anchorhold keeps its things
// (attacks.md CFG-05, 06, 15, 21, 22, TRM-21, PER-31). Witness: canaries that every planted program and hook writes to, outside.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'
import { makeHostile } from './hostile.ts'

const commands: readonly (readonly string[])[] = [
  ['--version'],
  ['--help'],
  ['sessions', '--all'],
  ['log'],
  ['policy'],
  ['policy', '--allow', 'npm'],
  ['policy', 'schema'],
  ['explain', 'host', 'a.test'],
  ['explain', 'path', '.git/config'],
  ['explain', 'env', 'PATH'],
  ['trust', '--list'],
  ['trust'],
  ['init'],
  ['doctor'],
  ['doctor', '--json'],
  ['agents'],
  ['completion', 'bash'],
  ['run', '--dry-run', 'true'],
  ['run', '--dry-run', '--allow', 'npm', 'true'],
  ['run', '--', '/usr/bin/true'],
  ['run', '--workspace', 'readonly', '--', '/usr/bin/true'],
]

describe('CFG-21 CFG-06 CFG-22 PER-31 nothing of a hostile project runs on the host', () => {
  it.each(commands.map((args) => [args.join(' '), args] as const))('anchorhold %s', async (_line, args) => {
    const world = makeWorld()
    const hostile = makeHostile(world)
    const PATH = ['.', '', ...hostile.plants, ...(world.env['PATH'] ?? '').split(':')].join(':')
    const { code, stderr } = await anchorhold(world, args, { env: { ...hostile.env, PATH } })
    expect(hostile.fired()).toEqual([])
    // Which of them find what they look for: no session yet, nothing to approve, perhaps no agent here.
    expect(
      args[0] === 'log' || args.join() === 'trust' ? [125] : ['doctor', 'agents'].includes(args[0] ?? '') ? [0, 1] : [0],
      stderr,
    ).toContain(code)
  })

  it('CFG-21 control: git and a shell with the same folder, variables and PATH do fire', () => {
    const world = makeWorld()
    const hostile = makeHostile(world)
    spawnSync('/usr/bin/git', ['status'], { cwd: world.project, env: { PATH: '/usr/bin:/bin', HOME: world.home } })
    expect(hostile.fired()).toContain('evil')
    spawnSync('/usr/bin/env', ['git', 'status'], { cwd: world.project, env: { PATH: hostile.plants.join(':'), HOME: world.home } })
    expect(hostile.fired()).toEqual(['plant-git'])
    spawnSync(process.execPath, ['-e', '0'], { cwd: world.project, env: { ...hostile.env, PATH: '/usr/bin:/bin' } })
    expect(hostile.fired()).toContain('preload')
  })

  it('CFG-06 the loader is not bent either: LD_PRELOAD of the caller reaches no program of ours after the shell that unsets it', async () => {
    const world = makeWorld()
    const seen = path.join(world.home, 'loaded')
    const source = `#include <fcntl.h>\n#include <unistd.h>\n__attribute__((constructor)) static void c(void){char n[256];ssize_t l=readlink("/proc/self/exe",n,255);int f=open("${seen}",O_WRONLY|O_APPEND|O_CREAT,0600);if(l>0){n[l]=10;(void)!write(f,n,l+1);}close(f);}`
    writeFileSync(path.join(world.home, 'p.c'), source)
    const library = path.join(world.home, 'p.so')
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, path.join(world.home, 'p.c')])
    const { code } = await anchorhold(world, ['run', '--', 'true'], { env: { LD_PRELOAD: library } })
    expect(code).toBe(0)
    const programs = readFileSync(seen, 'utf8').trim().split('\n')
    expect(programs.length).toBeGreaterThan(0) // control: the shell that starts the launcher
    for (const program of programs) expect(program).not.toMatch(/node$|bwrap$|anchorhold|git$/)
  })

  it('TRM-21 what the cell writes into git set-up is not run by any later command', async () => {
    const world = makeWorld()
    execFileSync('git', ['init', '-q', world.project], { env: { PATH: '/usr/bin:/bin', HOME: world.home } })
    const canary = path.join(world.home, 'canary')
    const evil = path.join(world.project, 'evil.sh')
    writeFileSync(evil, `#!/bin/sh\necho fired >> ${canary}\n`, { mode: 0o755 })
    const script = [
      `git config core.fsmonitor ${evil}; git config diff.x.textconv ${evil}; git config filter.x.clean ${evil}; git config alias.st '!${evil}'; git config include.path ../more`,
      `printf '[core]\\n\\tfsmonitor = ${evil}\\n' > more; echo '* filter=x diff=x' > .gitattributes`,
      `cp evil.sh .git/hooks/pre-commit; mkdir -p bare/refs bare/objects; echo 'ref: refs/heads/x' > bare/HEAD; printf '[core]\\n\\tbare = true\\n\\tfsmonitor = ${evil}\\n' > bare/config`,
      `git init -q nested; git -C nested config core.fsmonitor ${evil}; echo 'gitdir: nested/.git' > sub; true`,
    ].join('\n')
    expect((await inCell(world, script)).code).toBe(0)
    for (const args of [['log'], ['sessions'], ['doctor'], ['policy'], ['init'], ['run', '--', 'true'], ['explain', 'path', 'evil.sh']])
      await anchorhold(world, args)
    expect(existsSync(canary)).toBe(false)
    // Nor by the user's own git afterwards, as far as the protected names reach.
    const git = (...args: readonly string[]) =>
      spawnSync('/usr/bin/git', args, { cwd: world.project, env: { PATH: '/usr/bin:/bin', HOME: world.home } })
    git('status')
    git('-C', 'nested', 'status')
    git('-C', 'bare', 'status')
    expect(existsSync(canary)).toBe(false)
    // Control: the same settings, written without a wall, do fire.
    git('config', 'core.fsmonitor', evil)
    git('status')
    expect(readFileSync(canary, 'utf8')).toContain('fired')
  })
})

describe('CFG-05 anchorhold keeps nothing where the agent could write', () => {
  it.each([
    ['XDG_CONFIG_HOME', '.config'],
    ['XDG_STATE_HOME', '.state'],
    ['XDG_DATA_HOME', '.data'],
    ['HOME', '.'],
    ['HOME', 'home'],
  ])('%s in the project (%s): refused', async (variable, place) => {
    const world = makeWorld()
    const folder = path.join(world.project, place)
    mkdirSync(folder, { recursive: true })
    const { code, stdout, stderr } = await anchorhold(world, ['run', '--', 'sh', '-c', 'echo ran; touch ran'], {
      env: { [variable]: folder },
    })
    expect([code, stdout]).toEqual([125, ''])
    expect(stderr).toMatch(/cannot be the project/)
    expect(existsSync(path.join(world.project, 'ran'))).toBe(false)
  })

  it('XDG folders that lead into the project through a link: refused', async () => {
    const world = makeWorld()
    mkdirSync(path.join(world.project, 'state'))
    symlinkSync(path.join(world.project, 'state'), path.join(world.home, 'link'))
    const { code, stdout } = await anchorhold(world, ['run', '--', 'echo', 'ran'], {
      env: { XDG_STATE_HOME: path.join(world.home, 'link') },
    })
    expect([code, stdout]).toEqual([125, ''])
  })

  it('relative and empty XDG folders are not followed (the specification), TMPDIR in the project holds nothing of ours', async () => {
    const world = makeWorld()
    mkdirSync(path.join(world.project, 'tmp'))
    const env = {
      XDG_STATE_HOME: 'state',
      XDG_CONFIG_HOME: '',
      XDG_DATA_HOME: './data',
      TMPDIR: path.join(world.project, 'tmp'),
      XDG_CACHE_HOME: 'cache',
      XDG_RUNTIME_DIR: world.project,
    }
    const { code, stdout } = await inCell(world, 'ls -A . tmp; echo "$TMPDIR $XDG_RUNTIME_DIR"', [], { env })
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\.:\ntmp\n\ntmp:\n\/tmp \/run\/user\/\d+\n$/)])
    expect(readdirSync(world.project)).toEqual(['tmp'])
    expect(readdirSync(path.join(world.project, 'tmp'))).toEqual([])
  })

  it.each(['symbolic link', 'hard link', 'link to its folder'])("the user's policy as a %s into the project: refused", async (how) => {
    const world = makeWorld()
    const inside = path.join(world.project, 'conf', 'policy.yaml')
    const own = path.join(world.home, '.config', 'anchorhold')
    mkdirSync(path.dirname(inside))
    writeFileSync(inside, 'network: { allow: [a.test] }\n', { mode: 0o600 })
    mkdirSync(path.dirname(own), { recursive: true })
    if (how === 'link to its folder') symlinkSync(path.dirname(inside), own)
    else {
      mkdirSync(own)
      if (how === 'hard link') linkSync(inside, path.join(own, 'policy.yaml'))
      else symlinkSync(inside, path.join(own, 'policy.yaml'))
    }
    const { code, stdout, stderr } = await anchorhold(world, ['run', '--', 'echo', 'ran'])
    expect([code, stdout]).toEqual([125, ''])
    expect(stderr).toMatch(/policy|project/)
  })

  it("control: the same policy in the user's own folder is followed", async () => {
    const world = makeWorld()
    const own = path.join(world.home, '.config', 'anchorhold')
    mkdirSync(own, { recursive: true })
    writeFileSync(path.join(own, 'policy.yaml'), 'env: { FROM: policy }\n', { mode: 0o600 })
    expect((await inCell(world, 'echo $FROM')).stdout).toBe('policy\n')
  })
})

it('CFG-15 every argument reaches the command as it was, whatever it holds; nothing after the name or -- is ours', async () => {
  const world = makeWorld()
  const args = [
    '',
    ' ',
    'a b',
    "'",
    '"',
    '$(touch made)',
    '`touch made`',
    '$HOME',
    '\\',
    'a\nb',
    '\t',
    '--',
    '-x',
    '--allow',
    '--allow=evil.test',
    '--version',
    '--help',
    '--json',
    '*',
    '~',
    '\u{1f600}',
    '\u00e9',
    ';touch made',
    '|',
    '&',
    '>made',
    '-',
    '=',
  ]
  for (const line of [
    ['run', '--', 'printf', '%s\\0', ...args],
    ['run', 'printf', '%s\\0', ...args],
    ['run', '--quiet', 'printf', '%s\\0', ...args],
  ]) {
    const { code, stdout } = await anchorhold(world, line)
    expect([code, stdout.split('\0').slice(0, -1)]).toEqual([0, args])
  }
  expect(readdirSync(world.project)).toEqual([])
})

it('CFG-15 a project whose name holds a line feed or other controls is refused', async () => {
  const world = makeWorld()
  for (const name of ['a\nb', 'a\x1b[2Jb', 'a\rb']) {
    const project = path.join(world.home, 'work', name)
    mkdirSync(project)
    const { code, stderr } = await anchorhold(world, ['run', '--', 'true'], { cwd: project })
    expect([code, /[\x1b\r]/.test(stderr)]).toEqual([125, false])
  }
})
