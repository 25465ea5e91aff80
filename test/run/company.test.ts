// A machine of a company that has a certificate authority of its own: told to programs by the usual variables, as its owner set them.
import { once } from 'node:events'
import type http from 'node:http'
import https from 'node:https'
import type net from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { makeAuthority } from '../attacks/witnesses.ts'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'

/** A TLS server that notes each request line and answers 404; CONNECT is noted and answered by a greeting. */
async function companyServer(pair: { readonly key: string; readonly cert: string }) {
  const asked: string[] = []
  const server = https.createServer(pair, (request: http.IncomingMessage, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(404).end('{}')
  })
  server.on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
    asked.push(`CONNECT ${request.url}`)
    socket.on('error', () => undefined)
    socket.end('HTTP/1.1 200 OK\r\n\r\nhello through the company\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { asked, url: `https://localhost:${(server.address() as AddressInfo).port}` }
}

test.each(['NODE_EXTRA_CA_CERTS', 'none'] as const)(
  'an agent is installed from a registry behind it: %s',
  async (variable) => {
    const authority = makeAuthority()
    const registry = await companyServer(authority.server('localhost'))
    const world = makeWorld()
    const npm = { npm_config_registry: registry.url, npm_config_globalconfig: '/dev/null', npm_config_fetch_retries: '0' }
    const { code, stderr } = await anchorhold(world, ['agents', 'install', 'claude'], { env: { ...npm, [variable]: authority.file } })
    expect(code).not.toBe(0) // it has no packages: what counts is whether it was asked
    expect([...new Set(registry.asked)]).toEqual(variable === 'none' ? [] : ['GET /@anthropic-ai%2fclaude-code'])
    expect(stderr).toMatch(variable === 'none' ? /certificate/i : /404/)
  },
  30_000,
)

test.each(['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'none'] as const)('a proxy reached by TLS is trusted by it: %s', async (variable) => {
  const authority = makeAuthority()
  const proxy = await companyServer(authority.server('localhost'))
  const { stdout } = await inCell(
    makeWorld(),
    `exec 3<>/dev/tcp/db.test/5432 && read -r -t 8 line <&3; echo "got: $line"`.replace(/.*/, (script) => `bash -c '${script}'`),
    ['--allow', 'db.test:5432'],
    { env: { HTTPS_PROXY: proxy.url, [variable]: authority.file } },
  )
  expect(stdout).toBe(variable === 'none' ? 'got: \n' : 'got: hello through the company\n')
  expect(proxy.asked).toEqual(variable === 'none' ? [] : ['CONNECT db.test:5432'])
})

test('by name alone it enters the cell, where its file is shown by a mount', async () => {
  const authority = makeAuthority()
  const world = makeWorld()
  const options = ['--env', 'NODE_EXTRA_CA_CERTS', '--mount', `${authority.file}:ro`]
  const { stdout } = await inCell(world, 'echo "$NODE_EXTRA_CA_CERTS"; cat "$NODE_EXTRA_CA_CERTS"; env | grep CALLER', options, {
    env: { NODE_EXTRA_CA_CERTS: authority.file },
  })
  expect(stdout).toBe(`${authority.file}\n${authority.certificate}`)
})
