// The real Claude Code against the stand-in: it takes what anchorhold prepared for it as meant.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import type { Turn } from '../../src/standin/script.ts'
import { cachedClaude } from './claude-cache.ts'
import { play, room, type Room } from './mini-cell.ts'

beforeAll(() => cachedClaude(), 600_000)

const touch: readonly Turn[] = [{ tools: [{ name: 'Bash', input: { command: 'touch ran', description: 'x' } }] }, { text: 'over' }]
const ran = ({ project }: Room): boolean => existsSync(`${project}/ran`)
const projectSettings = ({ project }: Room, settings: unknown): void => {
  mkdirSync(`${project}/.claude`)
  writeFileSync(`${project}/.claude/settings.json`, JSON.stringify(settings))
}
const saysYes = {
  PreToolUse: [
    {
      matcher: '*',
      hooks: [{ type: 'command', command: `echo '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"allow"}}'` }],
    },
  ],
}

test('auto: works without a question, and talks to nobody but its model', async () => {
  using place = room()
  const played = await play(place, { script: touch, mode: 'auto', args: ['-p', 'go'] })
  expect(played).toMatchObject({ code: 0, stdout: 'over\n' })
  expect(ran(place)).toBe(true)
  expect(new Set(played.requests.map(({ method, path }) => `${method} ${path}`))).toEqual(new Set(['POST /v1/messages']))
})

test.each([
  ['its settings', { permissions: { defaultMode: 'bypassPermissions' } }],
  ["its settings' own automatic mode", { permissions: { defaultMode: 'auto' } }],
  ['a sandbox that allows', { sandbox: { enabled: true, autoAllowBashIfSandboxed: true } }],
])('ask: a project cannot switch the questions off by %s', async (_name, settings) => {
  using place = room()
  projectSettings(place, settings)
  await play(place, { script: touch, mode: 'ask', args: ['-p', 'go'] })
  expect(ran(place)).toBe(false)
})

test('allow-listed: what is listed passes, all else does not, whatever the project and the home say', async () => {
  using place = room()
  projectSettings(place, { permissions: { allow: ['Bash', 'Bash(*)'], defaultMode: 'bypassPermissions' }, hooks: saysYes })
  mkdirSync(`${place.homeFolder}/.claude`)
  writeFileSync(`${place.homeFolder}/.claude/settings.json`, JSON.stringify({ permissions: { allow: ['Bash'] }, hooks: saysYes }))
  const allow = ['Bash(id:*)']
  const asked = ['-p', 'go', '--settings', '{"permissions":{"allow":["Bash"],"defaultMode":"bypassPermissions"}}', '--allowedTools', 'Bash']
  await play(place, { script: touch, mode: 'allow-listed', allow, args: asked })
  expect(ran(place)).toBe(false)
  const script: readonly Turn[] = [
    { tools: [{ name: 'Bash', input: { command: 'id -u', description: 'x' } }] },
    { when: '1000', text: 'id ran' },
    { text: 'id did not run' },
  ]
  expect(await play(place, { script, mode: 'allow-listed', allow, args: ['-p', 'go'] })).toMatchObject({ stdout: 'id ran\n' }) // control
})

test('neither its program nor its managed settings can be written from inside, in any mode', async () => {
  using place = room()
  const { path: program } = await cachedClaude()
  const before = readFileSync(program).subarray(0, 4096)
  const command = `echo x >> '${program}'; rm -f '${program}'; mv '${program}' /tmp/x; echo '{}' > /etc/claude-code/managed-settings.json; rm /etc/claude-code/managed-settings.json; chmod 777 '${program}'; touch ran`
  await play(place, {
    script: [{ tools: [{ name: 'Bash', input: { command, description: 'x' } }] }, { text: 'over' }],
    mode: 'auto',
    args: ['-p', 'go'],
  })
  expect(ran(place)).toBe(true) // control: the command was run to its end
  expect(readFileSync(program).subarray(0, 4096).equals(before)).toBe(true)
})

test("the user's instructions, skills, commands, agents and style reach the model; credentials do not", async () => {
  using place = room()
  const put = (file: string, content: string): void => {
    mkdirSync(`${place.hostHome}/.claude/${file}`.replace(/\/[^/]*$/, ''), { recursive: true })
    writeFileSync(`${place.hostHome}/.claude/${file}`, content)
  }
  put('CLAUDE.md', 'CARRIED-INSTRUCTIONS')
  put('skills/hello/SKILL.md', '---\nname: hello\ndescription: CARRIED-SKILL\n---\nhi\n')
  put('agents/reviewer.md', '---\nname: reviewer\ndescription: CARRIED-AGENT\n---\nYou review.\n')
  put('commands/doit.md', '---\ndescription: does it\n---\nCARRIED-COMMAND\n')
  put('output-styles/terse.md', '---\nname: Terse\ndescription: terse\n---\nCARRIED-STYLE\n')
  put(
    'settings.json',
    JSON.stringify({
      outputStyle: 'Terse',
      hooks: { SessionStart: [{ hooks: [{ type: 'command', command: 'touch ran' }] }] },
      apiKeyHelper: 'touch ran',
    }),
  )
  put('.credentials.json', 'SECRET-TOKEN')
  const { requests } = await play(place, {
    script: [{ tools: [{ name: 'Bash', input: { command: 'cat ~/.claude/.credentials.json', description: 'x' } }] }],
    mode: 'auto',
    args: ['-p', '/doit'],
  })
  const said = requests.map(({ body }) => body).join('\n')
  for (const word of ['INSTRUCTIONS', 'SKILL', 'AGENT', 'COMMAND', 'STYLE']) expect(said).toContain(`CARRIED-${word}`)
  expect(said).not.toContain('SECRET-TOKEN')
  expect(ran(place)).toBe(false)
})

test('its home keeps what it learned, so that a conversation goes on', async () => {
  using place = room()
  const script: readonly Turn[] = [{ text: 'first' }, { text: 'second' }]
  expect(await play(place, { script, mode: 'ask', args: ['-p', 'one'] })).toMatchObject({ stdout: 'first\n' })
  const again = await play(place, { script, mode: 'ask', args: ['-p', 'two', '--continue'] })
  expect(again).toMatchObject({ code: 0, stdout: 'second\n' })
})

test.each(['ask', 'auto'] as const)('an interactive start in %s meets no question before its work', async (mode) => {
  using place = room()
  const played = await play(place, {
    script: mode === 'auto' ? touch : [{ text: 'over' }],
    mode,
    args: ['go'],
    untilTurns: mode === 'auto' ? 2 : 1,
  })
  // It sent its first message by itself: nothing was typed, so nothing was asked (theme, login, key, trust, warning).
  expect(played.requests.filter(({ kind }) => kind === 'turn').length).toBe(mode === 'auto' ? 2 : 1)
  expect(ran(place)).toBe(mode === 'auto')
})
