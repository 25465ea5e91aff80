// Runs inside a cell: makes the attempts of a JSON list and prints what came of each. Plain Node, nothing installed.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { readFileSync } from 'node:fs'
import net from 'node:net'

const wait = 4_000

function tcp(target, bytes, steps = [], whole = false) {
  return new Promise((resolve) => {
    const socket = net.connect({ ...target, allowHalfOpen: false })
    const chunks = []
    let opened = false
    const done = (error) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ opened, error, text: Buffer.concat(chunks).toString('latin1') })
    }
    const timer = setTimeout(() => done('timeout'), wait)
    socket.on('connect', () => {
      opened = true
      if (bytes !== undefined) socket.write(Buffer.from(bytes, 'latin1'))
    })
    let at = 0
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      if (bytes === undefined || (!whole && chunk.includes('WITNESS'))) return done('answered')
      const step = steps[at]
      if (step === undefined) return
      if (Buffer.concat(chunks).length >= step.after) {
        at += 1
        socket.write(Buffer.from(step.send, 'latin1'))
      }
    })
    socket.on('error', (error) => done(error.code))
    socket.on('close', () => done('closed'))
  })
}

const proxy = { host: '127.0.0.1', port: 3128 }
const socks = { host: '127.0.0.1', port: 1080 }

/** A SOCKS 5 request for a name, written byte by byte as given. */
const five = (name, port, command = 1) =>
  `\x05\x01\x00\x05${String.fromCharCode(command)}\x00\x03${String.fromCharCode(name.length)}${name}${String.fromCharCode(port >> 8, port & 255)}`

const makers = {
  tcp: ({ host, port, send, steps }) => tcp({ host, port }, send, steps),
  unix: ({ path }) => tcp({ path }),
  /** One raw request to the HTTP proxy. */
  proxy: ({ send, steps }) => tcp(proxy, send, steps),
  connect: ({ to, then = '' }) => tcp(proxy, `CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n\r\n`, [{ after: 20, send: then }]),
  get: ({ host, port = 80, path = '/' }) =>
    tcp(
      proxy,
      `GET http://${host}${port === 80 ? '' : `:${port}`}${path} HTTP/1.1\r\nHost: ${host}${port === 80 ? '' : `:${port}`}\r\nConnection: close\r\n\r\n`,
    ),
  socks: ({ name, port, command, then = '' }) => tcp(socks, five(name, port, command), [{ after: 12, send: then }]),
  /** `whole`: up to the end of the connection, whatever was answered first. */
  raw: ({ door, send, whole }) => tcp(door === 'socks' ? socks : proxy, send, [], whole),
  look: ({ name }) =>
    new Promise((resolve) =>
      dns.lookup(name, { all: true }, (error, rows) => resolve({ error: error?.code, addresses: rows?.map((row) => row.address) })),
    ),
  udp: ({ host, port, family = 'udp4', send = 'probe', broadcast = false }) =>
    new Promise((resolve) => {
      const socket = dgram.createSocket(family)
      let text
      const done = (error) => {
        clearTimeout(timer)
        socket.close()
        resolve({ error, text })
      }
      const timer = setTimeout(() => done('silence'), 400)
      socket.on('error', (error) => done(error.code))
      socket.on('message', (message) => {
        text = message.toString('latin1')
        done(undefined)
      })
      socket.bind(0, () => {
        if (broadcast) socket.setBroadcast(true)
        socket.send(Buffer.from(send, 'latin1'), port, host, (error) => (error ? done(error.code) : undefined))
      })
    }),
}

const list = JSON.parse(readFileSync(process.argv[2] ?? '/dev/stdin', 'utf8'))
const results = []
for (let at = 0; at < list.length; at += 16) {
  const part = list.slice(at, at + 16)
  results.push(
    ...(await Promise.all(part.map((attempt) => makers[attempt.kind](attempt).catch((error) => ({ error: error.code ?? error.message }))))),
  )
}
process.stdout.write(JSON.stringify(results))
