// Gateway, http: one judged request goes out, its answer comes back, both streaming. serve.ts before it, pool.ts below it.
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Socket } from 'node:net'
import type { Inlet } from '../inlet.ts'
import type { GatewayContext, Target } from '../context.ts'
import { BodyError, readBody } from './body.ts'
import type { Ask } from './ask.ts'
import { requestFields } from './fields.ts'
import type { RequestHead } from './head.ts'
import { UpstreamError } from './pool.ts'
import { writeResponse, type Delivered } from './response.ts'

export type Outcome =
  | { readonly kind: 'delivered'; readonly delivered: Delivered; readonly sent: number }
  /** Nothing has been written to the cell yet. */
  | { readonly kind: 'failed'; readonly error: UpstreamError; readonly sent: number }
  | { readonly kind: 'bad-body'; readonly reason: string }
  | { readonly kind: 'upgraded'; readonly response: IncomingMessage; readonly upstream: Socket; readonly early: Buffer }
  | { readonly kind: 'gone'; readonly sent: number }

export interface ForwardInput {
  readonly inlet: Inlet
  readonly head: RequestHead
  readonly ask: Ask & { kind: 'request' }
  readonly target: Target
  readonly agent: Agent
  readonly secure: boolean
  /** Called when a connection to the judged address is there, before anything is sent over it. */
  readonly onOpen: () => void
}

/** Never rejects. A request without a body is sent once more when the kept connection turned out to be closed already (RFC 9112 9.3.1). */
export async function forward(context: GatewayContext, input: ForwardInput): Promise<Outcome> {
  const first = await attempt(context, input)
  const stale = first.kind === 'failed' && first.error.code === 'stale'
  return stale && input.ask.framing.kind === 'none' && ['GET', 'HEAD', 'OPTIONS'].includes(input.head.method)
    ? attempt(context, input)
    : first
}

function attempt(context: GatewayContext, input: ForwardInput): Promise<Outcome> {
  const { inlet, ask, head } = input
  const cell = inlet.socket
  return new Promise((resolve) => {
    let sent = 0
    let bodyDone = ask.framing.kind === 'none'
    let answered = false
    const request = open(context, input)
    const finish = (outcome: Outcome): void => {
      cell.off('close', onGone)
      context.signal.removeEventListener('abort', onGone)
      resolve(outcome)
    }
    const onGone = (): void => {
      request.destroy()
      cell.destroy()
      finish({ kind: 'gone', sent })
    }
    cell.on('close', onGone)
    context.signal.addEventListener('abort', onGone)
    request.on('socket', (socket) => {
      input.onOpen()
      socket.resume()
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (answered) return
      finish({ kind: 'failed', error: explain(error, request), sent })
    })
    request.on('close', () => {
      if (!answered)
        finish({ kind: 'failed', error: new UpstreamError('no-answer', 'the server closed the connection without an answer'), sent })
    })
    request.on('upgrade', (response: IncomingMessage, upstream: Duplex, early: Buffer) => {
      answered = true
      if (ask.websocket && upstream instanceof Socket) return finish({ kind: 'upgraded', response, upstream, early })
      upstream.destroy()
      finish({ kind: 'failed', error: new UpstreamError('unasked-upgrade', 'the server switched protocols without being asked'), sent })
    })
    request.on('response', (response: IncomingMessage) => {
      answered = true
      const close = ask.close || !bodyDone
      void writeResponse(cell, response, { method: head.method, minor: head.minor, close }).then((delivered) => {
        if (!bodyDone) request.destroy()
        finish({ kind: 'delivered', delivered, sent })
      })
    })
    const stopBody = (error: unknown): void => {
      answered = true
      request.destroy()
      if (error instanceof BodyError && error.broken === 'malformed') finish({ kind: 'bad-body', reason: error.message })
      else onGone()
    }
    if (bodyDone) request.end()
    else
      sendBody(inlet, ask, request, (bytes) => (sent += bytes)).then(
        () => (bodyDone = true),
        (error: unknown) => (answered ? undefined : stopBody(error)),
      )
  })
}

function open(context: GatewayContext, input: ForwardInput): ClientRequest {
  const { head, ask, target, agent } = input
  const authority = target.port === (input.secure ? 443 : 80) ? target.host : `${target.host}:${target.port}`
  const fields = ['Host', authority, ...requestFields(head)]
  if (ask.framing.kind === 'length') fields.push('Content-Length', String(ask.framing.bytes))
  if (ask.framing.kind === 'chunked') fields.push('Transfer-Encoding', 'chunked')
  const parent = input.secure ? undefined : context.dialler.parent(target)
  if (parent?.authorization !== undefined) fields.push('Proxy-Authorization', parent.authorization)
  if (ask.websocket) fields.push('Connection', 'Upgrade', 'Upgrade', 'websocket')
  else fields.push('Connection', 'keep-alive')
  const path = parent === undefined ? ask.path : `http://${authority}${ask.path}`
  const request = process.getBuiltinModule('node:http').request({
    agent,
    host: target.host,
    port: target.port,
    method: head.method,
    path,
    headers: fields,
    setHost: false,
    maxHeaderSize: context.settings.maxHeadBytes,
  })
  request.maxHeadersCount = 0 // bounded by size; a count would drop the rest silently
  request.setNoDelay(true)
  return request
}

async function sendBody(
  inlet: Inlet,
  ask: Ask & { kind: 'request' },
  request: ClientRequest,
  count: (bytes: number) => void,
): Promise<void> {
  if (ask.expects) inlet.socket.write('HTTP/1.1 100 Continue\r\n\r\n')
  for await (const chunk of readBody(inlet, ask.framing)) {
    count(chunk.length)
    if (request.destroyed) throw new BodyError('ended', 'the request is over')
    if (!request.write(chunk)) await drained(request)
  }
  request.end()
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      request.off('drain', done).off('close', done)
      resolve()
    }
    request.on('drain', done).on('close', done)
  })
}

function explain(error: NodeJS.ErrnoException, request: ClientRequest): UpstreamError {
  if (error instanceof UpstreamError) return error
  const code = error.code ?? 'failed'
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return new UpstreamError(request.reusedSocket ? 'stale' : code, 'the server broke the connection off')
  if (code.startsWith('HPE_')) return new UpstreamError('bad-answer', 'the server gave no valid HTTP answer')
  return new UpstreamError(code, `the server could not be asked (${code})`)
}
