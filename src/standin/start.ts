// A stand-in for the Messages API on loopback, for the demo and for tests: streaming answers, tool calls from a script,
// usage figures, errors in the API's shape. It records every request and has no state but its prompt cache.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerOf, events, messageObject } from './message.ts'
import { invalid, jsonObject, readBody, readMessages, type Recorded } from './request.ts'
import { nextTurn, type ApiError, type Script } from './script.ts'
import { isSide, sideTurn } from './side.ts'
import { inputUsage, type PromptCache } from './usage.ts'

export interface StandinOptions {
  readonly script: Script
  /** Default: a free one. */
  readonly port?: number
  /** Default 127.0.0.1. Loopback only. */
  readonly host?: '127.0.0.1' | '::1'
  /** A server that is made and listened on elsewhere; then `port` and `host` are not used. */
  readonly server?: Server
  /** The only key that is accepted. Default: any. */
  readonly apiKey?: string
}

export interface Standin extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Grows while it runs, in order of arrival. */
  readonly requests: readonly Recorded[]
  /** Ends every connection. Idempotent. */
  close(): Promise<void>
}

interface State {
  readonly script: Script
  readonly apiKey: string | undefined
  readonly requests: Recorded[]
  readonly cache: PromptCache
}

/** Starts it; resolves once it accepts connections. */
export async function startStandin(options: StandinOptions): Promise<Standin> {
  const state: State = { script: options.script, apiKey: options.apiKey, requests: [], cache: new Map() }
  const server = options.server ?? createServer()
  server.on('request', (request, response) => {
    serve(request, response, state).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else sendError(response, { status: 500, type: 'api_error', message: error instanceof Error ? error.message : 'unknown' })
    })
  })
  if (options.server === undefined) {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve)
    })
  }
  const { port, address, family } = addressOf(server)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    port,
    requests: state.requests,
    close,
    [Symbol.asyncDispose]: close,
  }
}

function addressOf(server: Server): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the stand-in needs a server that listens on TCP')
  return address
}

async function serve(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  response.on('error', () => undefined) // a client that went away
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
  const body = await readBody(request)
  const method = request.method ?? 'GET'
  const record = (kind: Recorded['kind'], turn?: number): void => {
    state.requests.push({ method, path, query, headers: request.headers, body: body ?? '', kind, ...(turn === undefined ? {} : { turn }) })
  }
  const refuse = (error: ApiError): void => {
    record('refused')
    sendError(response, error)
  }
  if (body === undefined) return refuse({ status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' })
  const route = `${method} ${path}`
  if (route !== 'POST /v1/messages' && route !== 'POST /v1/messages/count_tokens') {
    const other = otherAnswer(method, path)
    if (other === undefined) return refuse({ status: 404, type: 'not_found_error', message: 'Not found' })
    record('other')
    return sendJson(response, 200, other)
  }
  const denied = headerError(request, state.apiKey)
  if (denied !== undefined) return refuse(denied)
  const json = jsonObject(body)
  if (json === undefined) return refuse(invalid('The request body is not valid JSON'))
  if (route.endsWith('count_tokens')) {
    record('count')
    return sendJson(response, 200, { input_tokens: inputUsage(json, new Map()).input })
  }
  const read = readMessages(json)
  if ('error' in read) return refuse(read.error)
  const side = isSide(read.request)
  const { turn, position } = side ? { turn: sideTurn(read.request), position: 0 } : nextTurn(state.script, read.request)
  record(side ? 'side' : 'turn', side ? undefined : position)
  if (turn.delay !== undefined) await sleep(turn.delay)
  if (turn.error !== undefined) return sendError(response, turn.error)
  const id = `msg_standin_${String(state.requests.length).padStart(6, '0')}`
  const answer = answerOf(turn, position, read.request.model, id, inputUsage(json, state.cache))
  if (!read.request.stream) return sendJson(response, 200, messageObject(answer))
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'request-id': id.replace('msg', 'req'),
  })
  for (const event of events(answer)) response.write(event)
  response.end()
}

/** What the API itself demands of every Messages request. */
function headerError(request: IncomingMessage, apiKey: string | undefined): ApiError | undefined {
  const given = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /i, '')
  if (given === undefined || given === '') return { status: 401, type: 'authentication_error', message: 'x-api-key header is required' }
  if (apiKey !== undefined && given !== apiKey) return { status: 401, type: 'authentication_error', message: 'invalid x-api-key' }
  if (request.headers['anthropic-version'] === undefined) return invalid('anthropic-version: header is required')
  return undefined
}

const models = ['claude-opus-4-5', 'claude-sonnet-4-5', 'claude-haiku-4-5'].map((id) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: '2025-01-01T00:00:00Z',
}))

/** Requests beside the messages: reachability, models, settings, reports that nobody reads. */
function otherAnswer(method: string, path: string): unknown {
  if (method === 'HEAD' || path === '/') return {}
  if (path === '/v1/models') return { data: models, has_more: false, first_id: models[0]?.id, last_id: models.at(-1)?.id }
  if (path.startsWith('/v1/models/')) return { ...models[0], id: path.slice('/v1/models/'.length) }
  return path.startsWith('/api/') ? {} : undefined
}

function sendJson(response: ServerResponse, status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(value))
}

function sendError(response: ServerResponse, error: ApiError): void {
  const headers = error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }
  sendJson(
    response,
    error.status,
    { type: 'error', error: { type: error.type, message: error.message }, request_id: 'req_standin' },
    headers,
  )
}
