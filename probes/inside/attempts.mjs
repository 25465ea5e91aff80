// The Node client of `anchorhold prove`: see native/probe.c for the lines it reads and writes.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import { appendFileSync, closeSync, openSync, readFileSync, readSync, readdirSync, writeSync } from 'node:fs'
import net from 'node:net'
import tls from 'node:tls'

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
    socket.on('close', () =>
      came.length > 0 ? end() : (clearTimeout(timer), reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))),
    )
  })

const token = (text) => text.replaceAll('%TOKEN%', process.env.ANCHORHOLD_PROVE_TOKEN ?? '')

/** Until the other side ends, or nothing more comes. */
const drain = (socket, first) =>
  new Promise((resolve, reject) => {
    const came = []
    const end = () => (clearTimeout(timer), socket.destroy(), resolve(Buffer.concat(came)))
    const timer = setTimeout(end, patience)
    socket.on('data', (chunk) => came.push(chunk))
    socket.on('end', end)
    socket.on('error', (error) => (clearTimeout(timer), came.length > 0 ? end() : reject(error)))
    socket.write(first)
  })

/** One request through the proxy, in a tunnel where it is https; any certificate will do. */
const fetchOnce = async (proxy, method, address, field, body, to) => {
  const url = new URL(token(address))
  const secure = url.protocol === 'https:'
  let socket = net.connect({ host: '127.0.0.1', port: Number(proxy) })
  socket.on('error', () => undefined)
  if (secure) {
    const peer = `${to === '-' ? url.hostname : to}:443`
    socket.write(`CONNECT ${peer} HTTP/1.1\r\nHost: ${peer}\r\n\r\n`)
    const [head] = await once(socket, 'data')
    if (!/^HTTP\/1\.1 2/.test(head)) throw new Error(String(head).slice(0, 40))
    socket = tls.connect({ socket, servername: url.hostname, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
  }
  const text = body === '-' ? '' : token(body)
  const lines = [
    `${method} ${secure ? '' : `http://${url.host}`}${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    ...(field === '-' ? [] : [token(decode(field).toString('latin1'))]),
    ...(text === '' ? [] : ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${text.length}`]),
    'Connection: close',
  ]
  const came = await drain(socket, `${lines.join('\r\n')}\r\n\r\n${text}`)
  if (!/^HTTP\/1\.1 2/.test(came)) throw new Error(came.toString('latin1').slice(0, 40))
  return came
}

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
  fetch: fetchOnce,
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
