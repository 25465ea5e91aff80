// Witnesses outside the cell for the self-test of every run (attacks.md CFG-26): whatever reaches them went through the wall.
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import type { Preflight } from '../model/plan.ts'

export interface Witness extends AsyncDisposable {
  /** What the cell tries before its command starts. */
  readonly preflight: readonly Preflight[]
  /** Shows from the host that every witness would have noticed, and returns what came from the cell: none, or it leaks. */
  examine(): Promise<{ readonly alive: boolean; readonly hits: number }>
}

export interface WitnessInput {
  readonly sessionFolder: string
  readonly project: string
  readonly projectWritable: boolean
}

/** Opens a canary file, a listener on the host's loopback and an abstract Unix socket, all named at random. */
export async function openWitness(input: WitnessInput): Promise<Witness> {
  const nonce = randomBytes(8).toString('hex')
  const canary = path.join(input.sessionFolder, `canary-${nonce}`)
  writeFileSync(canary, nonce, { mode: 0o600, flag: 'wx' })
  const tcp = new Counter()
  const abstract = new Counter()
  const abstractName = `anchorhold-witness-${nonce}`
  const [port] = await Promise.all([tcp.listen({ host: '127.0.0.1', port: 0 }), abstract.listen({ path: `\0${abstractName}` })])
  return {
    preflight: [
      { kind: 'unprivileged' },
      { kind: 'readable', path: input.project },
      { kind: 'unreadable', path: canary },
      { kind: 'unwritable', path: '/usr' },
      { kind: 'unwritable', path: '/etc' },
      ...(input.projectWritable ? [] : [{ kind: 'unwritable', path: input.project } as const]),
      { kind: 'unreachable', address: '127.0.0.1', port },
      { kind: 'unreachable', address: '192.0.2.1', port },
      { kind: 'no-abstract-socket', name: abstractName },
      { kind: 'resolver', address: '127.0.0.1' },
    ],
    async examine() {
      const hits = tcp.hits + abstract.hits
      const [one, two] = await Promise.all([tcp.selfTest({ host: '127.0.0.1', port }), abstract.selfTest({ path: `\0${abstractName}` })])
      return { alive: one && two, hits }
    },
    async [Symbol.asyncDispose]() {
      tcp.close()
      abstract.close()
    },
  }
}

class Counter {
  hits = 0
  readonly #server = net.createServer((socket) => {
    this.hits += 1
    socket.destroy()
  })

  listen(where: net.ListenOptions): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(where, () => {
        const address = this.#server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
  }

  /** Positive control: a connection from the host is counted. */
  selfTest(where: net.NetConnectOpts): Promise<boolean> {
    const before = this.hits
    return new Promise((resolve) => {
      const socket = net.connect(where)
      socket.on('error', () => resolve(false))
      socket.on('close', () => resolve(this.hits > before))
    })
  }

  close(): void {
    this.#server.close()
  }
}
