// The witness outside the cell for the self-test of every run: whatever reaches it went through the wall.
// An abstract Unix socket: it exists once for each network namespace (unix(7)), so a cell that shares the host's would reach it.
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import type { Preflight } from '../model/plan.ts'

export interface Witness extends AsyncDisposable {
  /** What the cell tries before its command starts. */
  readonly preflight: readonly Preflight[]
  /** Connections from the cell so far: none, or it leaks. */
  readonly hits: number
  /** Positive control, at any time: a connection from the host is noticed. It doesn't count as a hit. */
  control(): Promise<boolean>
}

export interface WitnessInput {
  readonly sessionFolder: string
  readonly project: string
  readonly projectWritable: boolean
}

/** Opens a canary file and an abstract Unix socket, both named at random. */
export async function openWitness(input: WitnessInput): Promise<Witness> {
  // A name of its own is all that is asked of it: whoever could take it before us only makes the start fail.
  const nonce = [Math.random(), Math.random()].map((number) => number.toString(36).slice(2)).join('')
  const canary = path.join(input.sessionFolder, `canary-${nonce}`)
  writeFileSync(canary, nonce, { mode: 0o600, flag: 'wx' })
  const name = `anchorhold-witness-${nonce}`
  const socket = { path: `\0${name}` }
  const witness = new Counter()
  await witness.listen(socket)
  return {
    preflight: [
      { kind: 'unprivileged' },
      { kind: 'readable', path: input.project },
      { kind: 'unreadable', path: canary },
      { kind: 'unwritable', path: '/usr' },
      { kind: 'unwritable', path: '/etc' },
      ...(input.projectWritable ? [] : [{ kind: 'unwritable', path: input.project } as const]),
      { kind: 'no-abstract-socket', name },
      { kind: 'resolver', address: '127.0.0.1' },
    ],
    get hits() {
      return witness.hits
    },
    control: () => witness.control(socket),
    async [Symbol.asyncDispose]() {
      witness.close()
    },
  }
}

class Counter {
  #seen = 0
  #own = 0
  readonly #server = net.createServer((socket) => {
    this.#seen += 1
    socket.destroy()
  })

  get hits(): number {
    return this.#seen - this.#own
  }

  listen(where: net.ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(where, resolve)
    })
  }

  control(where: net.NetConnectOpts): Promise<boolean> {
    const before = this.#seen
    this.#own += 1
    return new Promise((resolve) => {
      const socket = net.connect(where)
      let reached = true
      socket.on('error', () => {
        reached = false
        this.#own -= 1
      })
      socket.on('close', () => resolve(reached && this.#seen > before))
    })
  }

  close(): void {
    this.#server.close()
  }
}
