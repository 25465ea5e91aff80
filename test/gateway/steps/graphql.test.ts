// GraphQL: queries pass, whatever stands in their strings and names; a mutation passes in no disguise.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalHost } from '../../../src/policy/host-name.ts'
import { judgeGraphqlRequest } from '../../../src/gateway/steps/graphql.ts'
import type { Field } from '../../../src/gateway/steps/step.ts'

function send(body: string | Buffer, type = 'application/json', more: readonly Field[] = [], method = 'POST'): Promise<string | undefined> {
  const bytes = Buffer.from(body)
  return judgeGraphqlRequest({
    target: { host: canonicalHost('api.test'), port: 443 },
    safe: true,
    websocket: false,
    method,
    path: '/graphql',
    fields: [...(type === '' ? [] : [['Content-Type', type] as const]), ...more],
    body: {
      length: bytes.length,
      peek: async (count) => bytes.subarray(0, count),
      whole: async (max) => (bytes.length > max ? undefined : bytes),
    },
  })
}
const document = (query: string): Promise<string | undefined> => send(JSON.stringify({ query }))

const queries: readonly string[] = [
  '{ viewer { login } }',
  'query { viewer { login } }',
  'query Q($a: Int = 1, $b: [String!]) @x { a(n: $a, s: $b) { ...F ... on User { id } } } fragment F on User { name }',
  '# mutation { a }\nquery { a }',
  'query { a(text: "mutation { b }") }',
  'query { a(text: "\\" } mutation M { b } #") }',
  'query { a(text: """ mutation { "b" } """) }',
  'query { a(text: """ \\""" } mutation M { b } """) }',
  'query mutation { subscription: mutation { mutation } }',
  'query { ...mutation } fragment mutation on Mutation { a }',
  'query A { a } query B { b }',
  ',,,{a,b,,c}',
  'query { a(text: "\\u006dutation") }',
  '{ 名: a }'.replace('名', 'n'),
]
it.each(queries)('lets pass %s', async (query) => expect(await document(query)).toBeUndefined())

const others: readonly (readonly [string, string])[] = [
  ['a mutation', 'mutation { a }'],
  ['a named mutation', 'mutation M($a: Int) { a(b: $a) }'],
  ['a subscription', 'subscription { a }'],
  ['a mutation behind a query', 'query A { a } mutation B { b }'],
  ['a mutation in front of a query', 'mutation B { b } query A { a }'],
  ['a mutation behind a fragment', 'fragment F on U { a } mutation { ...F }'],
  ['a mutation behind a comment', '# {a}\rmutation { a }'],
  ['a mutation behind a comment and a line end', '#\nmutation{a}'],
  ['a mutation between commas', ',,,mutation,,,{a}'],
  ['a mutation after a block string', 'query { a(t: """x""") } mutation { b }'],
  ['a mutation after an escaped quote', 'query { a(t: "\\\\") } mutation { b(t: "") }'],
  ['a comment that ends at U+2028', 'query {a} #\u2028mutation {b}'],
  ['a comment that ends at U+0085', 'query {a} #\u0085mutation {b}'],
  ['a byte order mark', '\ufeffmutation {b}'],
  ['a form feed', 'query {a} #\fmutation {b}'],
  ['a NUL', 'query {a} \0'],
  ['a lone surrogate', 'query { a(t: "\ud800") }'],
  ['fragments alone', 'fragment F on U { a }'],
  ['a type', 'query { a } type T { a: Int }'],
  ['an extension', 'query { a } extend schema { mutation: M }'],
  ['an operation in capitals', 'Mutation { a }'],
  ['nothing', ''],
  ['blanks', ' \n'],
  ['half a document', 'query { a'],
  ['escaped keyword', '\\u006dutation { a }'],
  ['a deep document', `query ${'{a'.repeat(30_000)}${'}'.repeat(30_000)}`],
  ['a long document', `query { ${'a '.repeat(30_000)} }`],
]
it.each(others)('refuses %s', async (_name, query) => expect(await document(query)).toMatch(/^[\x20-\x7e]{5,120}$/))

