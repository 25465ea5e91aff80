// Policy files that are not plain YAML, or not a policy: attacks.md CFG-01 to CFG-03. Each is refused with its place, none is replaced by a default.
import { describe, expect, it } from 'vitest'
import { nearest } from '../../src/policy/nearest.ts'
import { parsePolicy } from '../../src/policy/yaml.ts'

const parse = (text: string | Uint8Array): unknown =>
  parsePolicy(typeof text === 'string' ? Buffer.from(text) : text, '/u/policy.yaml').tree

const hostile: readonly (readonly [string, string | Uint8Array, string, string])[] = [
  ['nothing', '', 'policy/empty', ''],
  ['comments only', '# engine: auto\n', 'policy/empty', ''],
  ['null', 'null\n', 'policy/empty', ''],
  ['blank lines', '\n\n  \n', 'policy/empty', ''],
  ['a duplicate key', 'engine: auto\nengine: docker\n', 'policy/bad-yaml', ':2:1'],
  ['a duplicate key in quotes', 'engine: auto\n"engine": docker\n', 'policy/bad-yaml', ':2:1'],
  ['a duplicate key deep inside', 'network:\n  allow: [a.test]\n  allow: [b.test]\n', 'policy/bad-yaml', ':3:3'],
  ['a duplicate JSON key', '{"engine":"auto","engine":"docker"}', 'policy/bad-yaml', ':1:18'],
  ['an anchor', 'network: { allow: &a [a.test] }\n', 'policy/bad-yaml', ':1:22'],
  ['an alias', 'network: { allow: &a [a.test], deny: *a }\n', 'policy/bad-yaml', ':1:22'],
  ['a merge key', 'network:\n  <<: { allow: [a.test] }\n', 'policy/bad-yaml', ':2:3'],
  ['a tag', 'engine: !!str auto\n', 'policy/bad-yaml', ':1:15'],
  ['a tag of its own', 'engine: !x auto\n', 'policy/bad-yaml', ''],
  ['a version directive', '%YAML 1.1\n---\nengine: auto\n', 'policy/bad-yaml', ':1:1'],
  ['a tag directive', '%TAG ! tag:x,2000:\n---\nengine: auto\n', 'policy/bad-yaml', ''],
  ['a byte order mark', '\ufeffengine: auto\n', 'policy/bad-yaml', ':1:1'],
  ['UTF-16', Buffer.from('\ufeffengine: auto\n', 'utf16le'), 'policy/bad-yaml', ':1:1'],
  ['bytes that are not UTF-8', Buffer.from([0x65, 0xff, 0xfe]), 'policy/bad-yaml', ':1:1'],
  ['a NUL', 'engine: auto\n\0', 'policy/bad-yaml', ':2:1'],
  ['an escape sequence', 'engine: "\u001b[31mauto"\n', 'policy/bad-yaml', ':1:10'],
  ['a bidi override', 'network: { allow: ["\u202etset.a"] }\n', 'policy/bad-yaml', ':1:21'],
  ['a line separator', 'engine: auto\u2028agent: claude\n', 'policy/bad-yaml', ''],
  ['a tab as indentation', 'network:\n\tallow: []\n', 'policy/bad-yaml', ':2:1'],
  ['two documents', 'engine: auto\n---\nengine: docker\n', 'policy/bad-yaml', ':2:1'],
  ['something after the end', 'engine: auto\n...\nengine: docker\n', 'policy/bad-yaml', ':3:1'],
  ['something after JSON', '{"engine":"auto"} x', 'policy/bad-yaml', ''],
  ['half a file', 'network:\n  allow: [a.test, "b.te', 'policy/bad-yaml', ''],
  ['a key that is no text', '1: a\n', 'policy/bad-yaml', ':1:1'],
  ['a key that is a list', '? [a]\n: b\n', 'policy/bad-yaml', ''],
  ['a key that is null', '~: a\n', 'policy/bad-yaml', ''],
  ['__proto__', 'env: { __proto__: x }\n', 'policy/bad-yaml', ':1:8'],
  ['deep nesting', '['.repeat(50_000), 'policy/bad-yaml', ''],
  ['deep nesting that ends', `${'['.repeat(3000)}${']'.repeat(3000)}`, 'policy/', ''],
  ['a list', '- engine\n', 'policy/wrong-type', ':1:1'],
  ['a word', 'engine\n', 'policy/wrong-type', ':1:1'],
  ['an unknown key', 'allowedDomain: [a.test]\n', 'policy/unknown-key', ':1:1'],
  ['a misspelt key', 'netwrok: {}\n', 'policy/unknown-key', ':1:1'],
  ['a key at the wrong level', 'allow: [a.test]\n', 'policy/unknown-key', ':1:1'],
  ['an unknown key in an entry', 'network:\n  allow:\n    - { host: a.test, metods: [GET] }\n', 'policy/unknown-key', ':3:23'],
  ['text for a list', 'network: { allow: "true" }\n', 'policy/wrong-type', ':1:12'],
  ['text for a mapping', 'network: "a.test"\n', 'policy/wrong-type', ':1:1'],
  ['a boolean for text', 'engine: true\n', 'policy/wrong-type', ':1:1'],
  ['null for a list', 'network: { allow: }\n', 'policy/wrong-type', ':1:12'],
  ['null among hosts', 'network: { allow: [null] }\n', 'policy/wrong-type', ':1:20'],
  ['an empty host', 'network: { allow: [""] }\n', 'policy/wrong-type', ':1:20'],
  ['a number among hosts', 'network: { allow: [2130706433] }\n', 'policy/wrong-type', ':1:20'],
  ['an unknown engine', 'engine: dokcer\n', 'policy/wrong-type', ':1:1'],
  ['a mode that is none', 'permissions: { mode: yes }\n', 'policy/wrong-type', ':1:16'],
  ['no, which is text', 'engine: no\n', 'policy/wrong-type', ':1:1'],
  ['a secret without hosts', 'secrets: [{ name: T }]\n', 'policy/wrong-type', ':1:11'],
  ['a value of a secret', 'secrets: [{ name: T, value: x, hosts: [a.test] }]\n', 'policy/unknown-key', ':1:22'],
  ['a budget for something else', 'budget: { week: 5 }\n', 'policy/unknown-key', ':1:11'],
  ['a method that is no list', 'network:\n  allow:\n    - host: a.test\n      methods: GET\n', 'policy/wrong-type', ':4:7'],
  ['a GraphQL rule that is a deny', 'network: { deny: [{ host: a.test, graphql: query }] }\n', 'policy/unknown-key', ':1:35'],
  ['a deny within a deny', 'network: { deny: [{ host: a.test, deny: [/x] }] }\n', 'policy/unknown-key', ':1:35'],
  ['GraphQL mutations', 'network: { allow: [{ host: a.test, graphql: mutation }] }\n', 'policy/wrong-type', ':1:36'],
  ['an unknown key in the short form', 'network: { allow: [{ a.test: { method: [GET] } }] }\n', 'policy/unknown-key', ':1:32'],
]

