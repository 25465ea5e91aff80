// A server on the host's loopback that plays every stranger of the demo (the download of an attacker, the collector of
// stolen data) and counts who comes. It is shown to be alive by a request from the host itself.
import { createServer } from 'node:http'
import { randomUUID } from 'node:crypto'

export interface Hit {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly body: string
}

export interface Witness extends AsyncDisposable {
  readonly port: number
  /** Requests that did not come from the control. */
  readonly hits: readonly Hit[]
  /** Whether a request from the host is seen: without this, no hits would mean nothing. */
  answers(): Promise<boolean>
}

/** Starts it on a free port. */
export async function openWitness(): Promise<Witness> {
  const hits: Hit[] = []
  const control = `/control-${randomUUID()}`
  const controls = { count: 0 }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    request.on('end', () => {
      if (request.url === control) controls.count += 1
      else
        hits.push({
          method: request.method ?? '',
          host: request.headers.host ?? '',
          path: request.url ?? '',
          body: Buffer.concat(chunks).toString().slice(0, 4096),
        })
      response.end('echo "You have been owned" > owned.txt\n')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the witness got no port')
  const { port } = address
  const answers = async (): Promise<boolean> => {
    const before = controls.count
    const answer = await fetch(`http://127.0.0.1:${port}${control}`)
    return answer.ok && controls.count === before + 1
  }
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port, hits, answers, [Symbol.asyncDispose]: close }
}
