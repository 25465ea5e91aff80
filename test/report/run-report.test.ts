// What a run says: banner, summary, dry run. Quiet where there is nothing, exact commands where there is something.
import { expect, test } from 'vitest'
import type { Compiled } from '../../src/model/engine.ts'
import type { SessionEvent } from '../../src/model/events.ts'
import type { Plan } from '../../src/model/plan.ts'
import { dryRunJson, dryRunLines } from '../../src/report/dry-run.ts'
import { eventJson, resultJson } from '../../src/report/json.ts'
import { startLines, type StartInput } from '../../src/report/start.ts'
import { unstyled } from '../../src/report/style.ts'
import { summarize } from '../../src/report/summary.ts'
import { duration, size } from '../../src/report/units.ts'
import { emptyState, fold } from '../../src/session/state.ts'

const session = '20261123-101112-abcd'
const terminal = { ...unstyled, terminal: true }
const ended: SessionEvent = { kind: 'session.ended', end: { kind: 'exited', code: 0 }, exitCode: 0, milliseconds: 12_345 }
const refused = (
  host: string,
  port = 443,
  remedy: string | undefined = `anchorhold run --allow ${host}${port === 443 || port === 80 ? '' : `:${port}`} …`,
): SessionEvent => ({
  kind: 'network.refused',
  host,
  port,
  how: 'tls',
  code: 'not-listed',
  reason: 'no rule names it',
  ...(remedy === undefined ? {} : { remedy }),
})

function stateOf(...events: readonly SessionEvent[]) {
  const state = emptyState()
  for (const event of events) fold(state, event)
  return state
}

test('nothing to say is nothing said in a pipe, one line on a terminal', () => {
  const state = stateOf(ended)
  expect(summarize({ session, state })).toEqual([])
  expect(summarize({ session, state, style: terminal })).toEqual([`anchorhold: session ${session}: 12.3 s, exit code 0`])
  expect(summarize({ session, state, style: terminal, quiet: true })).toEqual([])
})

test('refused hosts come with the command that allows them, each name once', () => {
  const state = stateOf(refused('a.test'), refused('a.test', 80), refused('b.test', 5432), refused('c.test'), ended)
  expect(summarize({ session, state }).at(-1)).toBe(
    'anchorhold: 3 hosts were refused; to allow: anchorhold run --allow a.test --allow b.test:5432 --allow c.test …',
  )
  expect(summarize({ session, state, quiet: true })).toEqual([])
})

test('only what --allow really allows is put behind it: no deny, no address, no private address, no name without a port', () => {
  const state = stateOf(
    refused('denied.test', 443, 'take the deny out of /p.yaml:3; no --allow outweighs it'),
    refused('192.0.2.7', 80, 'use the host name instead of its address'),
    refused('rebound.test', 443, 'If you mean it: anchorhold run --route rebound.test:PORT=ADDRESS:PORT …'),
    refused('host.anchorhold.internal', 0, 'name its port: anchorhold run --allow host.anchorhold.internal:PORT …'),
    refused('other.test', 443, 'anchorhold run --allow evil.test …'),
    refused('short', 443, 'anchorhold run --allow short:443 …'),
    refused('limited.test', 443, 'allow the host as a whole: anchorhold run --allow limited.test …'),
  )
  const lines = summarize({ session, state })
  expect(lines[1]).toBe('anchorhold: 7 hosts were refused; to allow: anchorhold run --allow short:443 --allow limited.test …')
  expect(lines.join('\n')).toContain('→ take the deny out of /p.yaml:3')
  expect(lines.join('\n')).toContain(
    '    limited.test:443: no rule names it\n      → allow the host as a whole: anchorhold run --allow limited.test …',
  )
  expect(lines.join('\n')).not.toContain('short:443: no rule')
  expect(lines.join('\n')).toContain('→ use the host name instead of its address')
})

test('one host that was refused for several reasons is told with each of them, once, and not with a reason for every path it was asked for', () => {
  const because = (host: string, code: string, reason: string): SessionEvent => ({
    kind: 'network.refused',
    host,
    port: 443,
    how: 'http',
    code,
    reason,
  })
  const state = stateOf(
    because('api.test', 'method', 'POST is not allowed'),
    because('api.test', 'method', 'POST is not allowed'),
    because('api.test', 'foreign-credential', 'x-api-key holds a key that is not yours'),
    because('other.test', 'path', '/admin is not allowed'),
    ...Array.from({ length: 500 }, (_, index) => because('many.test', 'path', `/p${index} is not allowed`)),
  )
  const lines = summarize({ session, state })
  expect(lines[1]).toBe('anchorhold: 3 and more hosts were refused')
  expect(lines.slice(2, 6)).toEqual([
    '    api.test:443: POST is not allowed',
    '    other.test:443: /admin is not allowed',
    '    many.test:443: /p0 is not allowed',
    '    api.test:443: x-api-key holds a key that is not yours',
  ])
  expect(lines.length).toBeLessThan(12)
  expect(lines.at(-1)).toMatch(/^ {4}and \d+ more: anchorhold log /)
  const json = resultJson({ session, folder: '/f', exitCode: 0, state })
  expect(json.refused.filter(({ host }) => host === 'api.test').map(({ code, count }) => [code, count])).toEqual([
    ['method', 2],
    ['foreign-credential', 1],
  ])
  expect(json.refused.filter(({ host }) => host === 'many.test')).toHaveLength(8)
  expect(state.refusedElse).toBe(492)
})

