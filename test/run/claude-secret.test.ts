// The real Claude Code works in a cell with a placeholder only: an API key, a long-lived token, a login with rotating tokens. A search of
// everything the cell can read, and of everything that left to somewhere else, finds the credential nowhere.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { formsOf } from '../../src/secrets/forms.ts'
import type { Script } from '../../src/standin/script.ts'
import { startStandin, type Standin } from '../../src/standin/start.ts'
import { cachedClaude, claudeData } from '../agents/claude-cache.ts'
import { startEndpoint } from '../secrets/login/endpoint.ts'
import { anchorhold, makeWorld, type Outcome, type World } from '../support/anchorhold.ts'

beforeAll(async () => void (await cachedClaude()), 300_000)

/** The agent looks for the credential where a thief would, sends what it finds to the API as well, and does its work. */
const look = 'env > env.txt; cat /proc/[0-9]*/environ > environ.txt 2>/dev/null; cat env.txt; echo done > work.txt'
const script: Script = [
  { text: 'Looking.', tools: [{ name: 'Bash', input: { command: look, description: 'work' } }] },
  { text: 'All done.' },
]

async function model(apiKey?: string): Promise<Standin> {
  const standin = await startStandin({ script, ...(apiKey === undefined ? {} : { apiKey }) })
  onTestFinished(() => standin.close())
  return standin
}

function claude(world: World, standin: Standin, env: Readonly<Record<string, string>>, more: readonly string[] = []): Promise<Outcome> {
  const route = ['--route', `api.anthropic.com:443=http://127.0.0.1:${standin.port}`]
  return anchorhold(world, ['run', '--verbose', '--mode', 'auto', ...route, ...more, 'claude', '-p', 'Do the work.'], {
    env: { XDG_DATA_HOME: data(world), ...env },
    timeoutMilliseconds: 200_000,
  })
}

/** The installation from the cache, the rest of the data folder the world's own. */
function data(world: World): string {
  const folder = path.join(world.home, 'data')
  const agents = path.join(folder, 'anchorhold', 'agents')
  mkdirSync(path.dirname(agents), { recursive: true })
  if (!existsSync(agents)) symlinkSync(path.join(claudeData, 'anchorhold', 'agents'), agents)
  return folder
}

/** Files below the world, but for those named, that hold the value in any form. */
function found(world: World, value: string, except: readonly string[] = []): readonly string[] {
  const forms = [...new Set(formsOf(value).values())]
  return readdirSync(world.home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !except.includes(file))
    .filter((file) => {
      const text = readFileSync(file, 'latin1')
      return forms.some((form) => text.includes(form))
    })
}

function works(world: World, done: Outcome): void {
  expect(done.code, done.stderr + done.stdout).toBe(0)
  expect(done.stdout).toContain('All done.')
  expect(readFileSync(path.join(world.project, 'work.txt'), 'utf8')).toBe('done\n')
  expect(readFileSync(path.join(world.project, 'environ.txt'), 'latin1')).toContain('=sk-ant-')
}

const fresh = (prefix: string): string =>
  `${prefix}${Array.from({ length: 80 }, () => 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789'[Math.floor(Math.random() * 54)]).join('')}`

it('an API key of the environment: Claude Code works, the key is nowhere; without the wall (weakened) the same search finds it', async () => {
  const world = makeWorld()
  const value = fresh('sk-ant-api03-')
  const standin = await model(value)
  const done = await claude(world, standin, { ANTHROPIC_API_KEY: value })
  works(world, done)
  expect(standin.requests.filter(({ kind }) => kind === 'turn').length).toBeGreaterThanOrEqual(2)
  expect(found(world, value)).toEqual([])
  expect(JSON.stringify(standin.requests.map(({ body }) => body))).not.toContain(value)
  expect(done.stdout + done.stderr).not.toContain(value)
  expect(done.stderr).toContain('secret ANTHROPIC_API_KEY put in')

  const weak = makeWorld()
  await claude(weak, standin, { ANTHROPIC_API_KEY: value }, ['--env', 'ANTHROPIC_API_KEY'])
  expect(found(weak, value).some((file) => file.endsWith('/environ.txt'))).toBe(true)
}, 240_000)

it('a long-lived login token of the environment', async () => {
  const world = makeWorld()
  const value = fresh('sk-ant-oat01-')
  const standin = await model(value)
  const done = await claude(world, standin, { CLAUDE_CODE_OAUTH_TOKEN: value })
  works(world, done)
  expect(found(world, value)).toEqual([])
  expect(JSON.stringify(standin.requests.map(({ body }) => body))).not.toContain(value)
}, 240_000)

it('the login file of the host: refreshed outside, once, for several cells at once; neither token is ever inside', async () => {
  const world = makeWorld()
  const endpoint = await startEndpoint()
  const standin = await model()
  const folder = path.join(world.home, '.claude')
  const file = path.join(folder, '.credentials.json')
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, endpoint.file(Date.now() - 1000), { mode: 0o600 })
  const route = ['--route', `platform.claude.com:443=http://127.0.0.1:${endpoint.port}`]
  const projects = ['one', 'two', 'three'].map((name) => path.join(world.home, 'work', name))
  for (const project of projects) mkdirSync(project)
  const all = await Promise.all(projects.map((project) => claude({ ...world, project }, standin, {}, route)))
  for (const [index, done] of all.entries()) works({ ...world, project: projects[index] ?? '' }, done)
  expect(endpoint.asked.map(({ status }) => status)).toEqual([200])
  const tokens = [
    ...endpoint.given,
    String(endpoint.asked[0]?.body['refresh_token']),
    JSON.parse(readFileSync(file, 'utf8')).claudeAiOauth.refreshToken as string,
  ]
  for (const token of tokens) expect(found(world, token, [file])).toEqual([])
  for (const token of tokens) expect(JSON.stringify(standin.requests.map(({ body }) => body))).not.toContain(token)
}, 240_000)
