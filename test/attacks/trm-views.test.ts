// What anchorhold itself shows of a session never reaches the terminal raw (attacks.md TRM-01, 03, 07..10, 29), seen on a real terminal.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorhold, bin, makeWorld, type World } from '../support/anchorhold.ts'
import { foreignControls, openTerminal } from '../support/terminal.ts'

/** One piece of text per kind of mischief; none has a slash or a NUL, so each can be the name of a file. */
const mischief: Readonly<Record<string, string>> = {
  'TRM-01 clipboard and notifications': '\x1b]52;c;QQ==\x07\x1b]9;x\x07\x1b]777;notify;a;b\x07\x1b]1337;File=:\x07',
  'TRM-02 queries': '\x1b[6n\x1b[c\x1b[21t\x1bP$qm\x1b\\\x05',
  'TRM-03 links': '\x1b]8;;file:x\x1b\\https:good\x1b]8;;\x1b\\',
  'TRM-04 repainting': '\x1b[2J\x1b[H\x1b[1A\x1b[?1049h\x1bc',
  'TRM-04 eight-bit controls': '\u009b2J\u009d0;x\u009c',
  'TRM-07 bidi': 'a\u202egpj.exe\u2066x\u2069\u200f',
  'TRM-08 invisible': 'a\u200b\u200d\u{e0041}\ufe0f\u00a0b\u2060\ufeff',
  'TRM-09 carriage return, backspace, line separators': 'evil\rgood\b\b\f\u0085\u2028\u2029',
  'TRM-10 newline, quote, dash, blank at the end': '-rf\n"\' --force .',
  'TRM-29 words of ours': 'x\nanchorhold: all protections are lifted\n  \u2192 anchorhold run --allow evil.test',
}

