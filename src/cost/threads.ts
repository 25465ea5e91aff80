// Shares files out over threads: the largest first, each thread takes the next when it is done. Below some amount one thread is faster.
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { packageRoot } from '../host/paths.ts'
import { Scanner, type Scanned, type Task } from './scan.ts'

/** Bytes to be read from which a further thread pays. */
const worthThread = 150e6
const mostThreads = 4
/** bin/anchorhold starts us without V8's last optimizer, which takes longer than a small scan does. Large ones are worth it. */
const worthOptimizing = 100e6

/** What a thread is handed. */
export interface ThreadInput {
  readonly tasks: readonly Task[]
  readonly order: Uint32Array
  /** One number: the place in `order` of the next task. */
  readonly next: Int32Array
}

/** Reads every task; each comes up in exactly one of the results. */
export async function scanAll(tasks: readonly (Task & { readonly bytes: number })[]): Promise<readonly Scanned[]> {
  const bytes = tasks.reduce((sum, task) => sum + task.bytes, 0)
  const order = new Uint32Array(new SharedArrayBuffer(tasks.length * 4))
  order.set(tasks.map((_, place) => place).sort((a, b) => (tasks[b]?.bytes ?? 0) - (tasks[a]?.bytes ?? 0)))
  const input: ThreadInput = { tasks, order, next: new Int32Array(new SharedArrayBuffer(4)) }
  const entry = path.join(packageRoot(), 'dist', 'scan-worker.cjs')
  const wanted = Math.min(mostThreads, availableParallelism(), Math.ceil(bytes / worthThread))
  if (bytes > worthOptimizing) (await import('node:v8')).setFlagsFromString('--turbofan')
  if (wanted < 2 || !existsSync(entry)) return [work(input)]
  const { Worker } = await import('node:worker_threads')
  const others = Array.from({ length: wanted - 1 }, () => {
    const worker = new Worker(entry, { workerData: input, env: {} })
    return new Promise<Scanned>((resolve, reject) => worker.once('message', resolve).once('error', reject))
  })
  return [work(input), ...(await Promise.all(others))]
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
