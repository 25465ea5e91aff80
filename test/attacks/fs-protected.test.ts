// Attacks.md FS rows about the inside of a writable project: swapped parents, late and concurrent planting, hidden files, odd trees, further roots.
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { anchorhold, inCell, start } from '../support/anchorhold.ts'
import { git, gitWorld, quote, writeFiles } from '../support/repository.ts'

async function until(ready: () => boolean): Promise<void> {
  for (let tries = 0; !ready(); tries += 1) {
    if (tries > 1000) throw new Error('waited in vain')
    await sleep(10)
  }
}

const read = (...parts: readonly string[]) => readFileSync(path.join(...parts), 'utf8')

describe('parents', () => {
  const swaps: Readonly<Record<string, string>> = {
    renamed: 'mv a b; mkdir -p a/.vscode; echo evil > a/.vscode/tasks.json',
    'renamed and a link in its place': 'mkdir -p x/.vscode; echo evil > x/.vscode/tasks.json; mv a b; ln -s x a',
    'moved below something else': 'mkdir c; mv a c/a; mkdir -p a/.vscode; echo evil > a/.vscode/tasks.json',
    'exchanged and exchanged back': 'mv a b; mkdir -p a/.vscode; echo evil > a/.vscode/tasks.json; mv a x; mv b a; mv x b',
  }
  it.each(Object.entries(swaps))('FS-07 PER-11 %s: the real file keeps its bytes, no evil one stays', async (_what, script) => {
    const world = gitWorld()
    writeFiles(world.project, { 'a/.vscode/tasks.json': 'original' })
    await inCell(world, `${script}; echo ok > control`)
    const all = readdirSync(world.project, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('tasks.json'))
    expect(all.map((name) => read(world.project, name))).toEqual(['original'])
    expect(existsSync(path.join(world.project, 'control'))).toBe(true)
  })

  it('FS-05 a planted path whose parents become links while it is taken away leads nothing out', async () => {
    const world = gitWorld()
    const outside = path.join(world.home, 'work/other')
    writeFiles(outside, { '.vscode/tasks.json': 'of another project', '.envrc': 'of another project' })
    const { code } = await inCell(
      world,
      `for i in $(seq 150); do mkdir -p d/.vscode; echo e > d/.vscode/tasks.json; echo e > d/.envrc; rm -rf e; mv d e; ln -s ${quote(outside)} d; rm -f d; done 2>/dev/null; ln -s ${quote(outside)} d; echo ok > control`,
    )
    expect({
      code,
      link: lstatSync(path.join(world.project, 'd')).isSymbolicLink(),
      control: existsSync(path.join(world.project, 'control')),
    }).toEqual({ code: 0, link: true, control: true })
    expect([read(outside, '.vscode/tasks.json'), read(outside, '.envrc')]).toEqual(['of another project', 'of another project'])
    expect(readdirSync(outside).toSorted()).toEqual(['.envrc', '.vscode'])
  })

  it('FS-05 a further root whose parent becomes a link stays the folder it was, for the watch, the last look and git', async () => {
    const world = gitWorld()
    const outside = path.join(world.home, 'work/other')
    mkdirSync(path.join(world.project, 'a/b'), { recursive: true })
    for (const folder of [path.join(world.project, 'a/b'), path.join(outside, 'b')]) {
      mkdirSync(folder, { recursive: true })
      git(folder, 'init', '-q')
    }
    writeFiles(outside, { 'b/.envrc': 'of another project', 'b/.vscode/tasks.json': 'x' })
    const config = read(outside, 'b/.git/config')
    await inCell(
      world,
      `git -C a/b remote add evil https://git.example.test/x; mv a a2; ln -s ${quote(outside)} a; echo e > a2/b/.envrc; mkdir a2/b/.vscode; sleep 0.3; echo ok > control`,
      ['--mount', `${world.project}/a/b:rw`],
    )
    expect([read(outside, 'b/.envrc'), read(outside, 'b/.git/config')]).toEqual(['of another project', config])
    expect(existsSync(path.join(world.project, 'a2/b/.envrc'))).toBe(false)
    expect(existsSync(path.join(outside, 'b/.vscode/tasks.json'))).toBe(true)
  })

  it('FS-05 putting back goes through no link and over no file', async () => {
    const world = gitWorld()
    const outside = path.join(world.home, 'work/other')
    mkdirSync(outside)
    const { stderr } = await inCell(world, 'mkdir d; echo planted > d/.envrc')
    const session = /restore (\S+) d\/\.envrc/.exec(stderr)?.[1] ?? ''
    rmSync(path.join(world.project, 'd'), { recursive: true })
    symlinkSync(outside, path.join(world.project, 'd'))
    expect((await anchorhold(world, ['restore', session, 'd/.envrc'])).code).not.toBe(0)
    expect(readdirSync(outside)).toEqual([])
    rmSync(path.join(world.project, 'd'))
    writeFiles(world.project, { 'd/.envrc': 'mine' })
    expect((await anchorhold(world, ['restore', session, 'd/.envrc'])).code).not.toBe(0)
    expect(read(world.project, 'd/.envrc')).toBe('mine')
    rmSync(path.join(world.project, 'd'), { recursive: true })
    expect((await anchorhold(world, ['restore', session, 'd/.envrc'])).code).toBe(0)
    expect(read(world.project, 'd/.envrc')).toBe('planted\n')
  })

  it('FS-10 a second name of a planted file does not outlive its putting back', async () => {
    const world = gitWorld()
    const { stderr } = await inCell(
      world,
      'mkdir x; echo fine > x/tasks.json; ln x/tasks.json alias; mv x .vscode; echo fine > y; ln y alias2; mv y .envrc',
    )
    const session = /restore (\S+) \.vscode/.exec(stderr)?.[1] ?? ''
    for (const name of ['.vscode', '.envrc']) expect((await anchorhold(world, ['restore', session, name])).code).toBe(0)
    await inCell(world, 'echo evil > alias; echo evil > alias2')
    expect([read(world.project, '.vscode/tasks.json'), read(world.project, '.envrc'), read(world.project, 'alias')]).toEqual([
      'fine\n',
      'fine\n',
      'evil\n',
    ])
  })
})

