// The one way out, seen from a real cell (attacks.md NET-01, 02, 05, 06, 08, 11, 22, 23, PRX-01, 02, 11).
import dgram from 'node:dgram'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'

interface Witness {
  readonly port: number
  readonly hits: () => number
}

async function httpWitness(): Promise<Witness & { readonly requests: http.IncomingMessage[] }> {
  const requests: http.IncomingMessage[] = []
  const server = http.createServer((request, response) => {
    requests.push(request)
    response.end(`hello ${request.headers.host ?? ''} ${request.url ?? ''}`)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, hits: () => requests.length, requests }
}

describe('network', () => {
  it('reaches a host that a rule names, without any variable, and nothing else', async () => {
    const world = makeWorld()
    const witness = await httpWitness()
    const options = ['--allow', 'good.test:80', '--route', `good.test:80=127.0.0.1:${witness.port}`]
    const good = await inCell(world, 'env -i curl -sS http://good.test/x', options)
    expect(good.stdout).toBe('hello good.test /x')
    const bad = await inCell(
      world,
      `
      env -i curl -sS -m 5 http://evil.test/ 2>&1; echo "code $?"
      curl -sS -m 5 http://127.0.0.1:${witness.port}/ 2>&1; echo "code $?"
      curl -sS -m 5 'http://[::1]:${witness.port}/' 2>&1; echo "code $?"
      curl -sS -m 5 http://192.0.2.1:${witness.port}/ 2>&1; echo "code $?"`,
      options,
    )
    expect(bad.stdout.match(/code \d+/g)?.every((line) => line !== 'code 0')).toBe(true)
    expect(witness.hits()).toBe(1)
  })

  it('has no way out without a rule', async () => {
    const world = makeWorld()
    const witness = await httpWitness()
    const { stdout } = await inCell(
      world,
      `for h in good.test localhost 127.0.0.1 169.254.169.254; do curl -s -m 5 "http://$h:${witness.port}/" && echo LEAK; done; curl -s -m 5 https://good.test/ && echo LEAK; echo end`,
    )
    expect(stdout).toBe('end\n')
    expect(witness.hits()).toBe(0)
  })

  it('answers a raw address on port 80 with a reason and a remedy', async () => {
    const { stdout } = await inCell(makeWorld(), 'curl -sS -m 5 -o - -w "%{http_code}" http://192.0.2.7/')
    expect(stdout).toContain('403')
    expect(stdout).toContain('192.0.2.7')
  })

  it('sends no datagram and asks no resolver outside', async () => {
    const world = makeWorld()
    const socket = dgram.createSocket('udp4')
    let datagrams = 0
    socket.on('message', () => (datagrams += 1))
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    onTestFinished(() => void socket.close())
    const { port } = socket.address()
    await new Promise<void>((resolve) => {
      socket.once('message', () => resolve())
      const control = dgram.createSocket('udp4')
      control.send('control', port, '127.0.0.1', () => control.close())
    })
    await inCell(
      world,
      `for a in 127.0.0.1 192.0.2.1 8.8.8.8; do for p in ${port} 53 123 443; do echo x > /dev/udp/$a/$p; done; done 2>/dev/null; getent hosts nonce.exfil.test; true`
        .replace(/^/, "exec bash -c '")
        .replace(/$/, "'"),
    )
    expect(datagrams).toBe(1)
  })

  it('does not reach an abstract socket of the host', async () => {
    const world = makeWorld()
    const name = `ah-test-${Math.random().toString(36).slice(2)}`
    let hits = 0
    const server = net.createServer((socket) => {
      hits += 1
      socket.destroy()
    })
    await new Promise<void>((resolve) => void server.listen({ path: `\0${name}` }, resolve))
    onTestFinished(() => void server.close())
    await new Promise<void>(
      (resolve) =>
        void net
          .connect({ path: `\0${name}` })
          .on('close', () => resolve())
          .on('error', () => undefined),
    )
    const script = `perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); print connect(S, pack("Sa*", AF_UNIX, "\\0${name}")) ? "LEAK" : "refused: $!"'`
    const { stdout } = await inCell(world, script)
    expect(stdout).toMatch(/^refused/)
    expect(hits).toBe(1)
  })

  it('names what was refused at the end, with the option that allows it, in --json', async () => {
    const world = makeWorld()
    const { stderr } = await anchorhold(world, ['run', '--json', '--', 'curl', '-s', '-m', '5', 'http://refused.test/'])
    expect(stderr).toContain('refused.test')
    expect(stderr).toContain('--allow refused.test')
  })

  it('reaches the host’s loopback only through host.anchorhold.internal and a rule', async () => {
    const world = makeWorld()
    const witness = await httpWitness()
    const url = `http://host.anchorhold.internal:${witness.port}/`
    expect((await inCell(world, `curl -s -m 5 ${url}; echo "code $?"`)).stdout).not.toContain('code 0')
    expect((await inCell(world, `curl -s -m 5 ${url}`, ['--allow', `host.anchorhold.internal:${witness.port}`])).stdout).toContain('hello')
    expect(witness.hits()).toBe(1)
  })
})
