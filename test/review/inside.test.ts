// Daily work on the view: package installs, watchers, links, renames of whole folders, case, other file systems, a hundred thousand files.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { measureTrees } from '../../src/review/entries.ts'
import { anchorhold, bin, inCell, makeWorld } from '../support/anchorhold.ts'
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

test('folders of the project are renamed by what copies and deletes; rename(2) of one says EXDEV, as across disks', async () => {
  const world = gitWorld()
  writeFiles(world.project, { 'src/a/b.txt': 'b\n', 'src/c.txt': 'c\n', 'tool.sh': '#!/bin/sh\n' })
  git(world.project, 'add', '-A')
  git(world.project, 'commit', '-qm', 'second')
  const { stdout } = await inCell(
    world,
    `mv src lib && find lib -type f | sort; python3 -c "
import os, shutil
os.mkdir('fresh'); open('fresh/x','w').close(); os.rename('fresh','renamed'); print(os.listdir('renamed'))
try: os.rename('.git','.git2'); print('renamed')
except OSError as error: print(error.errno)
shutil.move('lib','src'); print(sorted(os.listdir('src')))
"; ${identity} git status --short --renames; mv tool.sh TOOL.sh; ls | grep -i tool`,
    review,
  )
  expect(stdout).toBe("lib/a/b.txt\nlib/c.txt\n['x']\n18\n['a', 'c.txt']\n?? renamed/\nTOOL.sh\n")
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
