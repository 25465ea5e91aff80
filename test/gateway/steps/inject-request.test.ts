// The step that puts secrets in, as a function of one request: what is put where, what is refused and why (attacks.md SEC-05, 08 to 11, 14 to 16, 18; PRX-50).
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../src/errors/failure.ts'
import type { HeldSecret, SecretRule } from '../../../src/model/secret.ts'
import { injectStep } from '../../../src/gateway/steps/inject.ts'
import { ask, held, key, other, otherHold, place, token } from './secrets.ts'

const bearer = `Bearer ${token.placeholder}`
const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('a placeholder in its place becomes the value', () => {
  it.each([
    ['Bearer', ['Authorization', bearer], ['Authorization', `Bearer ${token.value}`]],
    ['token', ['authorization', `token ${token.placeholder}`], ['authorization', `token ${token.value}`]],
    ['alone', ['Authorization', token.placeholder], ['Authorization', token.value]],
    ['x-api-key', ['X-Api-Key', token.placeholder], ['X-Api-Key', token.value]],
    ['Private-Token', ['Private-Token', token.placeholder], ['Private-Token', token.value]],
    [
      'the password of Basic',
      ['Authorization', `Basic ${base64(`me:${token.placeholder}`)}`],
      ['Authorization', `Basic ${base64(`me:${token.value}`)}`],
    ],
    [
      'the user of Basic',
      ['Authorization', `basic ${base64(`${token.placeholder}:`)}`],
      ['Authorization', `Basic ${base64(`${token.value}:`)}`],
    ],
    [
      'x-oauth-basic',
      ['Authorization', `Basic ${base64(`${token.placeholder}:x-oauth-basic`)}`],
      ['Authorization', `Basic ${base64(`${token.value}:x-oauth-basic`)}`],
    ],
  ] as const)('%s', async (_what, sent, arrived) => {
    const { fields } = await ask([held(token)], { fields: [['Accept', '*/*'], sent, ['X-Other', 'stays']] })
    expect(fields).toEqual([['Accept', '*/*'], arrived, ['X-Other', 'stays'], ['accept-encoding', 'identity']])
  })

  it('the query, where it is asked for, in any escape', async () => {
    const asks = held(token, { where: ['query'] })
    const escaped = [...token.placeholder].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('')
    for (const text of [token.placeholder, escaped]) {
      const { path } = await ask([asks], { path: `/v1/x?a=1&key=${text}&b=%20` })
      expect(path).toBe(`/v1/x?a=1&key=${encodeURIComponent(token.value)}&b=%20`)
    }
  })

  it('a field of its own, and no other', async () => {
    const own = held(token, { where: ['header'], header: 'x-own-thing' })
    expect((await ask([own], { fields: [['X-Own-Thing', token.placeholder]] })).fields?.[0]).toEqual(['X-Own-Thing', token.value])
    expect((await ask([own], { fields: [['Authorization', bearer]] })).refusal?.code).toBe('secret-place')
    expect((await ask([own], { fields: [['X-Own-Thing', 'of-the-attacker']] })).refusal?.code).toBe('foreign-credential')
    const cookie = held(token, { where: ['header'], header: 'cookie' })
    expect((await ask([cookie], { fields: [['Cookie', `session=${token.placeholder}`]] })).fields?.[0]).toEqual([
      'Cookie',
      `session=${token.value}`,
    ])
    expect((await ask([cookie], { fields: [['Cookie', `session=${token.placeholder}; other=x`]] })).refusal).toBeDefined()
  })

  it('a field of its own is that field in every spelling that servers take for it', async () => {
    const own = held(token, { where: ['header'], header: 'x_own_thing' })
    for (const name of ['X_Own_Thing', 'x-own-thing'])
      expect((await ask([own], { fields: [[name, token.placeholder]] })).fields?.[0]).toEqual([name, token.value])
    expect((await ask([own], { fields: [['X-Own-Thing', 'of-the-attacker']] })).refusal?.code).toBe('foreign-credential')
  })

  it('the end of a longer JSON string, behind a quote in it, is no whole string, however long the body is', async () => {
    const inBody = held(token, { where: ['body'] })
    for (const filling of ['', 'x'.repeat(1_500_000)]) {
      const body = (value: string) =>
        JSON.stringify([filling, `say "${token.placeholder}`, `"${token.placeholder}"`, `\\"${token.placeholder}`, value, filling, [value]])
      const came = await ask([inBody], { fields: [['Content-Type', 'application/json']], body: body(token.placeholder) })
      expect(came.body === body(token.value)).toBe(true)
      expect(came.uses).toEqual([
        ['TOKEN', 'api.thing.test', 443, 'body'],
        ['TOKEN', 'api.thing.test', 443, 'body'],
      ])
    }
  })

  it('whole strings of JSON and whole values of a form, where the body is asked for; never elsewhere in it', async () => {
    const inBody = held(token, { where: ['body'] })
    const json = JSON.stringify({ client_secret: token.placeholder, note: `see ${token.placeholder}` })
    const type = (value: string): readonly [string, string][] => [['Content-Type', value]]
    expect((await ask([inBody], { fields: type('application/json; charset=utf-8'), body: json })).body).toBe(
      JSON.stringify({ client_secret: token.value, note: `see ${token.placeholder}` }),
    )
    const form = `grant_type=client_credentials&client_secret=${token.placeholder}&note=a${token.placeholder}`
    expect((await ask([inBody], { fields: type('application/x-www-form-urlencoded'), body: form })).body).toBe(
      `grant_type=client_credentials&client_secret=${encodeURIComponent(token.value)}&note=a${token.placeholder}`,
    )
    for (const other of ['text/plain', 'multipart/form-data; boundary=x', 'application/octet-stream'])
      expect((await ask([inBody], { fields: type(other), body: json })).body).toBeUndefined()
    // Not asked for: the conversation of an agent may well hold its own placeholder.
    expect((await ask([held(token)], { fields: type('application/json'), body: json })).body).toBeUndefined()
  })

  it('a long JSON body goes through a stream', async () => {
    const filling = 'x'.repeat(3_000_000)
    const { body } = await ask([held(token, { where: ['body'] })], {
      fields: [['Content-Type', 'application/json']],
      body: JSON.stringify([filling, token.placeholder, filling, token.placeholder]),
    })
    expect(body === JSON.stringify([filling, token.value, filling, token.value])).toBe(true)
  })

  it('two secrets of one host, each in its place; and a request without any credential passes as it is', async () => {
    const both = [held(token), held(other, { hosts: place('api.thing.test') })]
    const { fields } = await ask(both, {
      fields: [
        ['DD-API-KEY', token.placeholder],
        ['DD-APPLICATION-KEY', other.placeholder],
      ],
    })
    expect(fields?.slice(0, 2)).toEqual([
      ['DD-API-KEY', token.value],
      ['DD-APPLICATION-KEY', other.value],
    ])
    expect((await ask(both, { path: '/public?page=2&key=short' })).refusal).toBeUndefined()
  })

  it('counts each use by name, host and place', async () => {
    const { uses } = await ask([held(token)], { fields: [['Authorization', bearer]] })
    expect(uses).toEqual([['TOKEN', 'api.thing.test', 443, 'header']])
  })
})

