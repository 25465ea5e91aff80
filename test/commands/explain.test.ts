// What `explain` says, against what a real cell shows: host, path and env must agree, for a policy with something of everything.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { anchorhold, inCell, makeWorld, type World } from '../support/anchorhold.ts'

interface Answer {
  readonly subject: string
  readonly verdict: string
  readonly reason: string
}

async function explained(
  world: World,
  what: string,
  subjects: readonly string[],
  options: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Answer[]> {
  const { stdout, stderr } = await anchorhold(world, ['explain', what, ...options, '--json', '--', ...subjects], { env })
  expect(stderr).toBe('')
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer)
}

function makeProject(world: World): readonly string[] {
  const put = (name: string, text = 'seen\n'): void => {
    mkdirSync(path.dirname(path.join(world.project, name)), { recursive: true })
    writeFileSync(path.join(world.project, name), text)
  }
  execFileSync('git', ['init', '-q', world.project], { env: { PATH: '/usr/bin:/bin', HOME: world.home } })
  for (const name of [
    'src/x.ts',
    '.env',
    '.env.example',
    'a/.env.local',
    'keys/a.pem',
    'deploy/run.sh',
    '.vscode/tasks.json',
    'a/.vscode/x',
    '.github/workflows/ci.yml',
    'a/.github/workflows/ci.yml',
    '.claude/settings.json',
    '.claude/notes.md',
    'CLAUDE.md',
    '.mcp.json',
    'package.json',
    'a/b/.envrc',
    '.gitmodules',
    'id_rsa',
    'lifted/.idea/x',
    'lifted/.netrc',
  ])
    put(name)
  symlinkSync('../../outside', path.join(world.project, 'link'))
  for (const name of ['outside', 'shared/x', 'output/x', '.ssh/id_ed25519']) {
    mkdirSync(path.dirname(path.join(world.home, name)), { recursive: true })
    writeFileSync(path.join(world.home, name), 'seen\n')
  }
  const config = path.join(world.home, '.config/anchorhold')
  mkdirSync(config, { recursive: true })
  writeFileSync(path.join(config, 'policy.yaml'), 'files: { protect: [deploy/], unprotect: [.idea, .netrc] }\n', { mode: 0o600 })
  return ['--hide', '*.pem', '--mount', path.join(world.home, 'shared'), '--mount', `${path.join(world.home, 'output')}:rw`]
}

it('path: every verdict is what the cell sees', async () => {
  const world = makeWorld()
  const options = makeProject(world)
  const home = (name: string): string => path.join(world.home, name)
  const subjects = [
    'src/x.ts',
    'src',
    'src/new.ts',
    '.env',
    '.env.example',
    'a/.env.local',
    'keys/a.pem',
    'deploy/run.sh',
    'deploy/new',
    '.vscode/tasks.json',
    '.vscode/new',
    'a/.vscode/x',
    '.github/workflows/ci.yml',
    'a/.github/workflows/ci.yml',
    '.claude/settings.json',
    '.claude/notes.md',
    'CLAUDE.md',
    '.mcp.json',
    'package.json',
    'a/b/.envrc',
    'id_rsa',
    'lifted/.idea/x',
    'lifted/.netrc',
    '.git/config',
    '.git/hooks',
    '.git/hooks/pre-commit',
    '.git/HEAD',
    '.git/info/exclude',
    'new/.envrc',
    'src/.zed',
    'link',
    '../..',
    home('outside'),
    home('shared/x'),
    home('shared/new'),
    home('output/x'),
    home('output/new'),
    home('.ssh/id_ed25519'),
    '/usr/bin/env',
    '/usr/bin/no-such-program',
    '/usr/new',
    '/etc/passwd',
    '/etc/shadow',
    '/etc/hosts',
    '/etc/ssl/certs',
    '/etc/os-release',
    // A clone of root's is shown by its Node, as far as the tests' own PATH names it: then the folder is there with nothing of the host's.
    ...(process.execPath.startsWith('/root/') ? [] : ['/root']),
    '/home',
    '/var/log',
    '/boot',
    '/dev/null',
    '/proc/self',
    '/tmp',
  ]
  // In the order of the verdicts' meaning: is it there, is there anything in it, can it be written.
  const look = `for f; do
    e=absent; [ -e "$f" ] && e=there
    r=empty; if [ -d "$f" ]; then [ -n "$(ls -A "$f")" ] && r=full; else [ -s "$f" ] && r=full; fi
    w=no; if [ -d "$f" ]; then touch "$f/.w" 2>/dev/null && w=yes; rm -f "$f/.w" 2>/dev/null; elif [ -e "$f" ]; then (: >> "$f") 2>/dev/null && w=yes
    else mkdir -p "$(dirname "$f")" 2>/dev/null; (echo w > "$f") 2>/dev/null && w=yes; fi
    h=own; grep -qsx seen "$f" && h=yours
    printf '%s %s %s %s\\0' $e $r $w $h
  done`
  const verdicts = (await explained(world, 'path', subjects, options)).map(({ verdict }) => verdict)
  const existed = subjects.map((subject) => existsSync(path.resolve(world.project, subject)))
  const { stdout } = await anchorhold(world, ['run', ...options, '--', 'sh', '-c', look, 'sh', ...subjects])
  const seen = stdout.split('\0').slice(0, -1)
  const fits: Readonly<Record<string, (seen: string, subject: string, existed: boolean) => boolean>> = {
    'read-write': (text, _subject, was) => (was ? /^there \w+ yes / : /^absent empty yes /).test(text),
    'read-only': (text, _subject, was) => (was ? /^there \w+ no / : /^absent empty no /).test(text),
    hidden: (text) => /^there empty no own$/.test(text),
    // What the cell wrote there is not there any more after the run.
    held: (text, subject) => text.startsWith('absent') && !existsSync(path.resolve(world.project, subject)),
    // A place in the cell's own /tmp may well be written; what matters is that nothing of the host's is there.
    absent: (text) => text.endsWith('own') && (text.startsWith('absent') || !/full no/.test(text)),
    private: (text) => /^there .* own$/.test(text),
  }
  const wrong = subjects.flatMap((subject, index) => {
    const [verdict = '', found = ''] = [verdicts[index], seen[index]]
    return fits[verdict]?.(found, subject, existed[index] === true) === true
      ? []
      : [`${subject}: explain says ${verdict}, the cell ${found}`]
  })
  expect(wrong).toEqual([])
  expect(new Set(verdicts)).toEqual(new Set(['read-write', 'read-only', 'hidden', 'held', 'absent', 'private']))
}, 120_000)