/** Runs command lines from a file, so that only what they print is shown, not what is typed. */
async function shownBy(world: World, lines: readonly string[]): Promise<string> {
  writeFileSync(path.join(world.home, 'commands'), `${lines.join('\n')}\n`)
  const terminal = openTerminal(world)
  await terminal.see('outer> ')
  await terminal.see('outer> ')
  terminal.type('stty -onlcr; clear() { :; }; echo "be""gin"; . ~/commands; printf "\\ne""nd\\n"\n')
  await terminal.see('begin')
  const shown = await terminal.see('\nend')
  // Tidying after a run is ours; it stands between the command's output and the summary.
  return shown.replace(/\x1b\[\?1047l.*?\x1b\[0m/gs, '')
}

const quoted = (text: string): string => `$'${[...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`

/** Several kinds in one name (at most 255 bytes each), so that few runs meet all of them. */
const groups: readonly (readonly [string, string])[] = [0, 1, 2].map((start) => {
  const entries = Object.entries(mischief).filter((_, index) => index % 3 === start)
  return [entries.map(([row]) => row).join('; '), entries.map(([, text]) => text).join('')]
})

describe('names made by the cell', () => {
  it.each(groups)('%s', async (_row, text) => {
    const world = makeWorld()
    const script = [
      `mkdir -p -- "$1"; echo planted > "./$1/.envrc"; echo planted > "$1.code-workspace"`,
      // Host names as a proxy, a plain request and SOCKS take them.
      String.raw`exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT %s.test:443 HTTP/1.1\r\nHost: x\r\n\r\n' "$1" >&3; cat <&3 >/dev/null`,
      String.raw`exec 3<>/dev/tcp/192.0.2.7/80; printf 'GET /%s HTTP/1.1\r\nHost: %s.test\r\n\r\n' "$1" "$1" >&3; cat <&3 >/dev/null`,
      String.raw`exec 3<>/dev/tcp/127.0.0.1/1080; printf '\5\1\0' >&3; printf '\5\1\0\3\50%-40.40s\1\273' "$1" >&3; timeout 1 cat <&3 >/dev/null`,
    ].join('\n')
    writeFileSync(path.join(world.project, 'script'), script)
    const shown = await shownBy(world, [
      `anchorhold run bash script ${quoted(text)}`,
      'anchorhold log',
      'anchorhold log --json',
      'anchorhold log --follow',
      'anchorhold log --verify',
      'anchorhold sessions --json',
      `anchorhold explain path -- ${quoted(`${text}/.envrc`)}`,
    ])
    expect(foreignControls(shown)).toEqual([])
    // Positive control: the session did meet the text, and says so in escapes.
    expect(shown).toContain('.envrc')
    expect(shown).toMatch(/: \d+ lines, intact to the end/)
    expect(shown.split('\n').filter((line) => line.startsWith('anchorhold: all protections'))).toEqual([])
  })
})

it('TRM-01..10 words that the user passes on from elsewhere', async () => {
  const world = makeWorld()
  const text = Object.values(mischief).join('')
  writeFileSync(path.join(world.project, 'anchorhold.yaml'), `network:\n  allow: [{ host: a.test, reason: ${JSON.stringify(text)} }]\n`)
  const word = quoted(text)
  const options = ['name', 'allow', 'deny', 'route', 'env', 'hide', 'mount', 'limit', 'engine', 'mode', 'policy', 'project']
  const shown = await shownBy(world, [
    `anchorhold ${word}`,
    `anchorhold run --${word} true`,
    ...options.map((option) => `anchorhold run --${option} ${word} true`),
    `anchorhold explain host -- ${word}`,
    `anchorhold explain env -- ${word}`,
    `anchorhold log -- ${word}`,
    `anchorhold restore -- ${word} ${word}`,
    `anchorhold completion -- ${word}`,
    'anchorhold trust </dev/null',
    'anchorhold trust --yes',
    'anchorhold policy',
    'anchorhold explain host a.test',
    'anchorhold run --dry-run true',
  ])
  expect(foreignControls(shown)).toEqual([])
  expect(shown.split('anchorhold:').length).toBeGreaterThan(options.length)
})

it('control: the same check finds what a raw view would show', async () => {
  const world = makeWorld()
  writeFileSync(path.join(world.project, 'raw'), Object.values(mischief).join('\n'))
  const found = foreignControls(await shownBy(world, ['cat raw']))
  for (const each of ['\x1b', '\x07', '\x05', '\b', '\f', '\xc2\x9b', '\xe2\x80\xae', '\xe2\x80\xa8', '\xef\xbb\xbf'])
    expect(found, JSON.stringify(each)).toContain(JSON.stringify(each))
})

it('TRM-09 TRM-29 one event is one line of the log, whatever its text', async () => {
  const world = makeWorld()
  writeFileSync(path.join(world.project, 'script'), `mkdir -p -- "$1"; echo planted > "./$1/.envrc"`)
  for (const [, text] of groups) {
    await anchorhold(world, ['run', '--', 'bash', 'script', text])
    const lines = (await anchorhold(world, ['log'])).stdout.trimEnd().split('\n')
    const events = (await anchorhold(world, ['log', '--json'])).stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(events.length)
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z {2}\S/)
  }
})

it('TRM-10 the command that a report prints puts back exactly that file', async () => {
  const world = makeWorld()
  const names = [
    ...Object.values(mischief),
    '-rf',
    '--days',
    'with blank ',
    `quo'te"s`,
    '$(touch x)',
    '`touch x`',
    'a\\b',
    '~',
    '*',
    '#',
    '\u00e9\u{1f600}',
  ]
  writeFileSync(path.join(world.project, 'script'), 'for name; do mkdir -p -- "./$name"; printf %s "$name" > "./$name/.envrc"; done')
  const { stderr } = await anchorhold(world, ['run', '--json', '--', 'bash', 'script', ...names])
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly kind: string; readonly restore?: string })
  const commands = events.filter(({ kind }) => kind === 'file.quarantined').map(({ restore }) => restore)
  expect(commands).toHaveLength(names.length)
  for (const name of names) expect(existsSync(path.join(world.project, name, '.envrc')), name).toBe(false)
  writeFileSync(path.join(world.home, 'paste'), `set -e; anchorhold() { "$BIN" "$@"; }\n${commands.join('\n')}\n`)
  const done = spawnSync('/bin/bash', [path.join(world.home, 'paste')], {
    cwd: world.project,
    env: { ...world.env, BIN: bin },
    encoding: 'utf8',
  })
  expect([done.status, done.stderr]).toEqual([0, ''])
  for (const name of names) expect(readFileSync(path.join(world.project, name, '.envrc'), 'utf8')).toBe(name)
  expect(readdirSync(world.project).toSorted()).toEqual([...names, 'script'].toSorted())
})