describe('moments', () => {
  it.each([
    ['in the last moment', 'sleep 0.2; echo e > .envrc'],
    [
      'by a child that outlives the command',
      '(while :; do echo e > .envrc; mkdir -p .vscode; echo e > .vscode/tasks.json; done) & sleep 0.3',
    ],
    ['again and again', 'for i in $(seq 400); do echo e > .envrc; mkdir -p .vscode; echo e > .vscode/tasks.json; done'],
    ['under a changing name', 'for i in $(seq 300); do echo e > x$i; mv x$i .envrc; done'],
    ['by a child of its own session', 'setsid sh -c "while :; do echo e > .envrc; done" & sleep 0.2'],
  ])('FS-07 planted %s it does not stay', async (_what, script) => {
    const world = gitWorld()
    await inCell(world, `(${script}) 2>/dev/null; echo ok > control`)
    expect(
      readdirSync(world.project)
        .toSorted()
        .filter((name) => !/^x\d/.test(name)),
    ).toEqual(['.git', 'a.txt', 'control'])
  })

  it('FS-07 who plants on and on is not left in peace: most of the time nothing is there', async () => {
    const world = gitWorld()
    const { outcome } = start(world, [
      'run',
      '--',
      'sh',
      '-c',
      'touch up; end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do [ -e .envrc ] || { echo e > .envrc; sleep 0.02; }; sleep 0.01; done',
    ])
    await until(() => existsSync(path.join(world.project, 'up')))
    await sleep(1200)
    let longest = 0
    let since = 0
    for (const end = Date.now() + 1200; Date.now() < end; await sleep(2)) {
      const info = lstatSync(path.join(world.project, '.envrc'), { throwIfNoEntry: false, bigint: true })
      since = info === undefined ? 0 : Date.now() - Number(info.ctimeMs)
      longest = Math.max(longest, since)
    }
    await outcome
    expect(longest).toBeLessThan(600)
  })

  it('PER-08 an existing .gitmodules that is changed in place is taken while the agent works, and can come back', async () => {
    const world = gitWorld()
    writeFiles(world.project, { '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = https://git.example.test/x\n' })
    const { stdout, stderr } = await inCell(world, `sleep 0.4; printf '\\tupdate = !touch x\\n' >> .gitmodules; sleep 0.4; ls -A`)
    expect(stdout).not.toContain('.gitmodules')
    expect(stderr).toMatch(/\.gitmodules.*update/)
  })

  it('FS-25 five cells at once: each one’s planted files go, no protection is lost, the host’s replacement is protected anew', async () => {
    const world = gitWorld()
    writeFiles(world.project, { '.envrc': 'original', '.mcp.json': '{}' })
    const cells = Array.from({ length: 5 }, (_, index) =>
      inCell(
        world,
        `touch up${index}; while [ ! -e go ]; do sleep 0.05; done; echo evil > .envrc; echo evil > .mcp.json; mkdir -p s${index}/.vscode; echo e > s${index}/.vscode/tasks.json; git remote add r${index} https://git.example.test/${index}; touch done${index}`,
      ),
    )
    await until(() => [0, 1, 2, 3, 4].every((index) => existsSync(path.join(world.project, `up${index}`))))
    writeFileSync(path.join(world.project, '.envrc.new'), 'replaced by the host')
    renameSync(path.join(world.project, '.envrc.new'), path.join(world.project, '.envrc'))
    await sleep(700)
    writeFileSync(path.join(world.project, 'go'), '')
    await Promise.all(cells)
    expect([read(world.project, '.envrc'), read(world.project, '.mcp.json')]).toEqual(['replaced by the host', '{}'])
    expect(
      readdirSync(world.project, { recursive: true })
        .map(String)
        .filter((name) => name.includes('.vscode')),
    ).toEqual([])
    expect(git(world.project, 'remote').trim().split('\n').toSorted()).toEqual(['r0', 'r1', 'r2', 'r3', 'r4'])
  })
})

