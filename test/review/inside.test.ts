// Daily work on the view: package installs, watchers, links, renames of whole folders, case, other file systems, a hundred thousand files.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { measureTrees } from '../../src/review/entries.ts'
import { anchorhold, bin, inCell, makeWorld, start } from '../support/anchorhold.ts'
import { git, gitWorld, identity, writeFiles } from '../support/repository.ts'
import { changedIn, fingerprint, newest, settled } from './world.ts'

const review = ['--workspace', 'review']

test('npm installs and removes packages over those that are there', async () => {
  const world = makeWorld()
  const packed = (name: string, version: string) => ({
    [`lib/${name}/package.json`]: JSON.stringify({ name, version }),
    [`lib/${name}/index.js`]: '1\n',
  })
  writeFiles(world.project, {
    ...packed('one', '1.0.0'),
    ...packed('two', '1.0.0'),
    'package.json': '{"name":"p","version":"1.0.0","dependencies":{"one":"file:lib/one"}}',
  })
  const npm = 'npm --offline --no-audit --no-fund --no-update-notifier --install-links --loglevel=error'
  execFileSync('sh', ['-c', `${npm} install`], {
    cwd: world.project,
    env: { ...world.env, npm_config_cache: path.join(world.home, 'cache') },
  })
  const before = fingerprint(world.project)
  const { code, stdout, stderr } = await inCell(
    world,
    `set -e; ${npm} install ./lib/two; sed -i s/1.0.0/1.0.1/ lib/one/package.json; ${npm} install ./lib/one; node -p 'require("two/package.json").version + " " + require("one/package.json").version'
     ${npm} uninstall one; ls node_modules; rm -rf node_modules; ${npm} install; ls node_modules`,
    review,
    { timeoutMilliseconds: 60_000 },
  )
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: expect.stringMatching(/1\.0\.0 1\.0\.1\n[^]*two\n/) })
  expect(fingerprint(world.project)).toBe(before)
}, 90_000)

test('a watcher inside sees what is changed inside', async () => {
  const world = makeWorld()
  writeFiles(world.project, { 'src/a.txt': 'a\n', 'src/old/b': 'b\n' })
  const watch = `const fs=require('fs');const seen=new Set();fs.watch('src',(_,name)=>{seen.add(name);if(seen.size===3){console.log([...seen].sort().join(' '));process.exit()}});
    fs.appendFileSync('src/a.txt','more');fs.writeFileSync('src/new','n');fs.rmSync('src/old',{recursive:true});setTimeout(()=>process.exit(9),9000)`
  const { stdout } = await anchorhold(world, ['run', ...review, '--', 'node', '-e', watch])
  expect(stdout).toBe('a.txt new old\n')
})

test('folders of the project are renamed, by whatever program, and what is in them is the same (rename(2) on overlayfs says EXDEV)', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'src/a/b.txt': 'b\n', 'src/c.txt': 'c\n', 'tool.sh': '#!/bin/sh\n', 'other/x': 'x' })
  execFileSync(
    'sh',
    ['-c', 'ln src/c.txt src/hard; ln -s ../tool.sh src/link; chmod 711 src/a; chmod 600 src/c.txt; touch -d @1000000000 src/c.txt src/a'],
    {
      cwd: world.project,
    },
  )
  git(world.project, 'add', '-A')
  git(world.project, 'commit', '-qm', 'second')
  const before = fingerprint(world.project)
  const script = `
import os, errno
def rename(a, b):
    try: os.rename(a, b); print('yes', a, b)
    except OSError as error: print(errno.errorcode[error.errno], a, b)
os.mkdir('fresh'); rename('fresh', 'renamed'); os.mkdir('empty')
rename('src', 'src/in'); rename('src', 'other'); rename('src', 'tool.sh'); rename('tool.sh', 'other'); rename('none', 'new'); rename('src', '/tmp/src')
rename('src/', 'empty/'); rename('.git', 'g'); rename('g', '.git')
os.chdir('empty/a'); rename('../a', '../../at'); os.chdir('..')
rename(os.getcwd() + '/other', 'last'); here = os.open('last', os.O_RDONLY); os.rename('at', 'moved', dst_dir_fd=here)
print(sorted(os.listdir('.')))
`
  const { stdout, stderr } = await inCell(
    world,
    `git mv src lib; git status --short; git mv lib src; python3 -c "${script}"
     stat -c '%a %Y %h' empty/c.txt empty/hard last/moved; readlink empty/link; cat last/moved/b.txt; mv tool.sh TOOL.sh; ls | grep -i tool`,
    review,
  )
  expect(stdout, stderr).toBe(
    [
      'R  src/a/b.txt -> lib/a/b.txt\nR  src/c.txt -> lib/c.txt\nR  src/hard -> lib/hard\nR  src/link -> lib/link',
      'yes fresh renamed\nEINVAL src src/in\nENOTEMPTY src other\nENOTDIR src tool.sh\nEISDIR tool.sh other\nENOENT none new\nEXDEV src /tmp/src',
      'yes src/ empty/\nyes .git g\nyes g .git\nyes ../a ../../at',
      `yes ${world.project}/other last`,
      "['.git', 'a.txt', 'empty', 'last', 'renamed', 'tool.sh']",
      '600 1000000000 2\n600 1000000000 2\n711 1000000000 2\n../tool.sh\nb\nTOOL.sh\n',
    ].join('\n'),
  )
  expect(fingerprint(world.project)).toBe(before)
}, 60_000)

