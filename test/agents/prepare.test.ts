import { lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { claude } from '../../src/agents/claude.ts'
import { findAgent, isAgent } from '../../src/agents/list.ts'
import type { AgentContext } from '../../src/model/agent.ts'
import { machine, type Machine } from './fixtures.ts'

function context(host: Machine, more: Partial<AgentContext> = {}): AgentContext {
  host.npmPackage('opt/lib/node_modules', '2.1.330', 'linked')
  rmSync(`${host.root}/opt/bin`, { recursive: true, force: true })
  host.link('opt/bin/claude', '../lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe')
  return {
    hostEnv: { PATH: `${host.root}/opt/bin` },
    hostHome: host.home,
    project: '/work/app',
    homeFolder: `${host.root}/cell-home`,
    home: '/home/agent',
    mode: 'ask',
    allow: [],
    args: [],
    ...more,
  }
}
const state = (host: Machine, file = '.claude.json') =>
  JSON.parse(readFileSync(`${host.root}/cell-home/${file}`, 'utf8')) as Record<string, never>
const managed = (mounts: readonly { kind: string; to: string; content?: string }[]) =>
  JSON.parse(
    mounts.find(({ kind, to }) => kind === 'file' && to === '/etc/claude-code/managed-settings.json')?.content ?? 'null',
  ) as Record<string, unknown>

test.each([
  ['--dangerously-skip-permissions'],
  ['--dangerously-skip-permissions=true'],
  ['--allow-dangerously-skip-permissions'],
  ['--permission-mode', 'bypassPermissions'],
  ['--permission-mode=bypassPermissions'],
  ['-p', 'x', '--dangerously-skip-permissions'],
])('a skip switch of the user is refused outside auto: %s %s', async (...args) => {
  using host = machine()
  for (const mode of ['ask', 'allow-listed'] as const) {
    const failure = await claude.prepare(context(host, { args, mode })).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'agent/skip-permissions' })
    expect((failure as { remedy: string }).remedy).toContain('--mode auto')
  }
})

test('arguments are untouched, and what comes after -- is text', async () => {
  using host = machine()
  const args = ['--permission-mode', 'plan', '-p', 'a b', '--', '--dangerously-skip-permissions']
  expect((await claude.prepare(context(host, { args }))).argv.slice(1)).toEqual(args)
})

test('auto: anchorhold gives the switch once, and leaves a mode of the user as the starting one', async () => {
  using host = machine()
  const argv = async (...args: string[]) => (await claude.prepare(context(host, { args, mode: 'auto' }))).argv.slice(1)
  expect(await argv('-p', 'x')).toEqual(['--dangerously-skip-permissions', '-p', 'x'])
  expect(await argv('--dangerously-skip-permissions')).toEqual(['--dangerously-skip-permissions'])
  expect(await argv('--permission-mode', 'plan')).toEqual(['--allow-dangerously-skip-permissions', '--permission-mode', 'plan'])
})

test('each mode is a managed settings file', async () => {
  using host = machine()
  const of = async (more: Partial<AgentContext>) => managed((await claude.prepare(context(host, more))).mounts)
  expect(await of({ mode: 'ask' })).toMatchObject({ permissions: { disableBypassPermissionsMode: 'disable', defaultMode: 'default' } })
  expect(await of({ mode: 'allow-listed', allow: ['Bash(git status:*)'] })).toMatchObject({
    allowManagedPermissionRulesOnly: true,
    allowManagedHooksOnly: true,
    permissions: { allow: ['Bash(git status:*)'], disableBypassPermissionsMode: 'disable' },
  })
  expect(await of({ mode: 'auto' })).not.toHaveProperty('permissions')
})

test('the home: only what is missing is added, the state of the agent stays', async () => {
  using host = machine()
  const key = 'sk-ant-0123456789012345678901234567890'
  host.file(
    'cell-home/.claude.json',
    JSON.stringify({
      theme: 'light',
      userID: 'kept',
      projects: { '/work/app': { hasTrustDialogAccepted: false, lastCost: 3 }, '/other': { a: 1 } },
    }),
  )
  await claude.prepare(context(host, { env: { ANTHROPIC_API_KEY: key } }))
  expect(state(host)).toMatchObject({
    theme: 'light',
    userID: 'kept',
    hasCompletedOnboarding: true,
    projects: { '/work/app': { hasTrustDialogAccepted: true, lastCost: 3 }, '/other': { a: 1 } },
    customApiKeyResponses: { approved: [key.slice(-20)] },
  })
  const before = lstatSync(`${host.root}/cell-home/.claude.json`).mtimeMs
  await claude.prepare(context(host, { env: { ANTHROPIC_API_KEY: key } }))
  expect(lstatSync(`${host.root}/cell-home/.claude.json`).mtimeMs).toBe(before)
})