describe('parsePolicy', () => {
  it.each(hostile)('refuses %s', (_what, text, code, place) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: expect.stringContaining(code) }))
    expect(() => parse(text)).toThrow(expect.objectContaining({ message: expect.stringContaining(`/u/policy.yaml${place}`) }))
    expect(() => parse(text)).toThrow(expect.objectContaining({ message: expect.not.stringMatching(/[\0\u001b\u202e]/) }))
  })

  it('keeps values as they were typed', () => {
    const { tree, source } = parsePolicy(Buffer.from('env: { A: no, B: 1.10, C: 0x10, D: , E: "1", F: yes, G: true }\n'), 'f')
    expect(tree.env).toMatchObject({ A: 'no', D: null, E: '1', F: 'yes', G: true })
    expect(source(['env', 'B'])).toBe('1.10')
    expect(source(['env', 'C'])).toBe('0x10')
  })

  it('reads JSON, CRLF, quotes and block text alike', () => {
    const expected = { network: { allow: ['a.test'] } }
    for (const text of [
      '{"network":{"allow":["a.test"]}}',
      'network:\r\n  allow:\r\n    - a.test\r\n',
      "network: { allow: ['a.test'] }",
      '---\nnetwork:\n  allow:\n    - >-\n      a.test\n',
    ])
      expect(parse(text)).toEqual(expected)
  })

  it('suggests the key that was meant', () => {
    expect(() => parse('netwrok: {}\n')).toThrow(/did you mean "network"\?/)
    expect(() => parse('limits: { memroy: 4g }\n')).toThrow(/did you mean "memory"\?/)
    expect(nearest('enigne', ['engine', 'agent'])).toBe('engine')
    expect(nearest('zzzz', ['engine', 'agent'])).toBeUndefined()
  })
})
