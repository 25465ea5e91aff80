// Gateway, tls: TLS of the cell is ended here, with a certificate of the session's authority. The hello was read and judged by door.ts before.
// What comes out goes back through the door as HTTP: a tunnel is not a special case.
import type { Socket } from 'node:net'
import { TLSSocket, type TLSSocketOptions } from 'node:tls'
import type { Inlet } from '../inlet.ts'
import type { Authority } from './authority.ts'

export type Ended =
  | { readonly kind: 'ended'; readonly socket: TLSSocket; readonly protocol: 'h2' | 'http/1.1' }
  /** `distrusts`: the program inside said that it does not trust the certificate. */
  | { readonly kind: 'failed'; readonly distrusts: boolean; readonly code: string }

export interface EndInput {
  readonly inlet: Inlet
  /** Whose certificate is shown: a canonical name, the one that the hello asks for. */
  readonly host: string
  readonly milliseconds: number
  readonly signal: AbortSignal
}

/** Never rejects; where it fails, the connection is closed. The socket comes paused, without a listener but one for late errors. */
export function endTls(authority: Authority, input: EndInput): Promise<Ended> {
  const { inlet, signal } = input
  const raw = inlet.socket
  const hello = inlet.release()
  if (raw.destroyed) return Promise.resolve({ kind: 'failed', distrusts: false, code: 'gone' })
  if (hello.length > 0) raw.unshift(hello)
  const socket = new CellTls(raw, {
    isServer: true,
    secureContext: authority.contextFor(input.host),
    // The first that the program offers; an old one may know nothing but the last (`curl --http1.0`).
    ALPNProtocols: ['h2', 'http/1.1', 'http/1.0'],
    allowHalfOpen: true,
  } as TLSSocketOptions)
  socket.on('error', () => undefined) // it closes; its owner listens for that
  return new Promise((resolve) => {
    const done = (ended: Ended): void => {
      clearTimeout(timer)
      socket.off('secure', onSecure).off('error', onError).off('close', onClose).off('end', onClose)
      signal.removeEventListener('abort', onClose)
      if (ended.kind === 'failed') {
        socket.destroy()
        raw.destroy()
      }
      resolve(ended)
    }
    const onSecure = (): void => {
      socket.pause()
      // The runtime's own server clears this when it is done; without it a session of HTTP/2 waits for a handshake that is over.
      Object.assign(socket, { secureConnecting: false })
      done({ kind: 'ended', socket, protocol: socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1' })
    }
    const onError = ({ code = 'failed' }: NodeJS.ErrnoException): void =>
      done({ kind: 'failed', distrusts: /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN)/.test(code), code })
    const onClose = (): void => done({ kind: 'failed', distrusts: false, code: 'gone' })
    const timer = setTimeout(() => done({ kind: 'failed', distrusts: false, code: 'timeout' }), input.milliseconds)
    // An end inside the handshake closes nothing by itself.
    socket.on('secure', onSecure).on('error', onError).on('close', onClose).on('end', onClose)
    signal.addEventListener('abort', onClose)
  })
}

/** A cut must be seen as one: without this the runtime refuses to reset a connection that carries TLS. */
class CellTls extends TLSSocket {
  readonly #raw: Socket

  constructor(raw: Socket, options: TLSSocketOptions) {
    super(raw, options)
    this.#raw = raw
    this.on('close', () => raw.destroy())
  }

  override resetAndDestroy(): this {
    if (!this.#raw.destroyed) this.#raw.resetAndDestroy()
    return this.destroy()
  }
}