describe('FS-30 hidden files', () => {
  const ways = [
    'cat F',
    'cp F /tmp/c && cat /tmp/c',
    'cat < F',
    'cat ./F',
    'cat deep/../F',
    'cat "$PWD/F"',
    'cat /proc/self/cwd/F',
    'cat "/proc/self/root$PWD/F"',
    'dd if=F',
    'tar cf - F',
    'mv F g && cat g',
    'ln F h && cat h',
    'ln -s F l && cat l',
    'cp -r . /tmp/all && cat /tmp/all/F',
    'rm F; cat F',
    'perl -e "open F, q(<F); print <F>"',
    'exec 5<F; cat <&5',
    'cat F~ F.bak',
    'mkdir n; cd n; cat ../F',
    'mv deep deeper; cat deeper/F',
    'git hash-object -w F >/dev/null; git cat-file --batch --batch-all-objects',
    'grep -r value-of .',
    'git grep --no-index value-of',
    'find . -type f -exec cat {} +',
  ]
  it('no way of reading gives their bytes; the control is an ordinary file', async () => {
    const world = gitWorld()
    writeFiles(world.project, {
      '.env': 'KEY=value-of-env',
      'deep/.env': 'KEY=value-of-env',
      'keys/x.key': 'value-of-env',
      '.env.local': 'value-of-env',
      'we [ird]*.txt': 'value-of-env',
      plain: 'value-of-plain',
    })
    const { stdout } = await inCell(
      world,
      `{ ${ways.map((way) => `(${way.replaceAll('F', '.env')})`).join('; ')}; cat keys/x.key .env.local we*; ls keys; cat plain; } 2>/dev/null`,
      ['--hide', 'keys/', '--hide', 'we \\[ird\\]\\*.txt'],
    )
    expect(stdout).not.toContain('value-of-env')
    expect(stdout).toContain('value-of-plain')
    for (const name of ['.env', 'deeper/.env', '.env.local', 'keys/x.key', 'we [ird]*.txt'])
      expect(read(world.project, name), name).toContain('value-of-env')
  })

  it('LIMIT: what git has of them is readable, and the start says so; index versions 2 and 4', async () => {
    for (const version of ['2', '4']) {
      const world = gitWorld()
      writeFiles(world.project, { '.env': 'KEY=value-of-env', 'sub/.env.local': 'x' })
      git(world.project, 'update-index', '--index-version', version)
      git(world.project, 'add', '-f', '-A')
      git(world.project, 'commit', '-qm', 'a mistake')
      const { stdout, stderr } = await inCell(world, 'git show HEAD:.env')
      expect(stdout).toBe('KEY=value-of-env')
      expect(stderr).toMatch(/\.env.*tracked by git/)
      expect(stderr).toContain('sub/.env.local')
    }
  })
})
