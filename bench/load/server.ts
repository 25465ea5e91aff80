// The upstream of the gateway's measurements: raw sockets on loopback, as cheap as Node can be. Prints its port, ends with its stdin.
// `GET /bytes/N` answers N zero bytes; any other path answers two bytes. Connections are kept alive.
import { createServer, type Socket } from 'node:net'

const block = Buffer.alloc(1 << 20)

function serve(socket: Socket): void {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  let pending = ''
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1')
    for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
      const wanted = /^GET \S*\/bytes\/(\d+) /.exec(pending)
      pending = pending.slice(end + 4)
      if (wanted === null) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      else stream(socket, Number(wanted[1]))
    }
  })
}

function stream(socket: Socket, bytes: number): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`)
  let left = bytes
  const pump = (): void => {
    while (left > 0) {
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

const server = createServer(serve)
server.listen(0, '127.0.0.1', 2048, () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`)
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
