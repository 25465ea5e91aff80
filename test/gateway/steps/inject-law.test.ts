// The law of injection, whatever a cell sends: a value leaves only to its own host, over a safe connection, and only where the whole of a
// credential's place held its placeholder; a foreign key never leaves beside it. Requests are put together at random from what attackers use.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Field } from '../../../src/gateway/steps/step.ts'
import { formsOf } from '../../../src/secrets/forms.ts'
import { ask, held, otherHold, other, token, type Known } from './secrets.ts'

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64')
const foreign = 'sk-ant-api03-of-the-attacker-0123456789'
const pieces = fc.constantFrom(token.placeholder, other.placeholder, foreign, 'x', '', ' ', ',', ':', '%', '=', '&', '"')
const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(token.placeholder, token.placeholder, token.placeholder, other.placeholder, foreign) },
  { weight: 1, arbitrary: fc.array(pieces, { maxLength: 4 }).map((parts) => parts.join('')) },
)
const dressed = fc.oneof(
  text,
  text.map((value) => `Bearer ${value}`),
  text.map((value) => `token ${value}`),
  fc.tuple(text, text).map(([user, password]) => `Basic ${base64(`${user}:${password}`)}`),
  text.map((value) => `Basic ${base64(value)}`),
  text.map((value) => `session=${value}`),
)
const fieldName = fc.constantFrom(
  'Authorization',
  'authorization',
  'x-api-key',
  'X_API_KEY',
  'Private-Token',
  'Cookie',
  'X-Note',
  'Accept',
  'Api-Key',
)
const parameter = fc
  .tuple(fc.constantFrom('key', 'q', 'access_token', 'a%5fb', token.placeholder), text)
  .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
const request = fc.record({
  host: fc.constantFrom('api.thing.test', 'api.thing.test', 'api.thing.test', 'other.test', 'evil.test'),
  port: fc.constantFrom(443, 443, 443, 443, 80),
  safe: fc.constantFrom(true, true, true, true, false),
  path: fc
    .tuple(
      fc.constantFrom('/', '/', '/', '/v1/x', '/v1/x', `/${token.placeholder}`),
      fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: fc.array(parameter, { maxLength: 2 }) }),
    )
    .map(([path, list]) => (list.length === 0 ? path : `${path}?${list.join('&')}`)),
  fields: fc.array(fc.tuple(fieldName, dressed) as fc.Arbitrary<Field>, { maxLength: 3 }),
})

const holds = (sent: string, { value }: Known): boolean => [...formsOf(value).values()].some((form) => sent.includes(form))
const mentions = (value: string, known: Known): boolean =>
  value.includes(known.placeholder) || value.includes(base64(known.placeholder).slice(0, 20))

it('holds for ten thousand requests', async () => {
  let [put, refused, passed] = [0, 0, 0]
  await fc.assert(
    fc.asyncProperty(request, fc.boolean(), async (sent, query) => {
      const secrets = [held(token, query ? { where: ['header', 'basic', 'query'] } : {}), otherHold]
      const { refusal, fields = sent.fields, path = sent.path, uses } = await ask(secrets, sent)
      if (refusal !== undefined) {
        refused += 1
        expect(uses).toEqual([])
        expect(JSON.stringify(refusal)).not.toContain(token.value)
        return
      }
      const whole = `${path}\n${fields.map((field) => field.join(': ')).join('\n')}`
      for (const [known, host] of [
        [token, 'api.thing.test'],
        [other, 'other.test'],
      ] as const) {
        const has =
          holds(whole, known) ||
          fields.some(([, value]) => holds(Buffer.from(value.replace(/^Basic /, ''), 'base64').toString('latin1'), known))
        if (!has) continue
        put += 1
        expect([sent.host, sent.port, sent.safe]).toEqual([host, 443, true])
        expect(uses.some(([name]) => name === known.name)).toBe(true)
        expect(
          sent.fields.some(([, value]) => mentions(value, known) || value.startsWith('Basic')) || sent.path.includes(known.placeholder),
        ).toBe(true)
      }
      // To a host of the user nothing of the attacker's goes in a place for credentials, and no placeholder is left that the server would see.
      if (sent.host === 'evil.test' || sent.port === 80) return
      passed += 1
      for (const [name, value] of fields) {
        if (/accept|x-note/i.test(name)) continue
        const basic = /^Basic (.*)$/.exec(value)?.[1]
        const said = basic === undefined ? value : Buffer.from(basic, 'base64').toString('latin1')
        expect(said.includes(foreign), `${name}: ${said}`).toBe(false)
        expect(said.trim() === '' || holds(said, token) || holds(said, other), `${name}: ${said}`).toBe(true)
      }
      expect(whole).not.toContain(token.placeholder)
      expect(whole).not.toContain(other.placeholder)
    }),
    { numRuns: 10_000 },
  )
  // The law was tried on all sides, not passed by refusing everything.
  expect(Math.min(put, refused, passed)).toBeGreaterThan(100)
}, 120_000)
