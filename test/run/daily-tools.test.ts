// The daily work of editors, package managers, compilers and file tools inside a cell; the host sees the result.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { inCell, makeWorld, type World } from '../support/anchorhold.ts'
import { gitWorld, writeFiles } from '../support/repository.ts'

async function works(
  world: World,
  script: string,
  ...options: readonly string[]
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { code, stdout, stderr } = await inCell(world, `set -e\n${script}`, options)
  expect({ code, stderr: code === 0 ? '' : stderr, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', stdout: '' })
  return { stdout, stderr }
}

/** A package without dependencies, as `npm pack` makes it, so that nothing is fetched. */
function packed(world: World, name: string, scripts: Readonly<Record<string, string>> = {}, bin = ''): void {
  const folder = path.join(world.home, 'packages', name, 'package')
  writeFiles(folder, {
    'package.json': JSON.stringify({ name, version: '1.0.0', bin: bin === '' ? undefined : { [name]: 'cli.js' }, scripts }),
    'cli.js': `#!/usr/bin/env node\n${bin}\n`,
    'index.js': 'module.exports = 42\n',
  })
  execFileSync('tar', ['czf', path.join(world.project, `${name}-1.0.0.tgz`), '-C', path.dirname(folder), 'package'])
}

describe('package managers', () => {
  it('npm init, install from a file, run, ci; what they make is the user’s', async () => {
    const world = gitWorld()
    packed(world, 'small', {}, 'console.log("small")')
    const { stdout } = await works(
      world,
      'npm init -y >/dev/null; npm install --no-audit --no-fund --offline ./small-1.0.0.tgz >/dev/null; node -p "require(\'small\')"; npx --offline small; rm -rf node_modules; npm ci --no-audit --no-fund --offline >/dev/null; npm ls >/dev/null; npm pkg set scripts.x="echo ran"; npm run -s x',
    )
    expect(stdout).toBe('42\nsmall\nran\n')
    expect(statSync(path.join(world.project, 'node_modules/small/index.js')).uid).toBe(process.getuid?.())
    expect(execFileSync('node', ['-p', 'require("small")'], { cwd: world.project }).toString()).toBe('42\n')
  })

  it('a husky prepare script: the install goes on, the hook folder it plants is taken out and named', async () => {
    const world = gitWorld()
    writeFiles(world.project, {
      'package.json': JSON.stringify({
        name: 'p',
        version: '1.0.0',
        scripts: { prepare: 'git config core.hooksPath .husky/_; mkdir -p .husky/_; echo x > .husky/_/pre-commit' },
      }),
    })
    const { stderr } = await works(world, 'npm install --no-audit --no-fund --offline >/dev/null; sleep 0.2; echo done')
    expect(existsSync(path.join(world.project, '.husky'))).toBe(false)
    expect(stderr).toMatch(/\.husky.*anchorhold restore/)
    expect(stderr).toMatch(/core\.hookspath/i)
    expect(readFileSync(path.join(world.project, '.git/config'), 'utf8')).not.toMatch(/hookspath/i)
  })

  it('a husky prepare script where the hooks are there already: they stay and the install goes on', async () => {
    const world = gitWorld()
    writeFiles(world.project, {
      '.husky/pre-commit': 'npm test\n',
      'package.json': JSON.stringify({ name: 'p', version: '1.0.0', scripts: { prepare: 'git config core.hooksPath .husky/_' } }),
    })
    execFileSync('git', ['config', 'core.hooksPath', '.husky/_'], { cwd: world.project })
    await works(world, 'npm install --no-audit --no-fund --offline >/dev/null')
    expect(readFileSync(path.join(world.project, '.husky/pre-commit'), 'utf8')).toBe('npm test\n')
  })

  it('make and cc; a virtual environment where Python is installed', async () => {
    const world = gitWorld()
    writeFiles(world.project, {
      'main.c': '#include <stdio.h>\nint main(void) { puts("made"); return 0; }\n',
      Makefile: 'main: main.c\n\tcc -o main main.c\n',
    })
    const { stdout } = await works(
      world,
      'if command -v make >/dev/null; then make -s; else cc -o main main.c; fi; ./main; if python3 -c "import venv, ensurepip" 2>/dev/null; then python3 -m venv .venv && .venv/bin/python -c "print(1)"; else echo 1; fi',
    )
    expect(stdout).toBe('made\n1\n')
    expect(execFileSync(path.join(world.project, 'main')).toString()).toBe('made\n')
  })
})

describe('file tools', () => {
  it('cp -r, grep -r, find -delete, tar, rsync-like moves with protected and hidden files about', async () => {
    const world = gitWorld()
    writeFiles(world.project, { '.env': 'value', '.vscode/settings.json': '{}', '.envrc': 'x', 'build/a/b': 'x', 'src/x.c': 'needle' })
    const { stdout } = await works(
      world,
      'cp -r . /tmp/copy; cp -a . /tmp/copy2; grep -r needle . | wc -l; find build -delete; [ ! -e build ]; tar cf /tmp/t.tar .; mkdir out; tar xf /tmp/t.tar -C /tmp; du -s . >/dev/null; ls -laR . >/dev/null; find . -newer a.txt >/dev/null; chmod -R u+w src; diff -r src /tmp/copy/src',
    )
    expect(stdout.trim()).toBe('1')
  })

  it('editors’ atomic saves, backups, locks and renames', async () => {
    const world = gitWorld()
    writeFileSync(path.join(world.project, 'file.txt'), 'old\n', { mode: 0o640 })
    await works(
      world,
      'echo new > file.txt.tmp; chmod --reference=file.txt file.txt.tmp; mv file.txt.tmp file.txt; echo swap > .file.txt.swp; rm .file.txt.swp; cp file.txt file.txt~; sed -i s/new/newer/ file.txt; perl -pi -e s/newer/newest/ file.txt; ln -s user@host:1 .#file.txt; rm .#file.txt; sync file.txt',
    )
    expect(readFileSync(path.join(world.project, 'file.txt'), 'utf8')).toBe('newest\n')
    expect((statSync(path.join(world.project, 'file.txt')).mode & 0o777).toString(8)).toBe('640')
  })

  it('watchers inside see changes of both sides, the host’s watcher those of the cell', async () => {
    const world = gitWorld()
    const script = `const fs = require('fs'); const seen = new Set(); fs.watch('.', (_, name) => { seen.add(name); if (seen.has('inner') && seen.has('outer')) { console.log('seen'); process.exit(0) } }); fs.writeFileSync('ready', ''); setInterval(() => fs.writeFileSync('inner', String(Date.now())), 50)`
    writeFileSync(path.join(world.project, 'watch.js'), script)
    const timer = setInterval(() => {
      if (existsSync(path.join(world.project, 'ready'))) writeFileSync(path.join(world.project, 'outer'), String(Date.now()))
    }, 50)
    try {
      expect((await works(world, 'timeout 20 node watch.js')).stdout).toBe('seen\n')
    } finally {
      clearInterval(timer)
    }
  })

  it('sparse files, hard links, long paths, case, odd names, times, locks, memory maps', async () => {
    const world = gitWorld()
    const { stdout } = await works(
      world,
      `truncate -s 100M sparse; [ $(du -k sparse | cut -f1) -lt 1000 ]; echo x > one; ln one two; [ $(stat -c %h one) = 2 ]; echo a > Case; echo b > case; cat Case case
      perl -e 'for (1..15) { mkdir "n" x 250; chdir "n" x 250 or die } open F, ">leaf" or die'; find . -name leaf | wc -l
      touch -d 2001-02-03 old; stat -c %y old | cut -c1-10; flock one true; mkfifo pipe; (echo through > pipe &) ; cat pipe; touch -- '-rf' 'a b' 'new
line' "q'\\""; ls -1b | wc -l; python3 -c 'import mmap; f = open("m", "w+b"); f.truncate(10); m = mmap.mmap(f.fileno(), 10); m[:1] = b"x"' 2>/dev/null || printf x > m; head -c1 m`,
    )
    expect(stdout.split('\n').slice(0, 5)).toEqual(['a', 'b', '1', '2001-02-03', 'through'])
    expect(readFileSync(path.join(world.project, 'm'), 'latin1').slice(0, 1)).toBe('x')
    expect(readdirSync(world.project)).toEqual(expect.arrayContaining(['Case', 'case', '-rf', 'a b', 'new\nline', `q'"`]))
    execFileSync('rm', ['-rf', path.join(world.project, 'n'.repeat(250))])
  })

  it('a tree of 20,000 files: git, find and deletion work, and what is planted in it is found', async () => {
    const world = gitWorld()
    for (let folder = 0; folder < 200; folder += 1) {
      mkdirSync(path.join(world.project, `d${folder}`))
      for (let file = 0; file < 100; file += 1) writeFileSync(path.join(world.project, `d${folder}/f${file}`), '')
    }
    const { stdout } = await works(
      world,
      'git add -A; git status --porcelain | wc -l; find d* -name "f*" -delete; git status --porcelain | grep -c "^AD"; mkdir -p d199; echo e > d199/.envrc',
    )
    expect(stdout).toBe('20000\n20000\n')
    expect(existsSync(path.join(world.project, 'd199/.envrc'))).toBe(false)
  })

  it('a project in a folder of a hidden or protected name works', async () => {
    const world = makeWorld()
    const folder = path.join(world.home, 'work', '.vscode', '.env.d')
    mkdirSync(folder, { recursive: true })
    const { code } = await inCell(world, 'echo x > x; git init -q; cat x', [], { cwd: folder })
    expect({ code, made: existsSync(path.join(folder, 'x')) }).toEqual({ code: 0, made: true })
  })
})
