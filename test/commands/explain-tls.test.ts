// `explain host` says whether TLS is ended and why, in words and as JSON; a run agrees (test/run/ended.test.ts).
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { anchorhold, makeWorld } from '../support/anchorhold.ts'

const options = ['--allow', 'plain.test', '--allow', 'db.test:5432', '--route', 'api.test:443=http://127.0.0.1:8080']

it('names the reason, or that there is none', async () => {
  const world = makeWorld()
  const folder = path.join(world.home, '.config', 'anchorhold')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    path.join(folder, 'policy.yaml'),
    'network:\n  allow: [pinned.test, { host: read.test, methods: [GET] }]\n  passThrough: [pinned.test]\n',
  )
  const explained = async (host: string) => {
    const { stdout } = await anchorhold(world, ['explain', 'host', '--json', ...options, '--', host])
    return (JSON.parse(stdout) as { tls?: unknown }).tls
  }
  expect(await explained('api.test:443')).toEqual({ ended: true, why: 'its route leads to plain HTTP at 127.0.0.1 port 8080' })
  expect(await explained('read.test:443')).toEqual({ ended: true, why: 'the rule read.test (GET) is about methods and paths' })
  expect(await explained('plain.test:443')).toEqual({ ended: false, why: 'nothing here needs to read what passes' })
  expect(await explained('db.test:5432')).toMatchObject({ ended: false })
  expect(await explained('pinned.test:443')).toEqual({ ended: false, why: 'network.passThrough names it' })
  expect(await explained('evil.test:443')).toBeUndefined()
  const { stdout } = await anchorhold(world, ['explain', 'host', ...options, '--', 'api.test:443', 'plain.test:443'])
  expect(stdout).toContain('TLS is ended by the gateway: its route leads to plain HTTP at 127.0.0.1 port 8080\n')
  expect(stdout).toContain('TLS is passed on as it is: nothing here needs to read what passes\n')
})