test('a home that the agent booby-trapped: no link is followed, no pipe waited for', async () => {
  using host = machine()
  const victim = host.file('victim.json', '{"mine":true}')
  const settings = { model: 'opus' }
  host.file('home/.claude/settings.json', JSON.stringify(settings))
  mkdirSync(`${host.root}/cell-home`)
  const attempt = () => claude.prepare(context(host)).catch((error: unknown) => error)
  symlinkSync(victim, `${host.root}/cell-home/.claude.json`)
  expect(await attempt()).toMatchObject({ code: 'agent/home-unreadable' })
  rmSync(`${host.root}/cell-home/.claude.json`)
  execFileSync('mkfifo', [`${host.root}/cell-home/.claude.json`])
  expect(await attempt()).toMatchObject({ code: 'agent/home-unreadable' })
  rmSync(`${host.root}/cell-home/.claude.json`)
  writeFileSync(`${host.root}/cell-home/.claude.json`, '{broken')
  expect(await attempt()).toMatchObject({ code: 'agent/home-unreadable' })
  rmSync(`${host.root}/cell-home/.claude.json`)
  mkdirSync(`${host.root}/elsewhere`)
  symlinkSync(`${host.root}/elsewhere`, `${host.root}/cell-home/.claude`)
  expect(await attempt()).toMatchObject({ code: 'agent/home-unreadable' })
  expect(readFileSync(victim, 'utf8')).toBe('{"mine":true}')
  expect(() => lstatSync(`${host.root}/elsewhere/settings.json`)).toThrow()
  rmSync(`${host.root}/cell-home/.claude`)
  await claude.prepare(context(host)) // control: without the traps it works
  expect(state(host, '.claude/settings.json')).toEqual(settings)
})

test('settings that run code, hold secrets or widen permissions never come along', async () => {
  using host = machine()
  host.file(
    'home/.claude/settings.json',
    JSON.stringify({
      model: 'opus',
      language: 'de',
      env: { A: '1' },
      hooks: {},
      apiKeyHelper: 'x',
      statusLine: { command: 'x' },
      mcpServers: {},
      permissions: { allow: ['Bash'] },
      enabledPlugins: {},
      awsAuthRefresh: 'x',
      outputStyle: { not: 'a string' },
    }),
  )
  await claude.prepare(context(host))
  expect(state(host, '.claude/settings.json')).toEqual({ model: 'opus', language: 'de' })
})

test("the user's set-up is carried in read-only; links to secrets are left out, links to dotfiles resolved", async () => {
  using host = machine()
  host.file('home/.claude/CLAUDE.md', 'mine')
  host.file('home/.claude/commands/plain.md', 'plain')
  host.file('home/.claude/skills/one/SKILL.md', 'one')
  host.file('home/.claude/skills/one/.env', 'TOKEN=x')
  host.file('home/dotfiles/two/SKILL.md', 'two')
  const key = host.file('home/.ssh/id_ed25519', 'KEY')
  host.file('home/.claude/.credentials.json', 'TOKEN')
  host.link('home/.claude/skills/two', '../../dotfiles/two')
  host.link('home/.claude/skills/one/key', key)
  host.link('home/.claude/skills/ssh', '../../.ssh')
  host.link('home/.claude/skills/token', '../.credentials.json')
  host.link('home/.claude/skills/round', '.')
  host.link('home/.claude/agents', '../.ssh')
  const { mounts } = await claude.prepare(context(host))
  const at = (to: string) => mounts.find((mount) => mount.to === to)
  expect(at('/etc/claude-code/CLAUDE.md')).toMatchObject({ kind: 'bind', mode: 'ro', from: `${host.home}/.claude/CLAUDE.md` })
  expect(at('/etc/claude-code/.claude/commands')).toMatchObject({ from: `${host.home}/.claude/commands`, mode: 'ro' })
  expect(at('/etc/claude-code/.claude/agents')).toBeUndefined()
  const skills = at('/etc/claude-code/.claude/skills')
  const from = skills?.kind === 'bind' ? skills.from : ''
  expect(from).toMatch(/anchorhold\/carried\//)
  const listed = execFileSync('find', [from, '-type', 'f', '-printf', '%P\n'], { encoding: 'utf8' }).trim().split('\n').toSorted()
  expect(listed).toEqual(['one/SKILL.md', 'two/SKILL.md'])
  const again = (await claude.prepare(context(host))).mounts.find((mount) => mount.to === '/etc/claude-code/.claude/skills')
  expect(again).toEqual(skills)
})

test('nothing of the home is mounted: no credential, no hook, no history', async () => {
  using host = machine()
  for (const name of ['.credentials.json', 'hooks/x.sh', 'history.jsonl', 'plugins/p', 'projects/p.jsonl', 'settings.local.json'])
    host.file(`home/.claude/${name}`, 'SECRET')
  const { mounts } = await claude.prepare(context(host))
  expect(mounts.flatMap((mount) => (mount.kind === 'bind' ? [mount.from] : []))).toEqual([
    `${host.root}/opt/lib/node_modules/@anthropic-ai/claude-code`,
  ])
})

test('no credential and no address is passed from the caller', () => {
  expect(
    claude.passEnv.filter(
      (name) =>
        /KEY|TOKEN|SECRET|BASE_URL|AUTH|PROXY|CONFIG_DIR|NODE_OPTIONS|LD_/.test(name) &&
        name !== 'MAX_THINKING_TOKENS' &&
        name !== 'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
    ),
  ).toEqual([])
})

test('names', async () => {
  expect(isAgent('claude')).toBe(true)
  expect(isAgent('npm')).toBe(false)
  expect(() => findAgent('claud')).toThrow(/no agent named "claud"/)
  const plain = findAgent(undefined)
  using host = machine()
  await expect(plain.prepare(context(host, { args: [] }))).rejects.toMatchObject({ code: 'agent/no-command' })
  expect(await plain.prepare(context(host, { args: ['ls', '-l'] }))).toEqual({ argv: ['ls', '-l'], env: {}, mounts: [] })
})
