// Gateway, dial: a connection to a judged address becomes verified TLS to the judged name. After resolve.ts and connect.ts, before the requests.
import type { Socket, TcpNetConnectOpts } from 'node:net'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { Target } from '../context.ts'
import { authorities } from './authorities.ts'
import { DialError } from './connect.ts'
import type { Stop } from './stop.ts'

type Env = Readonly<Record<string, string | undefined>>

/** A connection that is there, or where to: options of `directOptions`, so that TLS is read into memory of the caller. */
export type Over = { readonly socket: Socket } | TcpNetConnectOpts

/**
 * TLS 1.2 or later over it, the certificate verified for exactly `target.host` against whom this machine trusts. Paused, without a listener
 * but one for late errors; `alpnProtocol` says what was agreed on. Rejects with DialError; the socket is closed then, and no byte of a request
 * was sent. There is no way to ask for less.
 */
export type Secure = (over: Over, target: Target, alpn: readonly string[], stop: Stop) => Promise<TLSSocket>

const keptSessions = 256

/** One per session of anchorhold. Certificates are read by the first use: a run that only tunnels pays nothing. */
export function makeSecure(env: Env): Secure {
  let context: SecureContext | undefined
  // Resumption saves a round of signatures. Kept by name and port, so that no session speaks for another name than the verified one.
  const sessions = new Map<string, Buffer>()
  return (over, target, alpn, stop) => {
    const tls = process.getBuiltinModule('node:tls')
    context ??= tls.createSecureContext({
      ca: [...authorities(env)],
      minVersion: 'TLSv1.2',
      secureOptions: process.getBuiltinModule('node:crypto').constants.SSL_OP_NO_RENEGOTIATION,
    })
    const key = `${target.host}:${target.port} ${alpn.join(',')}`
    const session = sessions.get(key)
    const secured = tls.connect({
      ...over,
      servername: target.host,
      secureContext: context,
      ALPNProtocols: [...alpn],
      rejectUnauthorized: true,
      ...(session === undefined ? {} : { session }),
    })
    secured.on('session', (ticket: Buffer) => {
      sessions.delete(key)
      if (sessions.size >= keptSessions) sessions.delete(sessions.keys().next().value ?? key)
      sessions.set(key, ticket)
    })
    return handshake(secured, stop).catch((error: unknown) => {
      sessions.delete(key)
      if ('socket' in over) over.socket.destroy()
      throw error
    })
  }
}

function handshake(socket: TLSSocket, stop: Stop): Promise<TLSSocket> {
  socket.pause()
  socket.on('error', () => undefined) // errors also close the socket; its owner listens for that
  return new Promise((resolve, reject) => {
    const done = (): void => {
      socket.off('secureConnect', onSecure).off('error', onError).off('close', onClose)
      stop.over()
    }
    const fail = (error: DialError): void => {
      done()
      socket.destroy()
      reject(error)
    }
    const onSecure = (): void => {
      // Node refuses by itself what it could not verify; a second look costs nothing.
      if (!socket.authorized) return fail(explain({ code: 'UNVERIFIED' }))
      done()
      resolve(socket)
    }
    const onError = (error: NodeJS.ErrnoException): void => fail(explain(error))
    const onClose = (): void => fail(new DialError('tls', 'the server closed the connection inside the TLS handshake'))
    socket.on('secureConnect', onSecure).on('error', onError).on('close', onClose)
    stop.wait(() => fail(new DialError('timeout', 'the TLS handshake was not done in time')))
  })
}

/** Node's codes for what is wrong with a certificate; texts of the server itself are never repeated. */
const certificateCode =
  /CERT|^UNABLE_TO_|^INVALID_(?:CA|PURPOSE|NON_CA|EXTENSION)|^HOSTNAME_MISMATCH$|^PATH_LENGTH|^CRL_|^KEYUSAGE|^UNVERIFIED$|^EE_KEY_TOO_SMALL$|^CA_/

function explain(error: { readonly code?: string | undefined }): DialError {
  const code = error.code ?? 'failed'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return new DialError('certificate', "the server's certificate is for another name")
  if (certificateCode.test(code)) return new DialError('certificate', `the server's certificate could not be verified (${code})`)
  if (code.startsWith('ERR_SSL_')) return new DialError('tls', `the server could not agree on TLS (${code.slice(8)})`)
  return new DialError(code, `the TLS handshake failed (${code})`)
}
