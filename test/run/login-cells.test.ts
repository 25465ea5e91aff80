// Ten cells at once share one login whose tokens are used once: each request rotates them, outside, by one holder at a time; none is ever inside.
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startEndpoint } from '../secrets/login/endpoint.ts'
import { anchorhold, makeWorld, type World } from '../support/anchorhold.ts'

/** In the place of Claude Code: asks the API twice with the credential that it finds, and tells what it has and what came back. */
const program = `#!/usr/bin/env node
const token = process.env.CLAUDE_CODE_OAUTH_TOKEN
const answers = []
for (const at of [1, 2]) {
  const answer = await fetch('https://api.anthropic.com/v1/messages', { method: 'POST', headers: { authorization: 'Bearer ' + token }, body: '{}' })
  answers.push(answer.status + ' ' + (await answer.text()))
}
console.log(JSON.stringify({ token, answers }))
`

function plantProgram({ home }: World): string {
  const folder = path.join(home, 'tools/lib/node_modules/@anthropic-ai/claude-code')
  const bin = path.join(home, 'tools/bin')
  mkdirSync(folder, { recursive: true })
  mkdirSync(bin)
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: '@anthropic-ai/claude-code', version: '9.9.9', type: 'module' }))
  writeFileSync(path.join(folder, 'cli.js'), program)
  chmodSync(path.join(folder, 'cli.js'), 0o755)
  symlinkSync(path.join(folder, 'cli.js'), path.join(bin, 'claude'))
  return bin
}

/** Sends back what it was asked with. */
async function api(): Promise<{ readonly port: number; readonly seen: string[] }> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization ?? '')
    request.resume()
    response.end(`you are ${request.headers.authorization}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, seen }
}

it('each gets answers, no refresh token is used twice, and no token is inside', async () => {
  const world = makeWorld()
  // So short that every request finds it near its end.
  const endpoint = await startEndpoint({ lifetime: 120, delayMilliseconds: 20 })
  const server = await api()
  const bin = plantProgram(world)
  const file = path.join(world.home, '.claude', '.credentials.json')
  mkdirSync(path.dirname(file))
  writeFileSync(file, endpoint.file(Date.now() - 1_000), { mode: 0o600 })
  const routes = [`api.anthropic.com:443=http://127.0.0.1:${server.port}`, `platform.claude.com:443=http://127.0.0.1:${endpoint.port}`]
  const done = await Promise.all(
    Array.from({ length: 10 }, (_, at) => {
      const project = path.join(world.home, 'work', `p${at}`)
      mkdirSync(project)
      return anchorhold({ ...world, project }, ['run', ...routes.flatMap((route) => ['--route', route]), 'claude'], {
        env: { PATH: `${bin}:${world.env['PATH'] ?? ''}` },
        timeoutMilliseconds: 200_000,
      })
    }),
  )
  const told = done.map(({ code, stdout, stderr }) => {
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout) as { readonly token: string; readonly answers: readonly string[] }
  })
  expect(new Set(told.map(({ token }) => token)).size).toBe(10) // a placeholder each
  for (const { token, answers } of told) expect(answers).toEqual([`200 you are Bearer ${token}`, `200 you are Bearer ${token}`])
  expect(server.seen.length).toBe(20)
  for (const authorization of server.seen) expect(endpoint.given).toContain(authorization.slice('Bearer '.length))
  expect(endpoint.asked.length).toBeGreaterThan(1)
  expect(endpoint.asked.filter(({ status }) => status !== 200)).toEqual([])
  const inside = JSON.stringify(done)
  for (const token of [...endpoint.given, ...endpoint.asked.map(({ body }) => String(body['refresh_token']))])
    expect(inside).not.toContain(token)
  const kept = JSON.parse(readFileSync(file, 'utf8')) as { readonly claudeAiOauth: { readonly accessToken: string } }
  expect(kept.claudeAiOauth.accessToken).toBe(endpoint.given.at(-1))
}, 240_000)
