// scripts/setup.sh on machines that lack something: what it says, what it would run as root, and that it never asks where nobody can answer.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const real = ['sh', 'dirname', 'cat', 'cut', 'sha256sum', 'mktemp', 'rm', 'grep', 'env', 'true', 'tr', 'find', 'sort', 'xargs']

/** A machine made of links to real tools and of made-up ones; every call of a made-up one is logged. */
function machine(programs: Readonly<Record<string, string>>): {
  readonly run: (...args: readonly string[]) => ReturnType<typeof spawnSync>
  readonly log: () => string
} {
  const folder = mkdtempSync(path.join(tmpdir(), 'anchorhold set up '))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const log = path.join(folder, 'log')
  mkdirSync(path.join(folder, 'bin'))
  mkdirSync(path.join(folder, 'clone/scripts'), { recursive: true })
  copyFileSync(path.resolve(import.meta.dirname, '../../scripts/setup.sh'), path.join(folder, 'clone/scripts/setup.sh'))
  for (const name of ['package.json', 'package-lock.json']) writeFileSync(path.join(folder, 'clone', name), '{}\n')
  for (const name of real) {
    const file = ['/usr/bin', '/bin'].map((place) => path.join(place, name)).find(existsSync)
    if (file !== undefined) symlinkSync(file, path.join(folder, 'bin', name))
  }
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(path.join(folder, 'bin', name), `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>'${log}'\n${body}\n`)
    chmodSync(path.join(folder, 'bin', name), 0o755)
  }
  return {
    run: (...args) =>
      spawnSync('/bin/sh', [path.join(folder, 'clone/scripts/setup.sh'), ...args], {
        encoding: 'utf8',
        env: { PATH: path.join(folder, 'bin') },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 20_000,
      }),
    log: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
  }
}

const base = { node: 'echo 20', npm: 'exit 1', uname: 'echo Linux' }
const asUser = { ...base, id: 'echo 1000' }
const asRoot = { ...base, id: 'echo 0' }
const packages = 'apt-get install -y --no-install-recommends gcc libc6-dev bubblewrap git'

const command = `apt-get update && env DEBIAN_FRONTEND=noninteractive ${packages}`

test('an ordinary user without sudo is told the exact command, and nothing is installed', () => {
  const { run, log } = machine({ ...asUser, 'apt-get': 'exit 0' })
  const { status, stderr } = run()
  expect(status).toBe(1)
  expect(stderr).toContain(`as root: ${command}; then run this command again`)
  expect(stderr).not.toContain('sudo')
  expect(log()).not.toContain('apt-get')
})

test('who has to ask an administrator is told what the tests need besides, to ask once; not where that is there already', () => {
  const lacking = machine({ ...asUser, 'apt-get': 'exit 0', perl: 'exit 0' })
  expect(lacking.run().stderr).toContain(`Or, with what \`npm test\` needs besides: as root: ${command} curl openssl strace\n`)
  expect(lacking.run('--tests').stderr).toContain(`To mend it: as root: ${command} curl openssl strace; then`)
  expect(lacking.run('--tests').stderr).not.toContain('besides')
  const whole = machine({ ...asUser, 'apt-get': 'exit 0', perl: 'exit 0', curl: 'exit 0', openssl: 'exit 0', strace: 'exit 0' })
  expect(whole.run().stderr).not.toContain('besides')
})

test('an ordinary user with sudo that wants a password, and no terminal: the exact command, and nothing is installed', () => {
  const { run, log } = machine({ ...asUser, sudo: 'exit 1', 'apt-get': 'exit 0' })
  const { status, stderr } = run()
  expect(status).toBe(1)
  expect(stderr).toContain(`sudo apt-get update && sudo env DEBIAN_FRONTEND=noninteractive ${packages}; then`)
  expect(log()).not.toContain('apt-get')
})

test('an ordinary user with sudo that needs no password: it is said, then done', () => {
  const { run, log } = machine({ ...asUser, sudo: 'shift; exec "$@"', 'apt-get': 'exit 0' })
  expect(run().stderr).toContain(`doing that now:\n  sudo -n apt-get update && sudo -n env DEBIAN_FRONTEND=noninteractive ${packages}\n`)
  expect(log()).toContain(packages)
})

test('root: the lists are renewed first, since a fresh machine has none; that one of them is broken does not matter', () => {
  const { run, log } = machine({ ...asRoot, 'apt-get': '[ "$1" != update ]' })
  const { status, stderr } = run()
  expect(
    log()
      .split('\n')
      .filter((line) => line.startsWith('apt-get')),
  ).toEqual(['apt-get update', packages])
  expect(stderr).toContain('npm ci failed')
  expect(status).toBe(1)
})

test('what only tests start is installed for tests only', () => {
  const { run, log } = machine({ ...asRoot, 'apt-get': 'exit 0' })
  run()
  expect(log()).not.toContain('curl')
  run('--tests')
  expect(log()).toContain(`${packages} curl openssl perl strace\n`)
})

test.each([
  ['dnf', 'dnf install -y gcc glibc-devel glibc-static kernel-headers bubblewrap git'],
  ['pacman', 'pacman -S --noconfirm --needed gcc glibc linux-api-headers bubblewrap git'],
  ['zypper', 'zypper --non-interactive install gcc glibc-devel glibc-devel-static linux-glibc-devel bubblewrap git'],
  ['apk', 'apk add gcc musl-dev linux-headers bubblewrap git'],
])('%s is used where it is the package manager', (name, command) => {
  const { run, log } = machine({ ...asRoot, [name]: 'exit 0' })
  run()
  expect(log()).toContain(`${command}\n`)
})

test.each([
  ['an old Node', { ...asRoot, node: 'echo 18' }, /Node 18 is too old/],
  ['no npm', { node: 'echo 20', uname: 'echo Linux', id: 'echo 0' }, /npm is not installed/],
  ['another system', { ...asRoot, uname: 'echo Darwin' }, /needs Linux; this is Darwin/],
  ['no known package manager', asRoot, /no known package manager/],
])('%s ends it with the reason', (_what, programs, reason) => {
  const { status, stderr } = machine(programs).run()
  expect(status).toBe(1)
  expect(stderr).toMatch(reason)
})
