// The cell's variables: whatever else sets the name of a secret, the placeholder is what stands there.
import { expect, it } from 'vitest'
import type { EnvRule } from '../../src/model/policy.ts'
import { makeEnvironment } from '../../src/plan/environment.ts'
import { makeIdentity } from '../../src/plan/identity.ts'

const origin = { kind: 'user', source: 'test' } as const
const input = {
  hostEnv: { TOKEN: 'the-real-value', TERM: 'xterm' },
  identity: makeIdentity({ uid: 1000, gid: 1000 }),
  agentEnv: {},
  passEnv: [] as readonly string[],
  rules: [] as readonly EnvRule[],
  visible: [],
  placeholders: { TOKEN: 'the-stand-in-x' },
}

it.each([
  ['nothing else', {}],
  ['a rule that passes it on', { rules: [{ name: 'TOKEN', origin }] }],
  ['a rule that sets it', { rules: [{ name: 'TOKEN', value: 'the-real-value', origin }] }],
  ['the agent, which passes it on', { passEnv: ['TOKEN'] }],
  ['the agent, which sets it', { agentEnv: { TOKEN: 'the-real-value' } }],
])('a secret wins over %s', (_what, more) => {
  const { env, unset } = makeEnvironment({ ...input, ...more })
  expect(env['TOKEN']).toBe('the-stand-in-x')
  expect(JSON.stringify(env)).not.toContain('the-real-value')
  expect(unset).toEqual([])
})

it('without the secret the same rule passes the value on', () => {
  expect(makeEnvironment({ ...input, placeholders: {}, rules: [{ name: 'TOKEN', origin }] }).env['TOKEN']).toBe('the-real-value')
})
