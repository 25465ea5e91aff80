// Gateway, http2: a connection of the cell whose TLS was ended and that speaks HTTP/2 (RFC 9113). Every stream is a request like any other.
import { constants, performServerHandshake, type ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Asked, GatewayContext, Refusal, Target } from '../context.ts'
import { openCellConnection } from '../exchange/connection.ts'
import { serveRequest } from '../exchange/serve.ts'
import type { CellConnection } from '../exchange/types.ts'
import { endToEnd } from '../http/fields.ts'
import { ownAnswer } from '../http/refusal.ts'
import { readStreamAsk } from './ask.ts'
import { connectionWindow, makeBucket, maxSessionMemory, maxStreams, pings, resets, settingsFrames, streamWindow } from './bounds.ts'
import { streamBody, StreamSink } from './sink.ts'

export interface Http2Input {
  readonly socket: TLSSocket
  readonly target: Target
  readonly asked: Asked
  readonly refusal?: Refusal
}

/** Until the cell or a bound ends the connection. Never rejects. */
export function serveHttp2(context: GatewayContext, input: Http2Input): Promise<void> {
  const { asked, target, refusal } = input
  const { settings, signal } = context
  const connection = openCellConnection(context, { asked, target, refusal, secure: true })
  const session = performServerHandshake(input.socket, {
    settings: {
      maxConcurrentStreams: maxStreams,
      initialWindowSize: streamWindow,
      maxHeaderListSize: settings.maxHeadBytes,
      enablePush: false,
      enableConnectProtocol: false,
    },
    maxSessionMemory,
    maxHeaderListPairs: settings.maxHeaders + 8,
    maxSessionInvalidFrames: 10,
    maxSessionRejectedStreams: 100,
  })
  return new Promise((resolve) => {
    let open = 0
    const calm = (): void => session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
    const bound = (rate: { readonly burst: number; readonly perSecond: number }): (() => void) => {
      const within = makeBucket(rate.burst, rate.perSecond)
      return () => (within() ? undefined : calm())
    }
    const onReset = bound(resets)
    const onAbort = (): void => session.destroy()
    const wait = (): void => session.setTimeout(open === 0 ? settings.keepAliveMilliseconds : settings.idleMilliseconds)
    session.on('error', () => undefined) // it closes
    session.on('connect', () => session.setLocalWindowSize(connectionWindow))
    session.on('remoteSettings', bound(settingsFrames))
    session.on('ping', bound(pings))
    session.on('timeout', () => (open === 0 ? session.close() : session.destroy()))
    session.on('stream', (stream: ServerHttp2Stream, _headers, _flags, raw: string[]) => {
      open += 1
      wait()
      stream.on('error', () => undefined) // it closes; whoever serves it listens for that
      stream.on('close', () => {
        open -= 1
        // What was cut out here is not the cell's doing.
        if (stream.rstCode !== constants.NGHTTP2_NO_ERROR && stream.rstCode !== constants.NGHTTP2_INTERNAL_ERROR) onReset()
        wait()
      })
      void serveStream(context, connection, stream, raw)
    })
    session.on('close', () => {
      signal.removeEventListener('abort', onAbort)
      connection.close()
      input.socket.destroy()
      resolve()
    })
    signal.addEventListener('abort', onAbort)
    wait()
    if (signal.aborted) onAbort()
  })
}

async function serveStream(
  context: GatewayContext,
  connection: CellConnection,
  stream: ServerHttp2Stream,
  raw: readonly string[],
): Promise<void> {
  const ask = readStreamAsk(raw, context.settings.maxHeaders)
  const json = raw.some((value, at) => at % 2 === 1 && raw[at - 1] === 'accept' && value.includes('application/json'))
  const sink = new StreamSink(stream, json)
  if (ask.kind === 'bad') {
    const { status, reason } = ask
    context.ledger.refused(connection.asked, { code: 'bad-request', reason })
    const own = ownAnswer({ status, word: 'refused', code: 'bad-request', reason }, json)
    sink.head({ ...own, length: own.body.length, bodiless: false, close: false })
    sink.write(own.body)
    sink.end([])
  } else {
    const { method, host, port, path, fields, length, expects } = ask
    const body = streamBody(stream, length, expects)
    await serveRequest(context, connection, { method, host, port, path, fields: endToEnd(fields), body, websocket: false }, sink)
  }
  // What the cell still sends belongs to nobody: it is read and thrown away for a moment, so that the answer arrives (RFC 9113 8.1).
  if (stream.destroyed || stream.readableEnded) return
  stream.resume()
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), 2_000).unref()
  stream.on('close', () => clearTimeout(timer))
}
