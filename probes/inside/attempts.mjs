// The Node client of `anchorhold prove`: see native/probe.c for the lines it reads and writes.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { appendFileSync, closeSync, openSync, readFileSync, readSync, readdirSync, writeSync } from 'node:fs'
import net from 'node:net'

const [file, nonce] = process.argv.slice(2)
const patience = 3000

const decode = (text = '') =>
  Buffer.from(
    text.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, hex, one) =>
      hex === undefined ? ({ r: '\r', n: '\n', t: '\t' }[one] ?? one) : String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  )

const stream = (target, text, then) =>
  new Promise((resolve, reject) => {
    const socket = net.connect(target)
    const came = []
    const end = () => (clearTimeout(timer), socket.destroy(), resolve(Buffer.concat(came)))
    const timer = setTimeout(end, patience)
    socket.on('connect', () => socket.write(decode(text)))
    socket.on('data', (chunk) => {
      if (came.push(chunk) === 1 && then !== undefined) socket.write(decode(then))
      else end()
    })
    socket.on('error', (error) => (clearTimeout(timer), came.length > 0 ? end() : reject(error)))
    socket.on('close', () => (came.length > 0 ? end() : (clearTimeout(timer), reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))))
  })

const verbs = {
  read: (path) => {
    const fd = openSync(path, 'r')
    const bytes = Buffer.alloc(1500)
    const length = readSync(fd, bytes)
    closeSync(fd)
    return bytes.subarray(0, length)
  },
  write: (path, text) => (appendFileSync(path, decode(text), { mode: 0o600 }), ''),
  list: (path) => readdirSync(path).join('\n'),
  env: () => Object.entries(process.env).join('\n'),
  tcp: (host, port, text, then) => stream({ host, port: Number(port) }, text, then),
  unix: (path, text) => stream({ path: path.replace(/^@/, '\0') }, text),
  udp: (host, port, text) =>
    new Promise((resolve, reject) => {
      const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4')
      const end = (then, value) => (clearTimeout(timer), socket.close(), then(value))
      const timer = setTimeout(() => end(resolve, ''), 400)
      socket.on('message', (message) => end(resolve, message))
      socket.on('error', (error) => end(reject, error))
      socket.send(decode(text), Number(port), host, (error) => (error ? end(reject, error) : undefined))
    }),
  name: (host) => dns.promises.lookup(host).then(({ address }) => address),
}

const attempt = async (line) => {
  const [probe, number, verb, ...fields] = line.split('\t')
  const say = (outcome, what) =>
    writeSync(1, `${[nonce, probe, number, 'node', outcome, Buffer.from(what).subarray(0, 1500).toString('hex')].join('\t')}\n`)
  if (!Object.hasOwn(verbs, verb)) return say('lacking', verb)
  try {
    say('done', await verbs[verb](...fields))
  } catch (error) {
    say('refused', String(error.code ?? error.message))
  }
}

const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
for (let at = 0; at < lines.length; at += 8) await Promise.all(lines.slice(at, at + 8).map(attempt))
