// Runs inside a cell: sends raw requests of a JSON list over TLS, and some over HTTP/2, and prints what came back of each. Plain Node.
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import net from 'node:net'
import tls from 'node:tls'

const token = process.env.TOKEN ?? ''
const fill = (text) => text.replaceAll('$TOKEN', token).replaceAll('$BASE64', Buffer.from(token).toString('base64'))

function raw({ host, port = 443, plain = false, send }) {
  return new Promise((resolve) => {
    const chunks = []
    const done = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(Buffer.concat(chunks).toString('latin1'))
    }
    const timer = setTimeout(done, 4_000)
    const socket = plain ? net.connect({ host, port }) : tls.connect({ host, port, servername: host, ALPNProtocols: ['http/1.1'] })
    socket.on(plain ? 'connect' : 'secureConnect', () => socket.write(fill(send), 'latin1'))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', done).on('close', done)
  })
}

function second({ host, headers, trailers, body }) {
  return new Promise((resolve) => {
    const session = http2.connect(`https://${host}`)
    const chunks = []
    let status = ''
    const done = () => {
      clearTimeout(timer)
      session.destroy()
      resolve(`${status} ${Buffer.concat(chunks).toString('latin1')}`)
    }
    const timer = setTimeout(done, 4_000)
    session.on('error', done)
    try {
      const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [fill(name), fill(value)]))
      const stream = session.request(filled, { waitForTrailers: trailers !== undefined, endStream: body === undefined })
      stream.on('response', (answer) => (status = `HTTP/2 ${answer[':status']}`))
      stream.on('wantTrailers', () =>
        stream.sendTrailers(Object.fromEntries(Object.entries(trailers).map(([name, value]) => [name, fill(value)]))),
      )
      stream.on('data', (chunk) => chunks.push(chunk))
      stream.on('error', done).on('close', done)
      if (body !== undefined) stream.end(fill(body))
    } catch (error) {
      status = `not sent: ${error.code}`
      done()
    }
  })
}

const answers = []
for (const each of JSON.parse(readFileSync(process.argv[2], 'utf8')))
  answers.push(await (each.headers === undefined ? raw(each) : second(each)))
process.stdout.write(JSON.stringify(answers))