describe('what it comes in', () => {
  const good: readonly (readonly [string, string, string])[] = [
    ['a type with its encoding', '{"query":"{a}"}', 'application/json; charset=utf-8'],
    ['a quoted encoding in capitals', '{"query":"{a}"}', 'Application/JSON;charset="UTF-8"'],
    ['a document alone', '{a}', 'application/graphql'],
    ['a batch', '[{"query":"{a}"},{"query":"query B {b}"}]', 'application/json'],
    [
      'variables and a name',
      '{"query":"query A {a} query B {b}","operationName":"A","variables":{"a":1,"A":{"query":"mutation"}},"extensions":{}}',
      'application/json',
    ],
    ['an escaped key, once', '{"\\u0071uery":"{a}"}', 'application/json'],
  ]
  it.each(good)('%s passes', async (_name, body, type) => expect(await send(body, type)).toBeUndefined())

  const bad: readonly (readonly [string, string | Buffer, string?, (readonly Field[])?])[] = [
    ['no type', '{"query":"{a}"}', ''],
    ['a form', 'query=mutation{a}', 'application/x-www-form-urlencoded'],
    ['an upload', '--x\r\n\r\n', 'multipart/form-data; boundary=x'],
    ['plain text', '{"query":"{a}"}', 'text/plain'],
    ['two types in one', '{"query":"{a}"}', 'application/json, application/graphql'],
    ['a type with a further parameter', '{"query":"{a}"}', 'application/json; charset=utf-8; x=y'],
    ['another encoding', '{"query":"{a}"}', 'application/json; charset=utf-16'],
    ['UTF-7', '{"query":"+AG0-utation{a}"}', 'application/json; charset=utf-7'],
    ['two types', '{"query":"{a}"}', 'application/json', [['content-type', 'application/graphql']]],
    ['compression', '{"query":"{a}"}', 'application/json', [['Content-Encoding', 'gzip']]],
    ['UTF-16', Buffer.from('{"query":"mutation{a}"}', 'utf16le')],
    ['UTF-16 with its mark', Buffer.from('\ufeff{"query":"mutation{a}"}', 'utf16le')],
    ['a byte order mark', '\ufeff{"query":"{a}"}'],
    ['an overlong byte', Buffer.from([...Buffer.from('{"query":"{a}'), 0xc0, 0xa2, ...Buffer.from('"}')])],
    ['a key twice', '{"query":"{a}","query":"mutation{b}"}'],
    ['a key twice, once escaped', '{"query":"mutation{a}","\\u0071uery":"{b}"}'],
    ['a key in another case', '{"query":"{a}","Query":"mutation{b}"}'],
    ['a key twice deeper', '{"query":"{a}","variables":{"x":1,"x":2}}'],
    ['a stored document', '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"aa"}}}'],
    ['a stored document beside a query', '{"query":"{a}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"aa"}}}'],
    ['a stored document by id', '{"id":"1"}'],
    ['a stored document by documentId', '{"documentId":"1","query":"{a}"}'],
    ['a mutation in a batch', '[{"query":"{a}"},{"query":"mutation {b}"}]'],
    ['a batch in a batch', '[[{"query":"mutation {b}"}]]'],
    ['an empty batch', '[]'],
    ['a long batch', `[${Array.from({ length: 51 }, () => '{"query":"{a}"}').join()}]`],
    ['a batch as an object', '{"0":{"query":"{a}"}}'],
    ['a query that is no text', '{"query":["mutation{a}"]}'],
    ['no query', '{"operationName":"A"}'],
    ['a word', '"mutation{a}"'],
    ['null', 'null'],
    ['no JSON', '{query:"{a}"}'],
    ['JSON with a comment', '{"query":"{a}"/*"*/}'],
    ['JSON with a tail', '{"query":"{a}"}{"query":"mutation{a}"}'],
    ['a mutation that operationName leaves out', '{"query":"query A{a} mutation B{b}","operationName":"A"}'],
    ['a large body', JSON.stringify({ query: `{a} #${'x'.repeat(1_100_000)}` })],
    ['nothing', ''],
  ]
  const rows = bad.map(([name, body, type = 'application/json', fields = []]) => ({ name, body, type, fields }))
  it.each(rows)('$name is refused', async ({ body, type, fields }) =>
    expect(await send(body, type, fields)).toMatch(/^[\x20-\x7e]{5,120}$/),
  )
  it('a GET with a body is refused, one without passes (its path has no query)', async () => {
    expect(await send('{"query":"mutation{a}"}', 'application/json', [], 'GET')).toMatch(/body/)
    expect(await send('', '', [], 'GET')).toBeUndefined()
  })
})

it('whatever is put around it, a mutation that GraphQL would run is refused', async () => {
  const { Kind, parse } = await import('graphql')
  const piece = fc.constantFrom(
    'mutation',
    'query',
    'subscription',
    'fragment F on U',
    '{',
    '}',
    '{a}',
    ' ',
    '\n',
    '\r',
    '#',
    '"',
    '"""',
    '\\',
    ',',
    '(a:',
    ')',
    '$',
    '@x',
    ':',
    '...',
    '\u2028',
    'é',
    '\ufeff',
  )
  let passed = 0
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 14 }), async (parts) => {
      const text = parts.join('')
      if ((await document(text)) !== undefined) return
      passed += 1
      const operations = parse(text).definitions.map((each) => (each.kind === Kind.OPERATION_DEFINITION ? each.operation : each.kind))
      expect(operations).toContain('query')
      expect(operations).not.toContain('mutation')
      expect(operations).not.toContain('subscription')
    }),
    { numRuns: 10_000, examples: [[['{a}']], [['query', '{a}', '#', 'mutation', '{a}']]] },
  )
  expect(passed).toBeGreaterThan(50)
})