describe('a placeholder elsewhere is refused with the binding and its mend', () => {
  it.each([
    ['the path', { path: `/x/${token.placeholder}` }, 'secret-place'],
    ['an escaped path', { path: `/x/${token.placeholder.replace('_', '%5f')}` }, 'secret-place'],
    ['a query that was not asked for', { path: `/x?token=${token.placeholder}` }, 'secret-place'],
    ['a part of a query', { path: `/x?q=a${token.placeholder}` }, 'secret-place'],
    ['a name in a query', { path: `/x?${token.placeholder}=1` }, 'secret-place'],
    ['a doubly escaped query', { path: `/x?q=${encodeURIComponent(encodeURIComponent(`${token.placeholder}/`))}` }, 'secret-place'],
    ['an ordinary field', { fields: [['X-Note', token.placeholder]] }, 'secret-place'],
    ['the name of a field', { fields: [[token.placeholder, 'x']] }, 'secret-place'],
    ['a cookie', { fields: [['Cookie', `a=${token.placeholder}`]] }, 'secret-place'],
    ['a part of a credential', { fields: [['Authorization', `Bearer ${token.placeholder}x`]] }, 'secret-place'],
    ['two joined by a comma', { fields: [['Authorization', `${bearer}, Bearer abc`]] }, 'secret-place'],
    ['Basic beside another word', { fields: [['Authorization', `Basic ${base64(`me:x${token.placeholder}`)}`]] }, 'secret-place'],
    [
      'the user of Basic beside a password',
      { fields: [['Authorization', `Basic ${base64(`${token.placeholder}:password`)}`]] },
      'secret-place',
    ],
    ['Basic of Basic', { fields: [['Authorization', `Basic ${base64(base64(`me:${token.placeholder}`))}`]] }, 'foreign-credential'],
  ] as const)('%s', async (_what, request, code) => {
    const { refusal } = await ask([held(token)], request)
    expect(refusal?.code).toBe(code)
    expect(refusal?.reason).toContain('TOKEN')
    expect(refusal?.remedy).toBeTruthy()
    expect(JSON.stringify(refusal)).not.toContain(token.value)
  })

  it('another host, another port, a name that looks like it, plain HTTP', async () => {
    const all = [held(token), otherHold]
    const fields = [['Authorization', bearer]] as const
    expect((await ask(all, { fields, host: 'other.test' })).refusal).toMatchObject({
      code: 'secret-host',
      remedy: 'if the value is meant for it: anchorhold run --secret TOKEN@other.test …',
    })
    expect((await ask(all, { fields, host: 'evil.test', port: 80, safe: false })).refusal?.code).toBe('secret-host')
    expect((await ask(all, { fields, host: 'api.thing.test', port: 80, safe: false })).refusal?.code).toBe('secret-plain')
    // A route to this machine makes plain HTTP safe, and not the port another one.
    expect((await ask(all, { fields, host: 'api.thing.test', port: 80 })).refusal).toMatchObject({
      code: 'secret-host',
      remedy: 'use https://api.thing.test/',
    })
    expect((await ask(all, { fields, safe: false })).refusal?.code).toBe('secret-plain')
    expect((await ask(all, { path: `/?x=${token.placeholder}`, host: 'evil.test', port: 80, safe: false })).refusal?.code).toBe(
      'secret-host',
    )
  })

  it('another method or path than the binding names, odd spellings of the path among them', async () => {
    const narrow = held(token, { methods: ['GET'], paths: ['/repos/me/x/**'] })
    const fields = [['Authorization', bearer]] as const
    expect((await ask([narrow], { fields, path: '/repos/me/x/pulls?page=1' })).refusal).toBeUndefined()
    for (const more of [
      { path: '/repos/me/y' },
      { path: '/repos/me/x/../y' },
      { path: '/repos/me/x/%2e%2e/y' },
      { path: '/repos/me/x/a', method: 'POST' },
    ])
      expect((await ask([narrow], { fields, ...more })).refusal?.code).toBe('secret-request')
    expect((await ask([narrow], { path: '/repos/me/y' })).refusal).toBeUndefined()
  })
})

