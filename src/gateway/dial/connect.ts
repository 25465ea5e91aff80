// Gateway, dial: opens the connection to addresses that were judged, and to nothing else. resolve.ts before it, tunnel/ or http/ after it.
import net, { type Socket, type TcpNetConnectOpts } from 'node:net'
import type { Target } from '../context.ts'
import type { Endpoint } from './resolve.ts'
import type { Parent } from './parent.ts'
import type { Stop } from './stop.ts'

/** An error of dialling with a short code for the journal ("ECONNREFUSED", "timeout", "parent-refused"). */
export class DialError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = 'DialError'
    this.code = code
  }
}

/** Reads into memory of the caller (`onread` of net.connect). False from `callback`: nothing more until `resume()`. */
export interface OnRead {
  readonly buffer: () => Buffer
  readonly callback: (count: number, bytes: Uint8Array) => boolean
}

interface DirectHow {
  readonly allowHalfOpen: boolean
  readonly onRead?: OnRead | undefined
}

/** Dials one endpoint after the other's attempt got late (RFC 8305), over the judged list only. Rejects with DialError. */
export async function connectDirect(endpoints: readonly Endpoint[], how: DirectHow, stop: Stop): Promise<Socket> {
  return opened(net.connect(directOptions(endpoints, how)), 'connect', stop)
}

/** For net.connect and tls.connect. Throws DialError. */
export function directOptions(endpoints: readonly Endpoint[], { allowHalfOpen, onRead }: DirectHow): TcpNetConnectOpts {
  const [first] = endpoints
  if (first === undefined) throw new DialError('no-address', 'no address to dial')
  const common = { port: first.port, allowHalfOpen, noDelay: true, ...(onRead === undefined ? {} : { onread: onRead }) }
  if (endpoints.length === 1) return { ...common, host: first.address }
  const list = endpoints.map(({ address }) => ({ address, family: net.isIPv6(address) ? 6 : 4 }))
  return {
    ...common,
    // The name given here is never resolved: the look-up answers with the judged list.
    host: 'judged.invalid',
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 300,
    lookup: (_host, _options, answer) => answer(null, list),
  }
}

/** To the company's proxy itself, by its own name or address (the user's setting, so it may be private). */
export function connectParent(parent: Parent, stop: Stop, onRead?: OnRead): Promise<Socket> {
  const { host, port, ca = [] } = parent
  const onread = onRead === undefined ? {} : { onread: onRead }
  if (!parent.secure) return opened(net.connect({ host, port, allowHalfOpen: true, noDelay: true, ...onread }), 'connect', stop)
  const tls = process.getBuiltinModule('node:tls') // only a proxy reached by TLS needs it, and each start would pay
  return opened(tls.connect({ host, port, ca: [...ca], ...(net.isIP(host) === 0 ? { servername: host } : {}) }), 'secureConnect', stop)
}

/** A tunnel through the company's proxy: CONNECT by name (RFC 9110 9.3.6). */
export async function tunnelThrough(parent: Parent, target: Target, stop: Stop): Promise<Socket> {
  const socket = await connectParent(parent, stop)
  const authority = `${target.host}:${target.port}`
  const credentials = parent.authorization === undefined ? '' : `Proxy-Authorization: ${parent.authorization}\r\n`
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`)
  const { status, rest } = await readReply(socket, stop)
  if (status < 200 || status > 299) {
    socket.destroy()
    throw new DialError('parent-refused', `the company's proxy answered ${status}`)
  }
  if (rest.length > 0) socket.unshift(rest)
  return socket
}

function readReply(socket: Socket, stop: Stop): Promise<{ status: number; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0)
    const done = (): void => {
      socket.off('data', onData).off('close', onClose).off('error', onError)
      stop.over()
      socket.pause()
    }
    const fail = (code: string, message: string): void => {
      done()
      socket.destroy()
      reject(new DialError(code, message))
    }
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk])
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0 && bytes.length > 16_384) return fail('parent-refused', "the company's proxy answered without end")
      if (end < 0) return
      const status = /^HTTP\/1\.[01] ([0-9]{3})[ \r]/.exec(bytes.toString('latin1', 0, end + 2))?.[1]
      if (status === undefined) return fail('parent-refused', "the company's proxy gave no HTTP answer")
      done()
      resolve({ status: Number(status), rest: bytes.subarray(end + 4) })
    }
    const onClose = (): void => fail('parent-refused', "the company's proxy closed the connection")
    const onError = (error: NodeJS.ErrnoException): void => fail(error.code ?? 'failed', "the company's proxy broke the connection")
    socket.on('data', onData).on('close', onClose).on('error', onError)
    socket.resume()
    stop.wait(() => fail('timeout', "the company's proxy did not answer in time"))
  })
}

/** Paused; what is still listened for does nothing more. */
function opened(socket: Socket, event: 'connect' | 'secureConnect', stop: Stop): Promise<Socket> {
  socket.pause()
  return new Promise((resolve, reject) => {
    const fail = (code: string, message: string): void => {
      stop.over()
      socket.destroy()
      reject(new DialError(code, message))
    }
    // A later error closes the socket as well; its owner listens for that.
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'failed', 'the connection could not be opened'))
    socket.on(event, () => {
      stop.over()
      resolve(socket)
    })
    stop.wait(() => fail('timeout', 'the connection was not open in time'))
  })
}
