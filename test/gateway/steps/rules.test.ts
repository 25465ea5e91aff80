// The step of the rules: which hosts it concerns, and what it lets pass.
import { expect, it } from 'vitest'
import { canonicalHost } from '../../../src/policy/host-name.ts'
import { rulesStep } from '../../../src/gateway/steps/rules.ts'
import type { StepResult } from '../../../src/gateway/steps/step.ts'
import { allow, deny } from '../fixtures/rig.ts'

const rules = [
  allow('open.test'),
  allow('read.test', { methods: ['GET'], paths: ['/a/**'] }),
  allow('part.test'),
  { ...deny('part.test'), methods: ['DELETE'] },
  allow('graph.test', { methods: ['POST'], paths: ['/graphql'], graphql: 'query' }),
  allow('*.wild.test:8443', { methods: ['GET'] }),
]
const step = rulesStep({ rules, routes: [] })

function ask(name: string, method: string, path: string, body = ''): Promise<StepResult> | StepResult {
  const bytes = Buffer.from(body)
  return step.request({
    target: { host: canonicalHost(name), port: 443 },
    safe: true,
    websocket: false,
    method,
    path,
    fields: [['Content-Type', 'application/json']],
    body: { length: bytes.length, peek: async () => bytes, whole: async () => bytes },
  })
}

it('concerns the hosts with such rules, says why, and leaves the rest alone', () => {
  const about = (host: string, port = 443): string | undefined => step.concerns({ host: canonicalHost(host), port })
  expect(about('open.test')).toBeUndefined()
  expect(about('unknown.test')).toBeUndefined()
  expect(about('read.test')).toBe('the rule read.test (GET /a/**) is about methods and paths')
  expect(about('part.test')).toMatch(/DELETE/)
  expect(about('graph.test')).toMatch(/GraphQL/)
  expect(about('a.wild.test', 8443)).toMatch(/wild/)
  expect(about('a.wild.test')).toBeUndefined()
})

it('passes what a rule allows unchanged, and refuses the rest with the rule', async () => {
  expect(await ask('read.test', 'GET', '/a/b?c=%2e')).toEqual({ kind: 'pass' })
  expect(await ask('read.test', 'POST', '/a/b')).toMatchObject({ kind: 'refuse', refusal: { code: 'method' } })
  expect(await ask('read.test', 'GET', '/a/%2e%2e/b')).toMatchObject({ kind: 'refuse', refusal: { code: 'odd-path' } })
  expect(await ask('part.test', 'DELETE', '/a')).toMatchObject({ kind: 'refuse', refusal: { code: 'denied' } })
  expect(await ask('part.test', 'PUT', '/a')).toEqual({ kind: 'pass' })
  expect(await ask('graph.test', 'POST', '/graphql', '{"query":"{a}"}')).toEqual({ kind: 'pass' })
  expect(await ask('graph.test', 'POST', '/graphql', '{"query":"mutation{a}"}')).toMatchObject({
    kind: 'refuse',
    refusal: { code: 'graphql' },
  })
})
