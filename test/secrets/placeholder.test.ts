// What stands in the cell for a value: the same form, never the value, nothing to be told from it.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formsOf, needlesOf, withoutForms } from '../../src/secrets/forms.ts'
import { makePlaceholder } from '../../src/secrets/placeholder.ts'

const random = (alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet[Math.floor(Math.random() * alphabet.length)]).join('')
const word = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

it.each([
  ['sk-ant-api03-', /^sk-ant-api03-[\w-]{90}-[\w-]{4}$/, `sk-ant-api03-${random(word, 90)}-${random(word, 4)}`],
  ['sk-ant-oat01-', /^sk-ant-oat01-\w{95}$/, `sk-ant-oat01-${random(word, 95)}`],
  ['ghp_', /^ghp_[A-Za-z0-9]{36}$/, `ghp_${random(word, 36)}`],
  ['github_pat_', /^github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}$/, `github_pat_${random(word, 22)}_${random(word, 59)}`],
  ['glpat-', /^glpat-\w{20}$/, `glpat-${random(word, 20)}`],
  ['xoxb-', /^xoxb-\d{12}-\d{12}-\w{24}$/, `xoxb-${random('0123456789', 12)}-${random('0123456789', 12)}-${random('0123456789', 24)}`],
  ['npm_', /^npm_[A-Za-z0-9]{36}$/, `npm_${random(word, 36)}`],
  ['hf_', /^hf_[A-Za-z]{34}$/, `hf_${random(word.slice(0, 52), 34)}`],
  ['AKIA', /^AKIA[A-Z2-7]{16}$/, 'AKIAIOSFODNN7EXAMPLE'],
  ['hexadecimal', /^[0-9a-f]{40}$/, random('0123456789abcdef', 38).concat('a1')],
  ['a UUID', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, '123e4567-e89b-42d3-a456-426614174000'],
  ['Base64 with its end', /^[A-Za-z0-9]{30}\+\/==$/, `${random(word, 30)}+/==`],
  ['a password', /^.{4}-.{5}!$/, 'corr-horse!'],
])('%s keeps prefix, length and alphabet', (_what, shape, value) => {
  const made = Array.from({ length: 20 }, () => makePlaceholder(value))
  for (const placeholder of made) {
    expect(placeholder).toMatch(shape)
    expect(placeholder).toHaveLength(value.length)
    expect(placeholder).not.toBe(value)
  }
  expect(new Set(made).size).toBe(made.length)
})

it('a JSON web token stays one, with its end and without its claims', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const value = `${part({ alg: 'RS256', typ: 'JWT', kid: 'k'.repeat(20) })}.${part({ exp: 1_999_999_999, email: 'me@company.test', scope: 'all of it, and more' })}.${random(word, 86)}`
  const placeholder = makePlaceholder(value) ?? ''
  expect(placeholder.split('.').map(({ length }) => length)).toEqual(value.split('.').map(({ length }) => length))
  const [head, claims] = placeholder
    .split('.')
    .slice(0, 2)
    .map((text) => JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>)
  expect(head).toMatchObject({ alg: 'RS256', typ: 'JWT' })
  expect(claims).toMatchObject({ exp: 1_999_999_999 })
  expect(JSON.stringify(claims)).not.toContain('company')
})

it('is never the value, whatever that is, and says no where nothing could differ', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 8, maxLength: 80, unit: fc.constantFrom(...word, '-', '_', '.', '+', '/', '=', ' ', '%') }),
      (value) => {
        const placeholder = makePlaceholder(value)
        if (placeholder === undefined) return
        expect(placeholder).toHaveLength(value.length)
        expect(placeholder).not.toBe(value)
      },
    ),
  )
  expect(makePlaceholder('--------')).toBeUndefined()
  expect(makePlaceholder('abcdefgh-1', () => true)).toBeUndefined()
})

it('a value is found in every form, at every alignment of Base64, and its placeholder put there decodes', () => {
  const printable = fc.string({ minLength: 8, maxLength: 40, unit: fc.constantFrom(...word, '/', '+', '"', '\\', '%', '&', ' ', '~') })
  fc.assert(
    fc.property(printable, fc.integer({ min: 0, max: 5 }), (value, before) => {
      const placeholder = value.replace(/./g, (char) =>
        char === 'Z' ? 'Y' : char === 'z' ? 'y' : /\w/.test(char) ? String.fromCharCode(char.charCodeAt(0) + 1) : char,
      )
      const swap = (text: string): string => needlesOf(value, placeholder).reduce((done, { find, put }) => done.replaceAll(find, put), text)
      const around = 'u'.repeat(before)
      expect(swap(`x${value}y`)).not.toContain(value)
      for (const encoding of ['base64', 'base64url'] as const) {
        const core = Buffer.from(swap(Buffer.from(`${around}${value}:end`).toString(encoding)), encoding).toString('latin1')
        // The characters at the borders hold bits of the neighbours; all between them is the placeholder.
        expect(core.slice(before + 1, before + value.length - 1)).toBe(placeholder.slice(1, -1))
      }
      expect(swap(encodeURIComponent(value))).not.toContain(encodeURIComponent(value))
      expect(JSON.parse(swap(JSON.stringify(value)))).toBe(placeholder)
      expect(withoutForms(`${value} ${Buffer.from(value).toString('hex')}`, [...formsOf(value).values()])).toBe('[redacted] [redacted]')
    }),
  )
})