it('env: set, passed and absent are what the cell has', async () => {
  const world = makeWorld()
  const env = {
    OUTER: 'outer value',
    SECRET: 'x',
    LC_TIME: 'C',
    FOO_TOKEN: 'hunter22',
    TZ: 'UTC',
    SSH_AUTH_SOCK: '/nowhere',
    HTTPS_PROXY: 'http://127.0.0.1:9',
  }
  const options = ['--env', 'A=1', '--env', 'OUTER', '--env', 'UNSET', '--env', 'FOO_TOKEN']
  const { stdout } = await inCell(world, 'env', options, { env })
  const inside = new Map(stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  const names =
    'A OUTER UNSET SECRET FOO_TOKEN PATH HOME USER SHELL TMPDIR LANG TERM LC_TIME TZ SSH_AUTH_SOCK HTTPS_PROXY NODE_OPTIONS ANCHORHOLD XDG_RUNTIME_DIR'
  for (const { subject, verdict, reason } of await explained(world, 'env', names.split(' '), options, env)) {
    expect(verdict !== 'absent', `${subject}: ${verdict}`).toBe(inside.has(subject))
    if (verdict === 'set') expect(reason).toContain(inside.get(subject))
    if (verdict === 'passed') expect(inside.get(subject)).toBe({ ...world.env, ...env }[subject])
    expect(reason).not.toContain('hunter22')
  }
})

it('host: allow and deny are what a connection meets', async () => {
  const world = makeWorld()
  const server = http.createServer((_request, response) => response.end('reached')).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const options = [
    '--route',
    `a.test:80=127.0.0.1:${port}`,
    '--route',
    `b.test:8080=127.0.0.1:${port}`,
    '--route',
    `c.test=127.0.0.1:${port}`,
    '--deny',
    'c.test',
    '--allow',
    `host.anchorhold.internal:${port}`,
  ]
  const subjects = [
    'a.test:80',
    'A.TEST:80',
    'a.test:8080',
    'b.test:80',
    'b.test:8080',
    'c.test:80',
    'x.a.test:80',
    'd.test:80',
    `host.anchorhold.internal:${port}`,
    'host.anchorhold.internal:1',
  ]
  const { stdout } = await inCell(
    world,
    `for h in ${subjects.join(' ')}; do curl -s -m 5 "http://$h/" | grep -qx reached && echo allow || echo deny; done`,
    options,
  )
  const verdicts = (await explained(world, 'host', subjects, options)).map(({ verdict }) => verdict)
  expect(verdicts).toEqual(stdout.trim().split('\n'))
  expect(new Set(verdicts).size).toBe(2)
})
