// The load over TLS: runs inside the cell (or outside, for the direct figures): tls-client.ts all|memory HOST PORT [PROXY-PORT|env]
// all: prints one line of JSON; every measurement takes a fixed time, whatever it is measured through.
// memory: prints `warm` after 2,000 requests and `done` after 10,000 more (or 8 and 16 seconds), and waits a second after each.
import { connect as connectPlain, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'

const [kind = 'all', host = '', port = '', proxy = ''] = process.argv.slice(2)
const authority = port === '443' ? host : `${host}:${port}`
const counts = [1, 20, 200] as const
/** Requests a second in all while latency is measured: far from what anything here can do, so that nothing waits in a queue. */
const pace = 200

interface Client {
  readonly socket: TLSSocket
  receive: (chunk: Buffer) => void
}

function fail(what: string): never {
  process.stderr.write(`${what}\n`)
  process.exit(1)
}

function open(): Promise<Client> {
  return new Promise((resolve) => {
    const secure = (raw: Socket | undefined): void => {
      const options = { servername: host, ALPNProtocols: ['http/1.1'] }
      const socket = raw === undefined ? connect({ ...options, host, port: Number(port) }) : connect({ ...options, socket: raw })
      const client: Client = { socket, receive: () => undefined }
      socket.setNoDelay(true)
      socket.on('error', (error) => fail(error.message))
      socket.on('end', () => fail('the other side closed the connection'))
      socket.on('data', (chunk: Buffer) => client.receive(chunk))
      socket.once('secureConnect', () => resolve(client))
    }
    if (proxy === '') return secure(undefined)
    const url = new URL(proxy === 'env' ? (process.env['HTTPS_PROXY'] ?? process.env['https_proxy'] ?? '') : `http://127.0.0.1:${proxy}`)
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    const authorization = url.username === '' ? '' : `Proxy-Authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`
    const raw = connectPlain(Number(url.port), url.hostname)
    raw.on('error', (error) => fail(error.message))
    raw.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n${authorization}\r\n`)
    raw.once('data', (chunk: Buffer) =>
      chunk.toString('latin1').startsWith('HTTP/1.1 200') ? secure(raw) : fail(`refused: ${chunk.toString()}`),
    )
  })
}

function get(client: Client, path: string): void {
  client.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
}

/** Milliseconds. */
function exchange(client: Client): Promise<number> {
  const began = performance.now()
  return new Promise((resolve) => {
    let text = ''
    client.receive = (chunk) => {
      text += chunk.toString('latin1')
      if (!text.endsWith('\r\n\r\nok')) return
      if (!text.startsWith('HTTP/1.1 200')) fail(`unexpected answer: ${text.slice(0, 80)}`)
      resolve(performance.now() - began)
    }
    get(client, '/')
  })
}

/** One after the other on each connection, until the time is over or so many were made. */
async function hammer(clients: readonly Client[], milliseconds: number, most = Infinity): Promise<number> {
  const began = performance.now()
  let made = 0
  const one = async (client: Client): Promise<void> => {
    while (performance.now() - began < milliseconds && made < most) {
      made += 1
      await exchange(client)
    }
  }
  await Promise.all(clients.map(one))
  return (made * 1000) / (performance.now() - began)
}

/** At a steady pace, connections in turn. */
async function paced(clients: readonly Client[], milliseconds: number): Promise<{ readonly p50: number; readonly p99: number }> {
  const times: Promise<number>[] = []
  const began = performance.now()
  for (let at = 0; performance.now() - began < milliseconds; at++) {
    const client = clients[at % clients.length]
    // One that has not been answered yet is waited for: its latency says so.
    if (at >= clients.length) await times[at - clients.length]
    if (client !== undefined) times.push(exchange(client))
    await sleep(Math.max(0, began + ((at + 1) * 1000) / pace - performance.now()))
  }
  const sorted = (await Promise.all(times)).sort((a, b) => a - b)
  return { p50: sorted[Math.floor(sorted.length / 2)] ?? 0, p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0 }
}

async function stream(milliseconds: number): Promise<number> {
  const client = await open()
  let received = 0
  client.receive = (chunk) => (received += chunk.length)
  get(client, '/bytes/100000000000')
  await sleep(400)
  const [began, before] = [performance.now(), received]
  await sleep(milliseconds)
  const rate = (received - before) / 1000 / (performance.now() - began)
  client.socket.removeAllListeners('end').destroy()
  return rate
}

/** Milliseconds from the request to the first event, connection already there; median. */
async function firstEvent(times: number): Promise<number> {
  const taken: number[] = []
  for (let round = 0; round < times; round++) {
    const client = await open()
    await exchange(client)
    const began = performance.now()
    await new Promise<void>((resolve) => {
      let text = ''
      client.receive = (chunk) => {
        text += chunk.toString('latin1')
        if (text.includes('data: 1\n\n')) resolve()
      }
      get(client, '/events')
    })
    taken.push(performance.now() - began)
    client.socket.removeAllListeners('end').destroy()
  }
  return taken.sort((a, b) => a - b)[taken.length >> 1] ?? 0
}

async function all(): Promise<void> {
  const clients: Client[] = []
  while (clients.length < 200) clients.push(...(await Promise.all(Array.from({ length: 20 }, open))))
  await hammer(clients.slice(0, 20), 500)
  const rows: Record<string, number> = {}
  for (const count of counts) {
    const some = clients.slice(0, count)
    rows[`requests ${count}`] = await hammer(some, 800)
    const { p50, p99 } = await paced(some, 1200)
    rows[`p50 ${count}`] = p50
    rows[`p99 ${count}`] = p99
  }
  rows['event'] = await firstEvent(9)
  rows['stream'] = await stream(1000)
  process.stdout.write(`${JSON.stringify(rows)}\n`)
}

async function memory(): Promise<void> {
  const clients = await Promise.all(Array.from({ length: 20 }, open))
  await hammer(clients, 8_000, 2_000)
  process.stdout.write('warm\n')
  await sleep(1000)
  await hammer(clients, 16_000, 10_000)
  process.stdout.write('done\n')
  await sleep(1000)
}

await (kind === 'memory' ? memory() : all())
process.exit(0)
