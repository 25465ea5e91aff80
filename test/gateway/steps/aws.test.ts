// The step that signs with an AWS key, as a function of one request: what its binding holds besides the signature itself (attacks.md SEC-25, PRX-26).
import { expect, it } from 'vitest'
import { awsStep } from '../../../src/gateway/steps/aws.ts'
import type { StepResult } from '../../../src/gateway/steps/step.ts'
import type { SecretRule } from '../../../src/model/secret.ts'
import { held, key, place } from './secrets.ts'

async function ask(more: Partial<SecretRule>, request: { method?: string; path: string; websocket?: boolean }): Promise<StepResult> {
  const part = (name: 'id' | 'secret', value: string, placeholder: string) =>
    held({ name, value, placeholder }, { hosts: place('bucket.thing.test'), where: [], aws: { part: name }, ...more })
  const step = awsStep([part('id', 'AKIAREAL', 'AKIAHELD'), part('secret', 'real-secret', 'held-secret')], {
    used: () => undefined,
    echoed: () => undefined,
  })
  if (step === undefined) throw new Error('no step')
  return step.request({
    target: { host: key('bucket.thing.test'), port: 443 },
    safe: true,
    fields: [],
    websocket: false,
    body: { length: 0, peek: async () => Buffer.alloc(0), whole: async () => Buffer.alloc(0) },
    method: 'GET',
    ...request,
  })
}

it.each([
  ['/public/a', 'pass'],
  ['/public/a?x=1', 'pass'],
  ['/private/a', 'path'],
  ['/public/../private/a', 'odd-path'],
  ['/public/%2e%2e/private/a', 'odd-path'],
  ['/public/..%2Fprivate/a', 'odd-path'],
  ['/public//a', 'odd-path'],
  ['/public/;/../private/a', 'odd-path'],
])('paths of the binding are held to their one form: %s', async (path, wanted) => {
  const result = await ask({ paths: ['/public/**'] }, { path })
  expect(result.kind === 'refuse' ? result.refusal.code : result.kind).toBe(wanted)
  if (result.kind === 'refuse') expect(result.refusal.remedy).toContain('name the path under paths:')
})

it('methods too, also one that the query asks for', async () => {
  const limited = { methods: ['GET'] }
  expect(await ask(limited, { path: '/a' })).toEqual({ kind: 'pass' })
  expect(await ask(limited, { path: '/a', method: 'DELETE' })).toMatchObject({ refusal: { code: 'method' } })
  expect(await ask(limited, { path: '/a?_method=DELETE' })).toMatchObject({ refusal: { code: 'method-override' } })
})

it('a WebSocket is refused unless the binding has it: what passes in one could be signed by somebody else', async () => {
  expect(await ask({}, { path: '/stream', websocket: true })).toMatchObject({ refusal: { code: 'secret-websocket' } })
  expect(await ask({ websocket: true }, { path: '/stream', websocket: true })).toEqual({ kind: 'pass' })
})
