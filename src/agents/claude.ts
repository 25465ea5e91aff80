// Claude Code as an agent: where it is, what its home starts with, which of its rules and switches a permission mode
// means. Next to it: locate.ts finds programs, home-file.ts writes starting files, carry.ts brings the user's set-up.
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { Agent, AgentContext, Distribution, Prepared } from '../model/agent.ts'
import type { Finding } from '../model/engine.ts'
import type { Mount } from '../model/plan.ts'
import { carriedMounts, userJson } from './carry.ts'
import { claudeSecrets } from './claude-credentials.ts'
import { claudeFolder } from './claude-folder.ts'
import { readObject, updateJson, type JsonObject } from './home-file.ts'
import type { Installation } from './installation.ts'
import { locateAll, searchedPlaces, type Search } from './locate.ts'
import { commonPassEnv } from './pass-env.ts'
import { nodeToolchain } from './toolchain.ts'
import { compareVersions } from './version.ts'

const title = 'Claude Code'

export const claudeDistribution: Distribution = {
  program: 'claude',
  package: '@anthropic-ai/claude-code',
  pinned: '2.1.330',
  floor: { version: '2.1.53', why: 'CVE-2026-33068' }, // older ones let a repository's settings choose the permission mode
  platformProgram: 'claude',
  integrity: {
    'linux-x64': 'sha512-9Gn+V7DtJ8M1nztP9CeDVl9g3RtrepI7rOFTyPRRnZe8D6zebIHKmC7OvBauucuAP0X0k85SDN/LPVZyjsGezQ==',
    'linux-arm64': 'sha512-V4yanAY5EA5UpwwRPtjSfqDbNqAlUJeVn3NYZw2AgmRHjdpSsLtHAzbxRXfkAnbjwTXzE0uedjQxUY02ARPcsA==',
    'linux-x64-musl': 'sha512-OnduSSPY1b59FA8jTbq20Y1XkDUV0S1OVyvYBNslEbpX79P81JF7Ih4lgYvDKiFnnSv75z4Kv6qLE5DQqogYXA==',
    'linux-arm64-musl': 'sha512-NemfeTqZ30tQDhAeumZgDYoX4ewhAHkN3dbcsyvlgb+yvpKUlcYu5Bor8K+Du5azGe3uy9sftlJxbGhTsCR7zA==',
  },
  homePrograms: [
    '.local/bin/claude', // native installer: a link into ~/.local/share/claude/versions
    '.local/share/claude/versions/*',
    '.claude/local/claude', // the former local installer: a launcher script
    '.volta/bin/claude',
    '.nvm/versions/node/*/bin/claude',
    '.local/share/fnm/node-versions/*/installation/bin/claude',
    '.local/share/mise/installs/node/*/bin/claude',
    '.asdf/installs/nodejs/*/bin/claude',
    '.npm-global/bin/claude',
    '.local/share/pnpm/claude',
    '.bun/bin/claude',
  ],
}

const { floor } = claudeDistribution
const ownInstall = `npm install -g ${claudeDistribution.package}`

export const claude: Agent = {
  name: 'claude',
  title,
  presets: ['claude'],
  passEnv: [
    ...commonPassEnv,
    'ANTHROPIC_MODEL',
    'ANTHROPIC_SMALL_FAST_MODEL',
    'ANTHROPIC_DEFAULT_OPUS_MODEL',
    'ANTHROPIC_DEFAULT_SONNET_MODEL',
    'ANTHROPIC_DEFAULT_HAIKU_MODEL',
    'MAX_THINKING_TOKENS',
    'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
    'BASH_DEFAULT_TIMEOUT_MS',
    'BASH_MAX_TIMEOUT_MS',
    'CLAUDE_CODE_DISABLE_TERMINAL_TITLE',
  ],
  distribution: claudeDistribution,
  examine,
  secrets: claudeSecrets,
  prepare,
}

async function examine(search: Search): Promise<readonly Finding[]> {
  const found = await locateAll(claudeDistribution, search)
  const chosen = found.find(isNewEnough)
  if (chosen !== undefined)
    return [{ id: 'agent-claude', level: 'ok', what: `${title} ${chosen.version} (${chosen.how}) at ${chosen.path}` }]
  const old = found[0]
  const what =
    old === undefined ? `${title} is not installed` : `${title} ${old.version} at ${old.path} is older than ${floor.version} (${floor.why})`
  return [
    {
      id: 'agent-claude',
      level: 'missing',
      what,
      remedy: 'anchorhold agents install claude',
      fix: ['anchorhold', 'agents', 'install', 'claude'],
    },
  ]
}

/**
 * The installation that a run uses.
 * @throws Failure 'agent/not-installed', 'agent/too-old'
 */
export async function findClaude(search: Search): Promise<Installation> {
  const found = await locateAll(claudeDistribution, search)
  const chosen = found.find(isNewEnough)
  if (chosen !== undefined) return chosen
  const facts = { title, name: 'claude', own: ownInstall }
  const old = found[0]
  if (old === undefined) throw new Failure('agent/not-installed', { ...facts, searched: searchedPlaces(claudeDistribution) })
  throw new Failure('agent/too-old', { ...facts, version: old.version, path: old.path, floor: floor.version, why: floor.why })
}

function isNewEnough(installation: Installation): boolean {
  return compareVersions(installation.version, floor.version) >= 0
}