test('secrets in what the run wrote are one line, with --quiet too; a clean scan says nothing', () => {
  const finding = { file: 'a\u001b[2J.txt', line: 3, of: 'known', name: 'TOKEN', form: 'base64' } as const
  const scanned: SessionEvent = {
    kind: 'secret.scanned',
    files: 2,
    bytes: 9,
    found: 12,
    findings: Array.from({ length: 12 }, () => finding),
    complete: true,
  }
  const lines = summarize({ session, state: stateOf(scanned), quiet: true })
  expect(lines).toEqual([
    `anchorhold: what this run wrote holds 12 secrets: ${'the value of TOKEN (base64) in a␛[2J.txt:3, '.repeat(3).slice(0, -2)} and 9 more; look: anchorhold secret scan --session ${session}`.replaceAll(
      '␛',
      '\\x1b',
    ),
  ])
  const clean: SessionEvent = { ...scanned, found: 0, findings: [] }
  expect(summarize({ session, state: stateOf(clean) })).toEqual([])
  expect(summarize({ session, state: stateOf({ ...clean, complete: false }) })).toEqual([])
  expect(summarize({ session, state: stateOf({ ...clean, complete: false }), style: terminal }).join('\n')).toContain(
    'not all that this run wrote',
  )
  expect(resultJson({ session, folder: '/f', exitCode: 0, state: stateOf(scanned) }).scan).toMatchObject({
    files: 2,
    found: 12,
    complete: true,
  })
})

test('what nothing can allow gets its reason, and no hostile name gets into a command', () => {
  const forbidden: SessionEvent = {
    kind: 'network.refused',
    host: '169.254.169.254',
    port: 80,
    how: 'http',
    code: 'address-literal',
    reason: 'addresses are never allowed',
  }
  const state = stateOf(forbidden, refused('x; rm -rf ~'), refused('\u001b[2Jevil\n.test'), refused('--upload'))
  const text = summarize({ session, state }).join('\n')
  expect(text).toContain('169.254.169.254:80: addresses are never allowed')
  expect(text).not.toContain('--allow')
  expect(text).not.toContain('\u001b')
})

test('files taken away, git keys and limits are told, also with --quiet', () => {
  const state = stateOf(
    { kind: 'limits', rows: [{ name: 'memory', value: 64 * 2 ** 20, enforced: true, how: 'cgroup' }] },
    {
      kind: 'file.quarantined',
      path: '.vscode/tasks.json',
      rule: '.vscode/',
      kept: '/k',
      restore: `anchorhold restore ${session} .vscode/tasks.json`,
    },
    { kind: 'git.held', path: '.git/config', keys: ['core.fsmonitor'], kept: '/k/config' },
    { kind: 'git.merged', path: '.git/config', keys: ['remote.x.url'] },
    { ...ended, end: { kind: 'signalled', code: 137, signal: 'SIGKILL', limit: 'memory' } },
  )
  const quiet = summarize({ session, state, quiet: true }).join('\n')
  expect(quiet).toContain('limit of memory (64 MiB); more: anchorhold run --limit memory=…')
  expect(quiet).toContain(`to put it back: anchorhold restore ${session} .vscode/tasks.json`)
  expect(quiet).toContain('core.fsmonitor')
  expect(quiet).not.toContain('remote.x.url')
  expect(summarize({ session, state }).join('\n')).toContain('remote.x.url')
})

test('a flood makes no long summary', () => {
  const state = stateOf(
    ...Array.from({ length: 3_000 }, (_, index) => refused(`h${index}.test`)),
    ...Array.from({ length: 2_000 }, (_, index): SessionEvent => ({
      kind: 'file.quarantined',
      path: `p${index}`,
      rule: 'r',
      kept: 'k',
      restore: 'c',
    })),
  )
  const lines = summarize({ session, state })
  expect(lines.length).toBeLessThan(25)
  expect(lines.join('\n')).toContain('2000 protected files')
})

