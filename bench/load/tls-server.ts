// The upstream of the measurements over TLS, as cheap as Node can be. Prints its port, ends with its stdin: tls-server.ts CERTIFICATE KEY.
// `GET /bytes/N` answers N zero bytes, `GET /events` one server-sent event at once and no end, any other path two bytes. Kept alive.
import { readFileSync } from 'node:fs'
import { createServer, type TLSSocket } from 'node:tls'

const [certificate = '', key = ''] = process.argv.slice(2)
const block = Buffer.alloc(1 << 20)

function serve(socket: TLSSocket): void {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  let pending = ''
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1')
    for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
      const [, wanted = ''] = /^GET (?:https:\/\/[^/]*)?(\S*) /.exec(pending) ?? []
      pending = pending.slice(end + 4)
      if (wanted.startsWith('/bytes/')) stream(socket, Number(wanted.slice(7)))
      else if (wanted === '/events')
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n')
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }
  })
}

function stream(socket: TLSSocket, bytes: number): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`)
  let left = bytes
  const pump = (): void => {
    while (left > 0 && !socket.destroyed) {
      const size = Math.min(left, block.length)
      left -= size
      if (!socket.write(size === block.length ? block : block.subarray(0, size)) && left > 0) {
        socket.once('drain', pump)
        return
      }
    }
  }
  pump()
}

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key), ALPNProtocols: ['http/1.1'] }, serve)
server.listen(0, '127.0.0.1', 2048, () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`)
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