async function prepare(context: AgentContext): Promise<Prepared> {
  const args = withSwitches(context)
  const { installed } = context
  const installation =
    installed === undefined ? await findClaude(context) : { argv: [installed.path], mounts: [], version: installed.version }
  await writeHome(context, installation.version)
  return {
    argv: [...installation.argv, ...args],
    env: {
      DISABLE_AUTOUPDATER: '1',
      DISABLE_INSTALLATION_CHECKS: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1', // it fetches from github.com, unasked
      ...(context.mode === 'auto' ? { IS_SANDBOX: '1' } : {}),
    },
    mounts: [
      ...(context.fromImage === true ? [] : await nodeToolchain(context)),
      ...installation.mounts,
      { kind: 'dir', to: managedFolder, mode: 0o755 },
      { kind: 'file', to: `${managedFolder}/managed-settings.json`, content: `${JSON.stringify(managedSettings(context), null, 2)}\n` },
      ...(await carriedSetUp(context)),
    ],
  }
}

/** Claude Code's switches that end its prompts; given by anchorhold alone, in `auto` alone. */
function withSwitches({ args, mode }: AgentContext): readonly string[] {
  const end = args.indexOf('--')
  const own = end < 0 ? args : args.slice(0, end)
  const modeAt = own.findIndex((arg) => /^--permission-mode(?:=|$)/.test(arg))
  if (mode !== 'auto') {
    const argument = own.find((arg, at) => skipsPermissions(arg, own[at + 1]))
    if (argument !== undefined) throw new Failure('agent/skip-permissions', { argument, mode, title, name: 'claude' })
    return args
  }
  if (own.includes('--dangerously-skip-permissions')) return args
  // A mode of the user's own (plan, acceptEdits) stays the one it starts in; the other remains one key away.
  return [modeAt < 0 ? '--dangerously-skip-permissions' : '--allow-dangerously-skip-permissions', ...args]
}

function skipsPermissions(arg: string, next: string | undefined): boolean {
  const [name = '', value] = arg.split('=', 2)
  if (/^--(?:allow-)?dangerously-skip-permissions$/i.test(name)) return true
  return name === '--permission-mode' && /^bypass-?permissions$/i.test(value ?? next ?? '')
}

const managedFolder = '/etc/claude-code'

/** Managed settings are above every file the agent can write, so a mode holds whatever a project's settings say. */
function managedSettings({ mode, allow }: AgentContext): JsonObject {
  const always = {
    sandbox: { enabled: false }, // a second sandbox cannot be built inside the cell, and is not needed there
  }
  if (mode === 'auto') return { ...always, skipDangerousModePermissionPrompt: true }
  const prompts = { disableBypassPermissionsMode: 'disable', disableAutoMode: 'disable', defaultMode: 'default' }
  if (mode === 'ask') return { ...always, permissions: prompts }
  return { ...always, permissions: { ...prompts, allow: [...allow] }, allowManagedPermissionRulesOnly: true, allowManagedHooksOnly: true }
}

/** What an interactive start would ask about first; only what is missing is added. */
async function writeHome({ homeFolder, project, mode, env, hostEnv, hostHome }: AgentContext, version: string): Promise<void> {
  await updateJson(homeFolder, '.claude.json', (state) => {
    const key = env?.['ANTHROPIC_API_KEY']
    const projects = readObject(state['projects'])
    return {
      hasCompletedOnboarding: true,
      lastOnboardingVersion: version,
      theme: 'dark',
      ...state,
      ...(mode === 'auto' ? { bypassPermissionsModeAccepted: true } : {}),
      ...(key === undefined ? {} : { customApiKeyResponses: approving(key, state['customApiKeyResponses']) }),
      // Claude Code notes "not trusted" by itself when it first sees a folder; a cell was asked for by the user.
      projects: {
        ...projects,
        [project]: { hasCompletedProjectOnboarding: true, ...readObject(projects[project]), hasTrustDialogAccepted: true },
      },
    }
  })
  const wishes = await userWishes(claudeFolder({ hostEnv, hostHome }))
  if (Object.keys(wishes).length > 0) await updateJson(homeFolder, '.claude/settings.json', (settings) => ({ ...wishes, ...settings }))
}

/** A placeholder is another one in every session. */
const mostApproved = 20

/** Claude Code knows an approved key by its last 20 characters. */
function approving(key: string, responses: unknown): JsonObject {
  const known = readObject(responses)
  const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
  const suffix = key.trim().slice(-20)
  const approved = list(known['approved'])
  const rejected = list(known['rejected']).filter((entry) => entry !== suffix)
  return { ...known, approved: approved.includes(suffix) ? approved : [...approved, suffix].slice(-mostApproved), rejected }
}

/** Settings of taste. Never one that runs code, holds a secret, names a server or widens a permission. */
const tastes = [
  'model',
  'language',
  'outputStyle',
  'alwaysThinkingEnabled',
  'effortLevel',
  'includeCoAuthoredBy',
  'spinnerTipsEnabled',
  'theme',
  'editorMode',
] as const

async function userWishes(folder: string): Promise<JsonObject> {
  const settings = await userJson(path.join(folder, 'settings.json'))
  const kept = tastes.flatMap((name) => {
    const value = settings[name]
    return typeof value === 'string' || typeof value === 'boolean' ? [[name, value] as const] : []
  })
  return Object.fromEntries(kept)
}

/** Read by Claude Code beside the managed settings, so nothing is mounted into a home that the agent can write. */
async function carriedSetUp(context: AgentContext): Promise<readonly Mount[]> {
  const from = claudeFolder(context)
  const folders = ['skills', 'commands', 'agents', 'output-styles', 'rules']
  const wanted = [
    { from: path.join(from, 'CLAUDE.md'), to: `${managedFolder}/CLAUDE.md` },
    ...folders.map((name) => ({ from: path.join(from, name), to: `${managedFolder}/.claude/${name}` })),
  ]
  return carriedMounts(wanted, { ...context, folder: from })
}
