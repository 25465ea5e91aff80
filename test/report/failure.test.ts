// Failures as text and as JSON: what happened, where, what to do; no credential, no control character.
import { expect, test } from 'vitest'
import { Failure } from '../../src/errors/failure.ts'
import { exitCodeOf, failureJson, renderFailure } from '../../src/report/failure.ts'
import { unstyled } from '../../src/report/style.ts'
import { namesCredential, redact } from '../../src/session/redact.ts'

const style = unstyled

test('a failure says what, where and what to do', () => {
  const failure = new Failure('session/unknown', { text: 'x', file: '/p/anchorhold.yaml', line: 3, column: 7 })
  expect(renderFailure(failure, { style })).toBe(
    'anchorhold: No session has the id or name "x".\n  at /p/anchorhold.yaml:3:7\n  → List them: anchorhold sessions --all\n',
  )
  expect(failureJson(failure)).toEqual({
    error: { code: 'session/unknown', message: failure.message, remedy: failure.remedy, file: '/p/anchorhold.yaml', line: 3, column: 7 },
  })
  expect([exitCodeOf(failure), exitCodeOf(new Failure('session/journal-changed')), exitCodeOf('x')]).toEqual([125, 1, 125])
})

test('any thrown value is rendered, JSON included', () => {
  for (const value of [new Error('boom'), 'text', undefined, null, { a: 1 }]) {
    expect(renderFailure(value, { style })).toMatch(/^anchorhold: anchorhold failed: /)
    expect(JSON.parse(renderFailure(value, { json: true }))).toMatchObject({
      kind: 'result',
      exitCode: 125,
      error: { code: 'command/internal' },
    })
  }
})

test('control characters are stripped before credentials are looked for', () => {
  const failure = new Failure('command/internal', {
    message: 'GET https://user:hunQ\u001b[1mQter2@host.test and gh\u200bp_ABCDEFGHIJKLMNOPQRSTUV123\u0007 \u202e',
  })
  for (const text of [renderFailure(failure, { style, verbose: true }), JSON.stringify(failureJson(failure))]) {
    for (const secret of ['hunQ', 'Qter2', 'ABCDEFGH']) expect(text).not.toContain(secret)
    expect(text).not.toMatch(/\u001b|\u0007|\u202e|\u200b/)
    expect(text).toContain('host.test')
  }
})

test('credentials go, ordinary text stays', () => {
  const secrets = [
    'https://me:hunter22@x.test/',
    'git+https://hunter22@x.test/',
    'Authorization: Bearer hunter22',
    'authorization: Basic hunter22==',
    '--api-key=hunter22',
    'password: hunter22',
    '{"token":"hunter22"}',
    '?access_token=hunter22&x=1',
    'sk-ant-hunter22hunter22hunter22',
    'xoxb-hunter22-hunter22',
    'eyJhbGciOi1.hunter22hunter22.sig',
    '-----BEGIN RSA PRIVATE KEY-----\nhunter22\n-----END RSA PRIVATE KEY-----',
    '-----BEGIN PRIVATE KEY-----\nhunter22',
  ]
  for (const secret of secrets) expect(redact(secret), secret).not.toContain('hunter22')
  for (const text of [
    '/home/me/project/src/token.ts:3:5',
    'https://host.test/path?x=1',
    'me@example.test',
    'sk-8',
    'the key is missing',
    'tokens used: 12',
  ])
    expect(redact(text)).toBe(text)
  expect(['API_KEY', 'GITHUB_TOKEN', 'DB_PASSWORD', 'aws_secret_access_key', 'DATABASE_URL', 'SSH_AUTH_SOCK'].every(namesCredential)).toBe(
    true,
  )
  expect(['NODE_ENV', 'PATH', 'LANG', 'HOME', 'TERM'].some(namesCredential)).toBe(false)
})

test('redaction of hostile text takes no time', () => {
  const began = performance.now()
  for (const unit of ['token=', 'a://', '-----BEGIN PRIVATE KEY-----', 'eyJaaaaaaaa.', 'sk-', 'authorization:', 'bearer ', ' = '])
    redact(unit.repeat(20_000))
  expect(performance.now() - began).toBeLessThan(10_000)
})