describe('the credential of somebody else does not pass to a host of the user', () => {
  const foreign = 'sk-ant-api03-the-attackers-own-key-000000'
  it.each([
    ['Bearer', [['Authorization', `Bearer ${foreign}`]], ''],
    ['Basic', [['Authorization', `Basic ${base64(`u:${foreign}`)}`]], ''],
    ['a malformed Basic', [['Authorization', 'Basic !!!']], ''],
    ['Digest', [['Authorization', 'Digest username="x"']], ''],
    ['x-api-key', [['x-api-key', foreign]], ''],
    ['with an underscore', [['X_API_KEY', foreign]], ''],
    ['api-key', [['api-key', foreign]], ''],
    ['with a dot, which some servers read as a hyphen', [['X.Api.Key', foreign]], ''],
    ['with other marks', [["x'api|key", 'abc']], ''],
    ['x-goog-api-key', [['x-goog-api-key', foreign]], ''],
    ['Private-Token', [['PRIVATE-TOKEN', foreign]], ''],
    ['X-Auth-Token', [['X-Auth-Token', foreign]], ''],
    ['X-Authorization', [['X-Authorization', foreign]], ''],
    ['a cookie', [['Cookie', 'session=abc']], ''],
    [
      'beside the placeholder',
      [
        ['Authorization', bearer],
        ['x-api-key', foreign],
      ],
      '',
    ],
    [
      'before the placeholder',
      [
        ['x-api-key', foreign],
        ['Authorization', bearer],
      ],
      '',
    ],
    [
      'twice',
      [
        ['x-api-key', token.placeholder],
        ['X-Api-Key', foreign],
      ],
      '',
    ],
    [
      'twice, once with an underscore',
      [
        ['x-api-key', token.placeholder],
        ['x_api_key', token.placeholder],
      ],
      '',
    ],
    ['as the user of Basic', [['Authorization', `Basic ${base64(`${foreign}:${token.placeholder}`)}`]], ''],
    ['?key=', [['Authorization', bearer]], `?key=${foreign}`],
    ['?access_token=', [], '?a=1&access_token=abc'],
    ['?api%5fkey=', [], '?api%5fkey=abc'],
    ['a presigned address', [], '?X-Amz-Signature=abc'],
    ['X-RapidAPI-Key', [['X-RapidAPI-Key', foreign]], ''],
    ['X-Key', [['X-Key', foreign]], ''],
    ['AccessToken', [['AccessToken', 'abc']], ''],
    ['Authentication', [['Authentication', 'Bearer abc']], ''],
    ['auxiliary authorization', [['x-ms-authorization-auxiliary', 'Bearer abc']], ''],
    ['a name that nobody lists', [['X-Whose', foreign]], ''],
    ['a name that nobody lists, behind a scheme', [['X-Whose', `Scheme k="${foreign}"`]], ''],
    ['?whose=', [], `?whose=${foreign}`],
    ['behind a semicolon', [], '?a=1;access_token=abc'],
    ['behind a second question mark', [], '?a=1?access_token=abc'],
    ['?access.token=, as PHP reads it', [], '?access.token=abc'],
    ['? access_token=, as PHP reads it', [], '?+access_token=abc'],
    ['?access_token[0]=', [], '?access_token%5B0%5D=abc'],
    ['?access_token%00x=', [], '?access_token%00x=abc'],
    ['?personal_access_token=', [], '?personal_access_token=abc'],
    ['?api[key]=', [], '?api[key]=abc'],
    ['?user%5Bapi_key%5D=', [], '?user%5Bapi_key%5D=abc'],
    ['a name that is escaped twice', [], '?api%255fkey=abc'],
    ['a parameter of the path', [], ';jsessionid=abc'],
    ['a parameter within the path', [], '/a;v=1;access_token=abc/b'],
  ] as const)('%s', async (_what, fields, query) => {
    const { refusal, uses } = await ask([held(token)], { fields, path: `/v1/files${query}` })
    expect(refusal?.code).toBe('foreign-credential')
    expect(refusal?.remedy).toContain('$TOKEN')
    expect(JSON.stringify(refusal)).not.toMatch(new RegExp(`${foreign}|${token.value}`))
    expect(uses).toEqual([])
  })

  it('but passes to every other host, and what only sounds like one passes as well', async () => {
    expect(
      (await ask([held(token)], { host: 'free.test', port: 80, safe: false, fields: [['x-api-key', foreign]] })).refusal,
    ).toBeUndefined()
    const harmless = [
      'anthropic-version',
      'x-stainless-lang',
      'X-CSRF-Token',
      'Idempotency-Key',
      'X-Request-Id',
      'x-claude-code-session-id',
      'x-page-token',
      'x-amz-server-side-encryption-customer-key',
      'X-Monkey',
      'Accept-Language',
    ].map((name) => [name, 'abc'] as const)
    expect(
      (
        await ask([held(token)], {
          fields: harmless,
          path: '/a;v=1;lang=en/b?tokens=5&keys=1&page_token=x&monkey=y&page[token]=x&filter[key]=x&next_token=x&nextToken=y&sort_key=z',
        })
      ).refusal,
    ).toBeUndefined()
  })
})

