// SEC-08, 10, 11, 14, 15, 16; PRX-19, 20, 22: requests as no library would write them, from a real cell, to a host that a secret is bound to. A server
// that records every byte is the witness: of what is refused it sees nothing, of what passes exactly one request, with the value in its one place.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { formsOf } from '../../src/secrets/forms.ts'
import { anchorhold, makeWorld } from '../support/anchorhold.ts'

interface Raw {
  readonly name: string
  readonly host?: string
  readonly port?: number
  readonly plain?: true
  readonly send?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly trailers?: Readonly<Record<string, string>>
  readonly body?: string
  /** It is found out behind the head, which has left by then: the server sees that it is cut off. */
  readonly cut?: true
}

const host = 'api.thing.test'
const auth = 'Authorization: Bearer $TOKEN\r\n'

/** One request to `/NUMBER`, whatever its fields are; `{}` in `start` stands for the path. */
function made(fields: string, { start = 'GET {} HTTP/1.1', hosts = `Host: ${host}\r\n`, body = '' } = {}): string {
  return `${start}\r\n${hosts}${fields}Connection: close\r\n\r\n${body}`
}
const post = { start: 'POST {} HTTP/1.1' }
const inChunks = 'Transfer-Encoding: chunked\r\n'
const chunked = (body: string, coding = inChunks): string => made(auth + coding, { ...post, body })
const tokenLength = 34
/** A body in these chunks. */
const pieces = (...parts: readonly string[]): string =>
  `${parts.map((part) => `${part.replaceAll('$TOKEN', 'x'.repeat(tokenLength)).length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`
const refusedFields = (...fields: readonly string[]): readonly Raw[] =>
  fields.map((field) => ({ name: field, send: made(`${auth}${field}\r\n`) }))
const refusedAlone = (...fields: readonly string[]): readonly Raw[] => fields.map((field) => ({ name: field, send: made(`${field}\r\n`) }))
const refusedPaths = (...ends: readonly string[]): readonly Raw[] =>
  ends.map((end) => ({ name: end, send: made(auth, { start: `GET {}${end} HTTP/1.1` }) }))

const pseudo = { ':method': 'GET', ':path': '/{}' }
const second = { ...pseudo, authorization: 'Bearer $TOKEN' }

const refused: readonly Raw[] = [
  // Somebody else's credential beside the placeholder.
  ...refusedFields(
    'X-Api-Key: abc',
    'X_Api_Key: abc',
    'X.Api.Key: abc',
    'x-API-kEY:abc',
    'Api-Key:\tabc',
    'X-Auth-Token: abc',
    'Cookie: a=b',
    'Cookie2: $Version=1',
  ),
  ...refusedFields(
    'Authorization: Bearer abc',
    'authorization: $TOKEN',
    'X-Authorization: Bearer abc',
    'X-Amz-Security-Token: abc',
    'X-Own: sk-ant-api03-abcdefghijklmnopqrstu',
  ),
  ...refusedPaths(
    '?api_key=abc',
    '?apiKey=abc',
    '?api%5Fkey=abc',
    '?x=1;access_token=abc',
    '?x?token=abc',
    '?user[api_key]=abc',
    '?personal_access_token=abc',
    '?X-Amz-Signature=abc',
  ),
  // The placeholder where no credential belongs, or as a part of one.
  ...refusedAlone(
    'Referer: https://x.test/?k=$TOKEN',
    'User-Agent: $TOKEN',
    'X-Note: $TOKEN',
    '$TOKEN: x',
    'Cookie: a=$TOKEN',
    'Accept-Language: $TOKEN',
    'Sec-WebSocket-Protocol: token, $TOKEN',
  ),
  ...refusedAlone(
    'Authorization: Bearer $TOKEN, Bearer x',
    'Authorization: Bearer Bearer $TOKEN',
    'Authorization: Bearer $TOKENx',
    'Authorization: Basic $BASE64',
    'Authorization: Digest username="x", response="$TOKEN"',
  ),
  ...refusedAlone(
    'Authorization: AWS4-HMAC-SHA256 Credential=x/y, SignedHeaders=host, Signature=$TOKEN',
    'Authorization : Bearer $TOKEN',
    'Authorization: Bearer\r\n $TOKEN',
    'Authorization: Bearer\t$TOKEN',
  ),
  { name: 'in the path', send: made('', { start: 'GET {}/$TOKEN HTTP/1.1' }) },
  { name: 'in the query', send: made('', { start: 'GET {}?key=$TOKEN HTTP/1.1' }) },
  { name: 'in a chunk extension', send: chunked('3;$TOKEN\r\nabc\r\n0\r\n\r\n') },
  { name: 'in a trailer', cut: true, send: chunked('3\r\nabc\r\n0\r\nAuthorization: Bearer $TOKEN\r\n\r\n') },
  // Elsewhere.
  { name: 'another host of a secret', host: 'other.test', send: made(auth, { hosts: 'Host: other.test\r\n' }) },
  { name: 'another Host', send: made(auth, { hosts: 'Host: other.test\r\n' }) },
  { name: 'another port in Host', send: made(auth, { hosts: `Host: ${host}:8443\r\n` }) },
  { name: 'the address of another host', send: made(auth, { start: 'GET https://other.test/{} HTTP/1.1' }) },
  { name: 'user information', send: made(auth, { start: `GET https://u:p@${host}/{} HTTP/1.1` }) },
  { name: 'http inside TLS', send: made(auth, { start: `GET http://${host}/{} HTTP/1.1` }) },
  { name: 'plain HTTP', port: 80, plain: true, send: made(auth) },
  { name: 'plain HTTP on the port for TLS', plain: true, send: made(auth) },
  {
    name: 'a WebSocket',
    send: made(
      `${auth}Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\n`,
    ),
  },
  // Framing that two servers read in two ways.
  { name: 'two lengths', send: made(`${auth}Content-Length: 0\r\nContent-Length: 3\r\n`, { ...post, body: 'abc' }) },
  { name: 'a length and chunks', send: chunked('0\r\n\r\n', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n') },
  ...['chunked, identity', 'identity', 'gzip, chunked', 'Chunked', 'xchunked', 'chunked;q=1', 'chunked,', '"chunked"'].map((coding) => ({
    name: coding,
    send: chunked('0\r\n\r\n', `Transfer-Encoding: ${coding}\r\n`),
  })),
  { name: 'a NUL', send: made(`${auth}X: a\0b\r\n`) },
  { name: 'a bare carriage return', send: made(`${auth}X: a\rX-Api-Key: abc\r\n`) },
  { name: 'a bare line feed', send: made(`${auth}X: a\nX-Api-Key: abc\r\n`) },
  { name: 'a folded first field', send: `GET {} HTTP/1.1\r\n Host: ${host}\r\n\r\n` },
  { name: 'a blank in the version', send: made(auth, { start: 'GET {} HTTP/1.1 ' }) },
  { name: 'TRACE', send: made(auth, { start: 'TRACE {} HTTP/1.1' }) },
  { name: 'HTTP/1.0 without Host', send: made(auth, { start: 'GET {} HTTP/1.0', hosts: '' }) },
  // The same over HTTP/2.
  { name: 'h2: another authority', headers: { ...second, ':authority': 'other.test' } },
  { name: 'h2: another Host', headers: { ...second, host: 'other.test' } },
  { name: 'h2: user information', headers: { ...second, ':authority': `x@${host}` } },
  { name: 'h2: an address as its path', headers: { ...second, ':path': 'https://other.test/{}' } },
  { name: 'h2: a line end in the path', headers: { ...second, ':path': '/{} HTTP/1.1\r\nX-Api-Key: abc\r\n\r\nGET /x' } },
  { name: 'h2: http', headers: { ...second, ':scheme': 'http' } },
  { name: 'h2: a second credential', headers: { ...second, 'x-api-key': 'abc' } },
  { name: 'h2: a cookie', headers: { ...second, cookie: 'a=b' } },
  { name: 'h2: in a field', headers: { ...pseudo, 'x-note': '$TOKEN' } },
  { name: 'h2: trailers', cut: true, headers: { ...second, ':method': 'POST' }, trailers: { 'x-api-key': '$TOKEN' }, body: 'abc' },
  { name: 'h2: in the path', headers: { ...pseudo, ':path': '/{}?k=$TOKEN' } },
]

/** What passes: once, and how often the value stands in it. */
const passed: readonly (Raw & { readonly times: number })[] = [
  { name: 'control', times: 1, send: made(auth) },
  { name: 'a dot behind the name, other case', times: 1, send: made(auth, { hosts: 'hOST: API.Thing.Test.\r\n' }) },
  { name: 'its own port', times: 1, send: made(auth, { hosts: `Host: ${host}:443\r\n` }) },
  { name: 'absolute form of itself', times: 1, send: made(auth, { start: `GET https://${host}/{} HTTP/1.1` }) },
  { name: 'HTTP/1.0', times: 1, send: made(auth, { start: 'GET {} HTTP/1.0' }) },
  { name: 'without a credential', times: 0, send: made('') },
  {
    name: 'fields about the way here',
    times: 1,
    send: made(
      `${auth}X-Forwarded-Host: evil.test\r\nX_Forwarded_For: 1\r\nX.Forwarded.Proto: http\r\nForwarded: for=1\r\nVia: $TOKEN\r\nTE: $TOKEN\r\nProxy-Authorization: Bearer $TOKEN\r\n`,
    ),
  },
  {
    name: 'its own field named as one of the connection',
    times: 0,
    send: `GET {} HTTP/1.1\r\nHost: ${host}\r\n${auth}Connection: close, authorization\r\n\r\n`,
  },
  { name: 'an upgrade to what nobody speaks', times: 1, send: made(`${auth}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n`) },
  { name: 'a range', times: 1, send: made(`${auth}Range: bytes=0-3\r\n`) },
  {
    name: 'a body that looks like a request',
    times: 1,
    send: made(`${auth}Content-Length: 36\r\n`, { ...post, body: 'GET /smuggled HTTP/1.1\r\nHost: x.test\r\n'.slice(0, 36) }),
  },
  {
    name: 'multipart, with the placeholder in it',
    times: 1,
    send: chunked(
      pieces('--x\r\nContent-Disposition: form-data; name="k"\r\n\r\n', '$TOKEN', '\r\n--x--'),
      `Content-Type: multipart/form-data; boundary=x\r\n${inChunks}`,
    ),
  },
  {
    name: 'JSON, with the placeholder in it',
    times: 1,
    send: chunked(pieces('{"k":"', '$TOKEN', '"}'), `Content-Type: application/json\r\n${inChunks}`),
  },
  {
    name: 'a form, with the placeholder in it',
    times: 1,
    send: chunked(pieces('k=$TOKEN'), `Content-Type: application/x-www-form-urlencoded\r\n${inChunks}`),
  },
  { name: 'h2', times: 1, headers: second },
  { name: 'h2: Host instead of an authority', times: 1, headers: { ...second, host } },
]

/** Records every byte; answers each request with all of it, as it is and encoded. */
async function recorder() {
  let text = ''
  const whole: string[] = []
  const server = net.createServer((socket) => {
    let rest = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      rest += chunk.toString('latin1')
      for (let end = endOf(rest); end > 0; end = endOf(rest)) {
        const asked = rest.slice(0, end)
        rest = rest.slice(end)
        whole.push(asked)
        const answer = [...formsOf(/Bearer (\S+)/.exec(asked)?.[1] ?? 'nothing').values(), asked].join('\n')
        socket.write(
          `HTTP/1.1 200 OK\r\nX-Echo: ${/Bearer \S+/.exec(asked)?.[0] ?? ''}\r\nContent-Length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`,
        )
      }
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, text: () => text, whole }
}

function endOf(text: string): number {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return 0
  const head = text.slice(0, end)
  if (/^transfer-encoding: chunked$/im.test(head)) {
    const last = text.indexOf('\r\n0\r\n\r\n', end)
    return last < 0 ? (text.startsWith('0\r\n\r\n', end + 4) ? end + 9 : 0) : last + 7
  }
  const whole = end + 4 + Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
  return text.length < whole ? 0 : whole
}

it('SEC-10 SEC-14 SEC-15 PRX-22 what is not one request with one credential in its place reaches the server not at all; what is, once; the cell never sees the value', async () => {
  const world = makeWorld()
  const witness = await recorder()
  const value = `tok_${Array.from({ length: tokenLength - 4 }, () => Math.floor(Math.random() * 36).toString(36)).join('')}`
  const list = [...refused, ...passed].map((each, number) => {
    const text = JSON.stringify({ host, ...each })
      .replaceAll('/{}', '{}')
      .replaceAll('{}', `/case-${number}`)
    return JSON.parse(text) as Raw
  })
  mkdirSync(path.join(world.project, 'probe'))
  copyFileSync(path.join(import.meta.dirname, 'inside/requests.mjs'), path.join(world.project, 'probe/requests.mjs'))
  writeFileSync(path.join(world.project, 'probe/list.json'), JSON.stringify(list))
  const route = (name: string, port: number, scheme = 'http://') => ['--route', `${name}:${port}=${scheme}127.0.0.1:${witness.port}`]
  const { code, stdout, stderr } = await anchorhold(
    world,
    [
      'run',
      '--secret',
      `TOKEN@${host}`,
      '--secret',
      'OTHER@other.test',
      ...route(host, 443),
      ...route('other.test', 443),
      ...route(host, 80, ''),
      '--',
      'node',
      'probe/requests.mjs',
      'probe/list.json',
    ],
    { env: { TOKEN: value, OTHER: 'oth_another0123456789' }, timeoutMilliseconds: 100_000 },
  )
  expect(code, stderr).toBe(0)
  const answers = JSON.parse(stdout) as string[]
  const arrived = witness.text()
  for (const [number, each] of list.entries()) {
    const own = new RegExp(`[A-Z]+ \\S*/case-${number}(?!\\d)`, 'g')
    const isRefused = number < refused.length
    const said = `${each.name}: ${answers[number]?.slice(0, 300)}`
    const begun = arrived.match(own)?.length ?? 0
    if (each.cut === true) expect(begun, said).toBeLessThanOrEqual(1)
    else expect(begun, said).toBe(isRefused ? 0 : 1)
    expect(
      witness.whole.filter((text) => text.match(own) !== null),
      said,
    ).toHaveLength(isRefused ? 0 : 1)
    const status = /^HTTP\/(?:1\.1 )?(?:2 )?(\d+)/.exec(answers[number] ?? '')?.[1]
    if (isRefused) expect(status ?? 'none', each.name).toMatch(/^4|none/)
    else expect(status, each.name).toBe('200')
  }
  for (const [index, { name, times }] of passed.entries()) {
    const request = witness.whole.find((text) => new RegExp(`/case-${refused.length + index}(?!\\d)`).test(text)) ?? ''
    expect(request.split(value).length - 1, `${name}\n${request}`).toBe(times)
    expect(request, name).not.toMatch(/forwarded|via:|^te:|proxy-authorization|^range:|http2-settings|^upgrade:/im)
  }
  // The server had the value, in one line only; nothing that came back holds it, however it was encoded.
  expect(new Set(arrived.split('\r\n').filter((line) => line.includes(value)))).toEqual(
    new Set([`Authorization: Bearer ${value}`, `authorization: Bearer ${value}`]),
  )
  for (const form of formsOf(value).values()) expect(stdout + stderr).not.toContain(form)
  expect(arrived).not.toContain('oth_another')
}, 120_000)
