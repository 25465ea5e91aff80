// A login shared by many: the refresh token is used once, the file keeps what else it has, and a lock of the agent's own is waited for.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Ask } from '../../../src/model/secret.ts'
import { holdLogin, readLogin } from '../../../src/secrets/login/hold.ts'
import { startEndpoint, type Endpoint } from './endpoint.ts'

const hour = 3_600_000

interface Scene {
  readonly folder: string
  readonly file: string
  readonly endpoint: Endpoint
  /** Another holder of the same file, as another cell's anchorhold has one. */
  readonly hold: () => ReturnType<typeof holdLogin>
  readonly stored: () => { readonly claudeAiOauth: Readonly<Record<string, unknown>>; readonly mcpOAuth: unknown }
}

async function open(expiresIn: number, delayMilliseconds = 0): Promise<Scene> {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-login-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }))
  const folder = path.join(root, '.claude')
  const file = path.join(folder, '.credentials.json')
  const endpoint = await startEndpoint({ delayMilliseconds })
  mkdirSync(folder)
  writeFileSync(file, endpoint.file(Date.now() + expiresIn), { mode: 0o600 })
  const ask: Ask = (place, { method, path: target, fields, body }) =>
    new Promise((resolve, reject) => {
      expect(place).toEqual({ host: 'platform.claude.com', port: 443 })
      const sent = request({ port: endpoint.port, method, path: target, headers: fields }, (response) => {
        void response
          .toArray()
          .then((pieces) => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString() }), reject)
      })
      sent.on('error', reject).end(body)
    })
  const source = { kind: 'login', format: 'claude', path: file } as const
  return {
    folder,
    file,
    endpoint,
    hold: () => holdLogin({ name: 'LOGIN' }, source, endpoint.given[0] ?? '', ask),
    stored: () => JSON.parse(readFileSync(file, 'utf8')) as ReturnType<Scene['stored']>,
  }
}

test('a login that has time left is used as it is; nobody is asked', async () => {
  const { hold, endpoint, file } = await open(hour)
  const before = readFileSync(file, 'utf8')
  expect(await hold().current()).toBe(endpoint.given[0])
  expect(endpoint.asked).toEqual([])
  expect(readFileSync(file, 'utf8')).toBe(before)
})

test('one that ended is refreshed once, by one of ten, and all have the new one; the file keeps the rest and its mode', async () => {
  const { hold, endpoint, stored, file, folder } = await open(-hour, 50)
  const holders = Array.from({ length: 10 }, hold)
  const tokens = await Promise.all(holders.flatMap((holder) => [holder.current(), holder.current()]))
  expect(endpoint.asked.map(({ status }) => status)).toEqual([200])
  expect(endpoint.asked[0]?.body).toMatchObject({ grant_type: 'refresh_token', scope: 'user:inference' })
  expect(new Set(tokens)).toEqual(new Set([endpoint.given[1]]))
  expect(stored()).toMatchObject({
    claudeAiOauth: { accessToken: endpoint.given[1], subscriptionType: 'max', scopes: ['user:inference', 'user:profile'] },
    mcpOAuth: { kept: true },
  })
  expect(stored().claudeAiOauth['expiresAt']).toBeGreaterThan(Date.now() + 7 * hour)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(existsSync(path.join(folder, '.oauth_refresh.lock'))).toBe(false)
  expect(existsSync(`${folder}.lock`)).toBe(false)
  expect(holders[0]?.values()).toEqual([endpoint.given[0], endpoint.given[1]])
})

test("the agent's own lock is waited for, and what the agent wrote meanwhile is used", async () => {
  const { hold, endpoint, file, folder } = await open(-hour)
  mkdirSync(path.join(folder, '.oauth_refresh.lock'))
  const waiting = hold().current()
  const theirs = `sk-ant-oat01-${'theirs000'.repeat(9)}`
  writeFileSync(file, JSON.stringify({ claudeAiOauth: { accessToken: theirs, refreshToken: 'x', expiresAt: Date.now() + hour } }))
  expect(await waiting).toBe(theirs)
  expect(endpoint.asked).toEqual([])
})

test('a lock whose holder is gone is taken over', async () => {
  const { hold, endpoint, folder } = await open(-hour)
  const lock = path.join(folder, '.oauth_refresh.lock')
  mkdirSync(lock)
  utimesSync(lock, new Date(Date.now() - 120_000), new Date(Date.now() - 120_000))
  expect(await hold().current()).toBe(endpoint.given[1])
})

test('near its end a login that cannot be refreshed still works; past it the reason is told, without a token', async () => {
  const near = await open(2 * 60_000)
  writeFileSync(near.file, readFileSync(near.file, 'utf8').replace(/"refreshToken":"[^"]*"/, '"refreshToken":"wrong-and-used"'))
  expect(await near.hold().current()).toBe(near.endpoint.given[0])
  const past = await open(-hour)
  writeFileSync(past.file, readFileSync(past.file, 'utf8').replace(/"refreshToken":"[^"]*"/, '"refreshToken":"wrong-and-used"'))
  const failure: unknown = await past
    .hold()
    .current()
    .catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'secret/login-ended' })
  expect(String(failure)).toContain('refused to refresh it (400)')
  expect(JSON.stringify(failure) + String(failure)).not.toMatch(/sk-ant|wrong-and-used/)
})

test('a file that is a link stays one', async () => {
  const { hold, endpoint, file, folder } = await open(-hour)
  const real = path.join(folder, 'elsewhere.json')
  writeFileSync(real, readFileSync(file), { mode: 0o600 })
  rmSync(file)
  symlinkSync(real, file)
  expect(await hold().current()).toBe(endpoint.given[1])
  expect(lstatSync(file).isSymbolicLink()).toBe(true)
  expect(readFileSync(real, 'utf8')).toContain(endpoint.given[1])
})

test('no login is a failure that says how to log in', async () => {
  const { file } = await open(hour)
  writeFileSync(file, '{"mcpOAuth":{}}')
  await expect(readLogin('LOGIN', { kind: 'login', format: 'claude', path: file })).rejects.toMatchObject({ code: 'secret/no-login' })
})