test('a rename of a folder opens nothing: what is hidden, read-only or outside stays so, and who does it has no right of its own', async () => {
  const world = gitWorld()
  const fixed = path.join(world.home, 'fixed')
  const aside = path.join(world.home, 'aside')
  writeFiles(world.project, { 'conf/.env': 'TOKEN=hidden\n', 'conf/in/x': 'x', 'dir/f': 'f' })
  for (const place of [fixed, aside]) writeFiles(place, { 'inner/f': 'f\n' })
  const before = [fingerprint(world.project), fingerprint(fixed), fingerprint(aside)]
  const { child, outcome } = start(world, [
    'run',
    ...review,
    '--mount',
    fixed,
    '--',
    'sh',
    '-c',
    `ln -s ${aside} out; python3 -c "
import os, errno
for a, b in [('conf', 'shown'), ('out/inner', 'taken'), ('${fixed}/inner', 'taken'), ('dir', '${fixed}/dir'), ('dir', '/usr/dir'), ('/proc/self/cwd/dir', 'seen'), ('/proc/1/root/usr/lib', 'lib')]:
    try: os.rename(a, b); print('yes', a)
    except OSError as error: print(errno.errorcode[error.errno], a)
"; cat conf/.env; grep -r hidden .; ls; echo ready; sleep 60`,
  ])
  const text = await new Promise<string>((resolve) => {
    let said = ''
    child.stdout?.on('data', (part: Buffer) => {
      said += part.toString()
      if (said.endsWith('ready\n')) resolve(said)
    })
  })
  // Nothing but what the cell itself may do: no capability, not even one to gain.
  const movers = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8')
        const shows = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(` ${world.project} `)
        return shows && status.startsWith('Name:\tanchorhold-cell') ? [status] : []
      } catch {
        return [] // gone meanwhile
      }
    })
  child.kill('SIGTERM')
  await outcome
  expect(text).toMatch(
    /^EBUSY conf\nENOENT out\/inner\n(EROFS|EXDEV) .*\/fixed\/inner\n(EROFS|EXDEV) dir\n(EROFS|EXDEV) dir\n(EXDEV|yes) \/proc\/self\/cwd\/dir\n\w+ \/proc\/1\/root\/usr\/lib\na\.txt\nconf\n/,
  )
  expect(movers.length).toBeGreaterThan(0)
  for (const status of movers) {
    expect(status).toMatch(/CapPrm:\t0+\nCapEff:\t0+\nCapBnd:\t0+\n/)
    expect(status).toMatch(/NoNewPrivs:\t1/)
  }
  expect([fingerprint(world.project), fingerprint(fixed), fingerprint(aside)]).toEqual(before)
}, 60_000)

test('git inside sees each new file at once, although it remembers what was not its own (core.untrackedCache)', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'src/a.txt': 'a\n', 'src/deep/b.txt': 'b\n', 'lib/c.txt': 'c\n' })
  git(world.project, 'add', '-A')
  git(world.project, 'commit', '-qm', 'second')
  const status = 'git status --short -uall; echo --'
  const { stdout } = await inCell(
    world,
    `git config core.untrackedCache; ${status}; echo n > src/deep/new; ${status}; rm src/deep/new; echo n > lib/other; echo changed > src/a.txt; ${status}
     git mv src/deep deeper; echo n > deeper/new; ${status}; echo deeper > .gitignore; ${status}`,
    review,
  )
  expect(stdout.split('--\n')).toEqual([
    'true\n',
    '?? src/deep/new\n',
    ' M src/a.txt\n?? lib/other\n',
    'R  src/deep/b.txt -> deeper/b.txt\n M src/a.txt\n?? deeper/new\n?? lib/other\n',
    'R  src/deep/b.txt -> deeper/b.txt\n M src/a.txt\n?? .gitignore\n?? lib/other\n',
    '',
  ])
})

