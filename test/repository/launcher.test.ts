// bin/anchorhold on its own: finds itself through links, its Node beside it, and takes nothing from a hostile environment.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const launcher = path.resolve(import.meta.dirname, '../../bin/anchorhold')

/** A package `folder` whose Node is a script that prints its arguments and the environment, one per line. */
function makePackage(folder: string, where: 'own' | 'hoisted' | 'none'): string {
  mkdirSync(path.join(folder, 'bin'), { recursive: true })
  mkdirSync(path.join(folder, 'dist'))
  cpSync(launcher, path.join(folder, 'bin/anchorhold'))
  writeFileSync(path.join(folder, 'dist/cli.cjs'), '')
  if (where !== 'none') {
    const node = path.join(folder, where === 'own' ? 'node_modules/node/bin' : '../node/bin')
    mkdirSync(node, { recursive: true })
    writeFileSync(path.join(node, 'node'), '#!/bin/sh\nprintf \'arg=%s\\n\' "$@"\nexec /usr/bin/env\n')
    chmodSync(path.join(node, 'node'), 0o755)
  }
  return path.join(folder, 'bin/anchorhold')
}

function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'anchorhold-launcher-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function start(file: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {}) {
  return spawnSync(file, args, { encoding: 'utf8', cwd: options.cwd, env: options.env ?? { PATH: '/usr/bin:/bin', HOME: '/nonexistent' } })
}

test('arguments pass untouched, also from a folder with spaces and quotes', () => {
  const file = makePackage(path.join(scratch(), "sp ace 'q"), 'own')
  const words = ['run', '--', 'a b', '', '*', '$HOME', '"']
  const { stdout, status } = start(file, words)
  expect(status).toBe(0)
  expect(
    stdout
      .split('\n')
      .filter((line) => line.startsWith('arg='))
      .slice(3), // behind Node's own options and the file
  ).toEqual(words.map((word) => `arg=${word}`))
})

test('a chain of links leads to it: absolute, relative, in PATH', () => {
  const folder = scratch()
  const file = makePackage(path.join(folder, 'lib/anchorhold'), 'own')
  mkdirSync(path.join(folder, 'bin'))
  symlinkSync(file, path.join(folder, 'bin/absolute'))
  symlinkSync('../lib/anchorhold/bin/anchorhold', path.join(folder, 'bin/relative'))
  symlinkSync('relative', path.join(folder, 'bin/anchorhold'))
  expect(readlinkSync(path.join(folder, 'bin/anchorhold'))).toBe('relative')
  for (const name of ['absolute', 'relative', 'anchorhold']) {
    expect(start(path.join(folder, 'bin', name), ['x']).stdout).toContain('arg=x\n')
  }
  const found = spawnSync('/bin/sh', ['-c', 'anchorhold x'], { encoding: 'utf8', env: { PATH: `${folder}/bin:/usr/bin:/bin` } })
  expect(found.stdout).toContain('arg=x\n')
})

test('a hoisted Node is found beside the package, never in a folder above a clone', () => {
  const folder = scratch()
  expect(start(makePackage(path.join(folder, 'node_modules/anchorhold'), 'hoisted'), ['x']).stdout).toContain('arg=x\n')
  const clone = makePackage(path.join(folder, 'clone'), 'none')
  mkdirSync(path.join(folder, 'node/bin'), { recursive: true })
  cpSync(path.join(folder, 'node_modules/node/bin/node'), path.join(folder, 'node/bin/node'))
  expect(start(clone, ['x']).status).toBe(125)
})

test('without its Node it says which command sets it up', () => {
  const clone = path.join(scratch(), 'clone')
  const file = makePackage(clone, 'none')
  expect(start(file, ['run', 'claude']).stderr).toMatch(/not set up yet[\s\S]*npm rebuild node/) // as a package
  mkdirSync(path.join(clone, 'scripts'))
  writeFileSync(path.join(clone, 'scripts/setup.sh'), '')
  const { status, stdout, stderr } = start(file, ['run', 'claude'])
  expect(status).toBe(125)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/not set up yet[\s\S]*sh '.*\/scripts\/setup\.sh'/)
})

test('nothing that Node, OpenSSL or the loader would pick up gets through (CFG-06)', () => {
  const file = makePackage(path.join(scratch(), 'clone'), 'own')
  const hostile = {
    NODE_OPTIONS: '--require=/tmp/evil.cjs',
    NODE_PATH: '/tmp/evil',
    NODE_EXTRA_CA_CERTS: '/tmp/other.pem',
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
    NODE_COMPILE_CACHE: '/tmp/evil',
    NODE_V8_COVERAGE: '/tmp/evil',
    NODE_REDIRECT_WARNINGS: '/tmp/evil',
    OPENSSL_CONF: '/tmp/evil.cnf',
    SSLKEYLOGFILE: '/tmp/evil',
    LD_LIBRARY_PATH: '/tmp/evil',
    LD_AUDIT: '',
    BASH_ENV: '/tmp/evil.sh',
    ENV: '/tmp/evil.sh',
    CDPATH: '/tmp',
  }
  const { stdout, status } = start(file, ['x'], { env: { ...hostile, PATH: '/usr/bin:/bin', HOME: '/nonexistent', KEPT: 'yes' } })
  expect(status).toBe(0)
  expect(stdout).toContain('KEPT=yes')
  expect(stdout).not.toMatch(/^NODE_OPTIONS=|^NODE_EXTRA_CA_CERTS=|evil/m)
  expect(stdout).toContain(`NODE_COMPILE_CACHE=${path.dirname(path.dirname(file))}/dist/cache`)
})

test('whom the machine trusts is kept for helper programs under names that Node does not know', () => {
  const file = makePackage(path.join(scratch(), 'clone'), 'own')
  const base = { PATH: '/usr/bin:/bin', HOME: '/nonexistent' }
  const trusting = start(file, ['x'], { env: { ...base, NODE_EXTRA_CA_CERTS: '/company.pem', SSL_CERT_FILE: '/company.pem' } })
  expect(trusting.stdout).toContain('\nANCHORHOLD_CALLER_NODE_EXTRA_CA_CERTS=/company.pem\n')
  expect(trusting.stdout).toContain('\nANCHORHOLD_CALLER_SSL_CERT_FILE=/company.pem\n')
  expect(trusting.stdout).not.toMatch(/^(?:NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)=/m)
  const planted = start(file, ['x'], { env: { ...base, ANCHORHOLD_CALLER_SSL_CERT_FILE: '/planted.pem' } })
  expect(planted.stdout).not.toContain('planted')
})

test('programs planted in the current folder are not run (PER-31)', () => {
  const folder = scratch()
  const file = makePackage(path.join(folder, 'clone'), 'own')
  const project = path.join(folder, 'project')
  mkdirSync(path.join(project, 'node_modules/.bin'), { recursive: true })
  for (const name of ['node', 'readlink', 'sh', 'node_modules/.bin/node']) {
    writeFileSync(path.join(project, name), `#!/bin/sh\n: >"${project}/planted-ran"\n`)
    chmodSync(path.join(project, name), 0o755)
  }
  symlinkSync(file, path.join(folder, 'link'))
  const { stdout } = start(path.join(folder, 'link'), ['x'], { cwd: project, env: { PATH: `.:${project}:/usr/bin:/bin`, HOME: folder } })
  expect(stdout).toContain('arg=x\n')
  expect(spawnSync('ls', [project], { encoding: 'utf8' }).stdout).not.toContain('planted-ran')
})
