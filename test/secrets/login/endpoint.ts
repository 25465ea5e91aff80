// A stand-in for a token endpoint with single-use refresh tokens: a token used twice ends the login, as the real one does.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Endpoint {
  readonly port: number
  /** Every body it was sent, with what it answered. */
  readonly asked: { readonly body: Readonly<Record<string, unknown>>; readonly status: number }[]
  /** The access tokens it gave, the newest last. */
  readonly given: string[]
  /** The file's content with the first tokens. */
  file(expiresAt: number): string
}

export interface EndpointOptions {
  /** Seconds; what an answer says. */
  readonly lifetime?: number
  readonly delayMilliseconds?: number
}

export async function startEndpoint({ lifetime = 28_800, delayMilliseconds = 0 }: EndpointOptions = {}): Promise<Endpoint> {
  const asked: Endpoint['asked'] = []
  const given = [tokenOf('oat', 0)]
  let refresh = tokenOf('ort', 0)
  let count = 0
  const server = createServer((request, response) => {
    void request.toArray().then((pieces) => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>
      const right = request.method === 'POST' && request.url === '/v1/oauth/token' && body['refresh_token'] === refresh
      asked.push({ body, status: right ? 200 : 400 })
      if (!right) {
        refresh = 'revoked'
        return void response.writeHead(400).end(JSON.stringify({ error: 'invalid_grant' }))
      }
      count += 1
      refresh = tokenOf('ort', count)
      const access = tokenOf('oat', count)
      given.push(access)
      const answer = JSON.stringify({
        access_token: access,
        refresh_token: refresh,
        expires_in: lifetime,
        scope: 'user:inference user:profile',
      })
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(answer), delayMilliseconds)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    given,
    file: (expiresAt) =>
      JSON.stringify({
        claudeAiOauth: { accessToken: given[0], refreshToken: refresh, expiresAt, scopes: ['user:inference'], subscriptionType: 'max' },
        mcpOAuth: { kept: true },
      }),
  }
}

function tokenOf(kind: 'oat' | 'ort', count: number): string {
  return `sk-ant-${kind}01-${`tEsT${String(count).padStart(4, '0')}xY9`.repeat(8)}`
}