test('hard links made inside stay links; modes, times and owners are kept through a copy-up', async () => {
  const world = makeWorld()
  writeFiles(world.project, { run: '#!/bin/sh\necho ran\n', read: 'r\n' })
  execFileSync('sh', ['-c', 'chmod 4751 run; chmod 444 read; touch -d "2001-02-03 04:05:06.789 UTC" run'], { cwd: world.project })
  const { stdout } = await inCell(
    world,
    `ln run twin; echo 'echo more' >> twin; ./run; stat -c '%h %a' run twin; touch -r read stamp; chmod u+w read; stat -c %a read; chmod 4755 run 2>/dev/null; stat -c %a run
     setfattr -n user.mine -v x run 2>/dev/null; mkfifo pipe && stat -c %F pipe`,
    review,
  )
  expect(stdout).toBe('ran\nmore\n2 751\n2 751\n644\n751\nfifo\n')
})

test('submodules and repositories in the project are views like the rest', async () => {
  const world = gitWorld()
  const other = path.join(world.home, 'other')
  mkdirSync(other)
  git(other, 'init', '-q', '-b', 'main')
  writeFiles(other, { f: 'f\n' })
  git(other, 'add', '-A')
  git(other, 'commit', '-qm', 'other')
  git(world.project, 'submodule', 'add', '-q', other, 'sub')
  git(world.project, 'commit', '-qm', 'sub')
  const before = [fingerprint(world.project), fingerprint(other)]
  const { code, stdout, stderr } = await inCell(
    world,
    `${identity} set -e; cd sub; echo more >> f; git commit -qam inner; cd ..; git add sub; git commit -qm outer; git submodule status | cut -c1; git log --format=%s -1; git -C sub log --format=%s -1`,
    review,
  )
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: ' \nouter\ninner\n' })
  expect([fingerprint(world.project), fingerprint(other)]).toEqual(before)
  // And with the submodule itself as the project: its git-dir lies in the other repository.
  const inSub = await inCell(world, `${identity} echo y > y; git add y; git commit -qm deep; git log --format=%s -1`, review, {
    cwd: path.join(world.project, 'sub'),
  })
  expect(inSub).toMatchObject({ code: 0, stdout: 'deep\n' })
  expect([fingerprint(world.project), fingerprint(other)]).toEqual(before)
})

test('what a hidden link leads to is hidden too, and explain tells what a review does', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'env/real': 'TOKEN=hidden\n' })
  execFileSync('ln', ['-s', 'env/real', '.env'], { cwd: world.project })
  const { stdout } = await inCell(world, 'cat .env env/real; echo end', review)
  expect(stdout).toBe('end\n')
  const told = await anchorhold(world, ['explain', 'path', ...review, '--json', 'a.txt', '.vscode/tasks.json', 'env/real'])
  expect(
    told.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { verdict: string }).verdict),
  ).toEqual(['review', 'review', 'hidden'])
})

test('another file system in the project is shown, read-only, and said: a copy is made of the rest', async () => {
  const world = makeWorld()
  mkdirSync(path.join(world.project, 'disk'))
  const script = `mount -t tmpfs none disk && echo on-it > disk/f && exec ${bin} run --workspace review --verbose -- sh -c 'cat disk/f; echo x 2>/dev/null > disk/g || echo read-only; echo y > z; ls'`
  const out = execFileSync('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', `{ ${script}; } 2>&1`], {
    cwd: world.project,
    env: world.env,
  }).toString()
  expect(out).toMatch(/\non-it\nread-only\ndisk\nz\n/)
  expect(out).toMatch(/review .*on a copy \(no overlay: .*disk is a file system of its own/)
})

test('a hundred thousand files cost what changed, not what is there', async () => {
  const world = makeWorld()
  for (let folder = 0; folder < 1000; folder++) {
    const place = path.join(world.project, `d${folder % 10}`, `e${folder}`)
    mkdirSync(place, { recursive: true })
    for (let file = 0; file < 100; file++) writeFileSync(path.join(place, `f${file}`), '')
  }
  const { code, stdout } = await inCell(world, 'echo x > d0/e0/f0; rm -r d1/e1; find . -type f | wc -l', review)
  expect({ code, stdout }).toEqual({ code: 0, stdout: '99900\n' })
  expect(newest(world).proposal.kind).toBe('overlay')
  expect(changedIn(await settled(world))).toEqual(['d0/e0/f0', '-d1/e1'])
  const { upper } = newest(world).proposal.roots[0] ?? { upper: '' }
  expect((await measureTrees([upper])).entries).toBeLessThan(10)
}, 120_000)
