// The load: runs inside the cell (or outside, for the direct figure) and prints one number.
//   client.ts stream|connections|requests HOST PORT AMOUNT [PROXY-PORT|env [tunnel|'plain HTTP']]
// stream: MB/s of one response of AMOUNT bytes; connections: new ones per second, 8 at a time; requests: per second on one connection.
import { lookup } from 'node:dns/promises'
import { connect, type Socket } from 'node:net'

const [kind = '', host = '', port = '', amountText = '', proxy = '', how = 'tunnel'] = process.argv.slice(2)
const amount = Number(amountText)

interface ProxyAddress {
  readonly host: string
  readonly port: number
  readonly authorization: string
}

/** `env`: the proxy that the wall put into the environment. */
function proxyAddress(): ProxyAddress | undefined {
  if (proxy === '') return undefined
  if (proxy !== 'env') return { host: '127.0.0.1', port: Number(proxy), authorization: '' }
  const url = new URL(process.env['HTTP_PROXY'] ?? process.env['http_proxy'] ?? '')
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  const authorization = url.username === '' ? '' : `Proxy-Authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`
  return { host: url.hostname, port: Number(url.port), authorization }
}
const via = proxyAddress()
/** Resolved once, as the proxies' address is: a connection is measured, not a question to the resolver. */
const { address } = await lookup(via?.host ?? host)
const forwarded = via !== undefined && how === 'plain HTTP'
const authority = port === '80' ? host : `${host}:${port}`

function get(path: string): string {
  const target = forwarded ? `http://${authority}${path}` : path
  return `GET ${target} HTTP/1.1\r\nHost: ${authority}\r\n${forwarded ? via.authorization : ''}\r\n`
}

/** Connects, through the proxy's CONNECT where there is one; calls back once bytes can flow. */
function open(ready: (socket: Socket) => void): void {
  const buffer = Buffer.allocUnsafe(256 * 1024)
  let receive = (_bytes: number, _data: Buffer): void => undefined
  const socket = connect({
    host: address,
    port: via?.port ?? Number(port),
    noDelay: true,
    onread: {
      buffer,
      callback: (bytes: number, data: Uint8Array): boolean => {
        receive(bytes, data as Buffer)
        return true
      },
    },
  })
  socket.on('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  socket.on('end', () => {
    process.stderr.write('the other side closed the connection\n')
    process.exit(1)
  })
  const start = (): void => {
    receive = (bytes, data) => socket.emit('bytes', bytes, data)
    ready(socket)
  }
  socket.once('connect', () => {
    if (via === undefined || forwarded) return start()
    let head = ''
    receive = (bytes, data) => {
      head += data.toString('latin1', 0, bytes)
      if (!head.includes('\r\n\r\n')) return
      if (!/^HTTP\/1\.[01] 200/.test(head)) throw new Error(`the proxy refused: ${head.slice(0, 80)}`)
      start()
    }
    socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n${via.authorization}\r\n`)
  })
}

const seconds = (since: bigint): number => Number(process.hrtime.bigint() - since) / 1e9

function done(result: number): void {
  process.stdout.write(`${result}\n`)
  process.exit(0)
}

function stream(): void {
  open((socket) => {
    let received = 0
    const began = process.hrtime.bigint()
    socket.on('bytes', (bytes: number) => {
      received += bytes
      if (received >= amount) done(received / 1e6 / seconds(began))
    })
    socket.write(get(`/bytes/${amount}`))
  })
}

/** One exchange after the other on a socket: a proxy may send head and body apart, so the end of the body is waited for. */
function exchange(socket: Socket, then: () => void): void {
  let text = ''
  const listen = (bytes: number, data: Buffer): void => {
    text += data.toString('latin1', 0, bytes)
    if (!text.endsWith('\r\n\r\nok')) return
    if (!text.startsWith('HTTP/1.1 200')) throw new Error(`unexpected answer: ${text.slice(0, 80)}`)
    socket.off('bytes', listen)
    then()
  }
  socket.on('bytes', listen)
  socket.write(get('/'))
}

function connections(): void {
  const began = process.hrtime.bigint()
  let started = 0
  let ended = 0
  const next = (): void => {
    if (started++ >= amount) return
    open((socket) =>
      exchange(socket, () => {
        socket.destroy()
        if (++ended === amount) done(amount / seconds(began))
        else next()
      }),
    )
  }
  for (let lane = 0; lane < 8; lane++) next()
}

function requests(): void {
  open((socket) => {
    const began = process.hrtime.bigint()
    let count = 0
    const next = (): void => {
      if (count++ === amount) done(amount / seconds(began))
      else exchange(socket, next)
    }
    next()
  })
}

const loads: Readonly<Record<string, () => void>> = { stream, connections, requests }
loads[kind]?.()