it('what only looks like a credential passes where the policy names it', async () => {
  const passing = held(token, { pass: ['x-team-key', 'sig', 'cookie'] })
  const fields = [
    ['Authorization', bearer],
    ['X_Team_Key', 'abc'],
    ['Cookie', 'a=b'],
  ] as const
  const { refusal, watch } = await ask([passing], { fields, path: '/?sig=abc' })
  expect(refusal).toBeUndefined()
  expect(watch?.head?.({ status: 200, fields: [['Set-Cookie', 'a=b']] }).fields).toEqual([['Set-Cookie', 'a=b']])
  expect((await ask([passing], { fields: [['X-Other-Api-Key', 'abc']] })).refusal?.remedy).toContain('pass: [its name]')
  expect((await ask([passing], { fields: [['X-Team-Key', token.placeholder]] })).refusal?.code).toBe('secret-place')
})

it('asks for whole answers, in no coding: a part of one could hold a part of a value (SEC-06)', async () => {
  const names = async (more: Partial<SecretRule>): Promise<readonly string[]> => {
    const fields = ['Range', 'If-Range', 'If-Match', 'Accept-Charset', 'A-IM', 'Request-Range', 'X-Ms-Range'].map(
      (name) => [name, 'bytes=0-1'] as const,
    )
    return (await ask([held(token, more)], { fields })).fields?.map(([name]) => name) ?? []
  }
  expect(await names({})).toEqual(['If-Match', 'accept-encoding'])
  expect(await names({ pass: ['range', 'if-range'] })).toEqual(['Range', 'If-Range', 'If-Match', 'accept-encoding'])
})