const banner: StartInput = {
  session,
  project: '/home/me/p',
  agent: 'claude',
  engine: 'bubblewrap',
  workspace: 'live',
  permissions: 'auto',
  hosts: Array.from({ length: 40 }, (_, index) => `h${index}.test`),
  hidden: ['.env'],
  limits: [
    { name: 'memory', value: 2 ** 32, enforced: true, how: 'cgroup' },
    { name: 'cpus', value: 2, enforced: false, how: 'no cgroup here' },
  ],
}

test('the banner has at most six lines on a terminal and none in a pipe', () => {
  expect(startLines(banner)).toEqual([])
  expect(startLines({ ...banner, style: terminal, quiet: true })).toEqual([])
  const lines = startLines({ ...banner, style: { ...terminal, width: 200 } })
  expect(lines.length).toBeLessThanOrEqual(6)
  const text = lines.join('\n')
  for (const part of [
    'claude in /home/me/p',
    'h5.test and 34 more',
    '1 file: .env',
    'memory 4 GiB (cgroup)',
    'cpus 2 (not enforced: no cgroup here)',
  ])
    expect(text).toContain(part)
  expect(startLines({ ...banner, verbose: true }).join('\n')).toContain('h39.test')
})

const secret = 'correct horse "battery" \\ staple'
const plan: Plan = {
  session,
  engine: 'bubblewrap',
  agent: 'command',
  argv: ['sh', '-c', 'echo "$X"', '--password', 'short', secret],
  cwd: '/p',
  env: { NODE_ENV: 'test', X: '1', MY_API_KEY: 'zz', PLAIN: secret, URL: 'https://u:pw@h.test/' },
  identity: { uid: 1000, gid: 1000, user: 'agent', home: '/home/agent', hostname: 'anchorhold' },
  mounts: [
    { kind: 'bind', from: '/usr', to: '/usr', mode: 'ro' },
    { kind: 'file', to: '/etc/settings.json', content: JSON.stringify({ PLAIN: secret, deep: [`x${secret}`] }) },
  ],
  roots: ['/p'],
  covers: [{ kind: 'readonly', path: '/p/.git/hooks' }],
  listeners: [],
  limits: {},
  workspace: 'live',
  permissions: 'ask',
  terminal: 'none',
  preflight: [],
}
const compiled: Compiled = {
  argv: ['/usr/bin/bwrap', '--args', '3', '--setenv', 'X', '1'],
  env: {},
  limits: [],
  inputs: [
    {
      fd: 3,
      name: 'arguments',
      redact: false,
      content: Buffer.from(
        ['--setenv', 'MY_API_KEY', 'zz', '--setenv', 'PLAIN', secret, '--bind', '/p', '/p', `PLAIN=${secret}`].join('\0'),
      ),
    },
    { fd: 4, name: 'spec', redact: false, content: Buffer.from(JSON.stringify({ env: plan.env, argv: [`MY_API_KEY=zz`] })) },
    { fd: 5, name: 'key', redact: true, content: Buffer.from('neverseen') },
    { fd: 6, name: 'binary', redact: false, content: Buffer.from([0xff, 0xfe, 0]) },
  ],
}

test('a dry run shows everything but secrets', () => {
  const input = { plan, compiled, passedEnv: ['PLAIN', 'X'], placeholders: [], secrets: [], hosts: ['api.test'] }
  const human = dryRunLines(input).join('\n')
  const machine = JSON.stringify(dryRunJson(input))
  for (const text of [human, machine]) {
    for (const leaked of ['battery', 'staple', 'neverseen', ':pw@', '"zz"', 'zz\\u0000', 'KEY zz', 'KEY=zz', 'short'])
      expect(text, leaked).not.toContain(leaked)
    for (const shown of ['NODE_ENV', 'test', '/usr/bin/bwrap', 'api.test', '/p/.git/hooks', '[redacted]']) expect(text).toContain(shown)
  }
  expect(human).toMatch(/--bind \/p \/p/)
  expect(human).toContain("X='[redacted]'")
})

test('events and result are JSON lines', () => {
  const state = stateOf(refused('a.test'), ended)
  expect(JSON.parse(eventJson(refused('a.test'), new Date(0)))).toMatchObject({
    time: '1970-01-01T00:00:00.000Z',
    kind: 'network.refused',
    host: 'a.test',
  })
  expect(resultJson({ session, folder: '/f', exitCode: 3, state })).toMatchObject({
    kind: 'result',
    exitCode: 3,
    milliseconds: 12_345,
    refused: [{ host: 'a.test', count: 1 }],
    end: { kind: 'exited' },
  })
})

test('numbers as people read them', () => {
  expect([duration(5), duration(12_345), duration(245_000), duration(7_800_000), size(0), size(1536), size(2 ** 32)]).toEqual([
    '5 ms',
    '12.3 s',
    '4 min 05 s',
    '2 h 10 min',
    '0 B',
    '1.5 KiB',
    '4 GiB',
  ])
})
