// Shares files out over threads: the largest first, each thread takes the next when it is done. Below some amount one thread is faster.
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Worker } from 'node:worker_threads'
import { packageRoot } from '../host/paths.ts'
import { Scanner, type Scanned, type Task } from './scan.ts'

/** Bytes to be read from which a further thread pays. */
const worthThread = 150e6
const mostThreads = 4
/** bin/anchorhold starts us without V8's optimizers, which take longer than a small scan does. Large ones are worth it. */
const worthOptimizing = 100e6

/** What a thread is handed. */
export interface ThreadInput {
  readonly tasks: readonly Task[]
  readonly order: Uint32Array
  /** One number: the place in `order` of the next task. */
  readonly next: Int32Array
}

/** Reads logs, in further threads too where there is much to be read: they start while it is still being found out what. */
export class Threads {
  #bytes = 0
  readonly #started: Worker[] = []

  /** So many bytes more are going to be read. */
  expect(bytes: number): void {
    this.#bytes += bytes
    const wanted = Math.min(mostThreads, Math.ceil(this.#bytes / worthThread))
    if (wanted <= this.#started.length + 1 || this.#started.length + 1 >= availableParallelism() || !existsSync(entry())) return
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    this.#started.push(new Worker(entry(), { env: {} }))
  }

  /** Reads every task; each comes up in exactly one of the results. */
  async scan(tasks: readonly (Task & { readonly bytes: number })[]): Promise<readonly Scanned[]> {
    const order = new Uint32Array(new SharedArrayBuffer(tasks.length * 4))
    order.set(tasks.map((_, place) => place).sort((a, b) => (tasks[b]?.bytes ?? 0) - (tasks[a]?.bytes ?? 0)))
    if (this.#bytes > worthOptimizing) process.getBuiltinModule('node:v8').setFlagsFromString('--turbofan')
    const input: ThreadInput = { tasks, order, next: new Int32Array(new SharedArrayBuffer(4)) }
    const others = this.#started.map((worker) => {
      worker.postMessage(input, [])
      return new Promise<Scanned>((resolve, reject) => worker.once('message', resolve).once('error', reject))
    })
    return tasks.length === 0 ? [] : [work(input), ...(await Promise.all(others))]
  }
}

/** Of a further thread, in the bundle; from the sources there is none. */
function entry(): string {
  return path.join(packageRoot(), 'dist', 'scan-worker.cjs')
}

/** Takes tasks until none is left. */
export function work({ tasks, order, next }: ThreadInput): Scanned {
  const scanner = new Scanner()
  for (;;) {
    const place = order[Atomics.add(next, 0, 1)]
    const task = place === undefined ? undefined : tasks[place]
    if (place === undefined || task === undefined) break
    scanner.read(task, place)
  }
  const { records, sessions, models, files } = scanner
  return {
    records: { numbers: records.numbers, words: records.words, length: records.length },
    sessions: sessions.list,
    models: models.list,
    files,
  }
}