it('a WebSocket to such a host needs a word of the user', async () => {
  const fields = [['Authorization', bearer]] as const
  expect((await ask([held(token)], { fields, websocket: true })).refusal?.code).toBe('secret-websocket')
  expect((await ask([held(token)], { websocket: true })).refusal?.code).toBe('secret-websocket')
  expect((await ask([held(token, { websocket: true })], { fields, websocket: true })).fields?.[0]).toEqual([
    'Authorization',
    `Bearer ${token.value}`,
  ])
  expect((await ask([held(token)], { websocket: true, host: 'free.test', port: 80 })).refusal).toBeUndefined()
})

it('a value that cannot be had is a refusal with the reason, never the placeholder on its way', async () => {
  const gone: HeldSecret = {
    ...held(token),
    current: () => Promise.reject(new Failure('secret/unset', { secret: 'TOKEN', variable: 'TOKEN' })),
  }
  expect((await ask([gone], { fields: [['Authorization', bearer]] })).refusal).toMatchObject({ code: 'secret-unavailable' })
})

it('is concerned with its hosts and with plain HTTP, and says why', () => {
  const rule: SecretRule = {
    ...held(token).rule,
    hosts: [...place('api.thing.test'), { pattern: { kind: 'subdomains', suffix: key('wild.test') }, port: 8443 }],
  }
  const step = injectStep([{ ...held(token), rule }], { used: () => undefined, echoed: () => undefined })
  const why = (host: string, port: number): string | undefined => step.concerns({ host: key(host), port })
  expect(why('api.thing.test', 443)).toBe('the secret TOKEN is put in')
  expect(why('a.wild.test', 8443)).toBe('the secret TOKEN is put in')
  expect([why('wild.test', 8443), why('api.thing.test', 8443), why('x.api.thing.test', 443), why('evil.test', 443)]).toEqual(
    Array(4).fill(undefined),
  )
  expect(why('evil.test', 80)).toContain('plain HTTP')
  const read = injectStep([held(token)], { used: () => undefined, echoed: () => undefined }, ({ host }) => host === key('read.test'))
  expect(read.concerns({ host: key('read.test'), port: 443 })).toContain('placeholder')
  expect(read.concerns({ host: key('evil.test'), port: 443 })).toBeUndefined()
})
