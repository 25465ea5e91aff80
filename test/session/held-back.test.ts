// Values of secrets in events: taken out in every form, and nothing else changed.
import { expect, it } from 'vitest'
import type { SessionEvent } from '../../src/model/events.ts'
import { makeHeldBack } from '../../src/session/held-back.ts'

const value = 'a"quoted\\value/of+it'
const warning = (message: string): SessionEvent => ({ kind: 'warning', code: 'x', message })

it.each([
  ['as it is', value],
  ['base64', Buffer.from(`u:${value}`).toString('base64')],
  ['in an address', encodeURIComponent(value)],
  ['in JSON', JSON.stringify({ a: value })],
])('%s', (_what, text) => {
  const event = makeHeldBack(() => [value])(warning(`before ${text} after`))
  expect(JSON.stringify(event)).toContain('[redacted]')
  expect(JSON.stringify(event)).not.toContain(text)
})

it('a new value counts from the next event on; an event without one is the same object', () => {
  const values = [value]
  const holdBack = makeHeldBack(() => values)
  const event = warning('with-the-second-value in it')
  expect(holdBack(event)).toBe(event)
  values.push('the-second-value')
  expect(holdBack(event)).toEqual(warning('with-[redacted] in it'))
})
