// A further thread of a scan, an entry of its own in the bundle: reads files and hands its columns over.
import { parentPort, workerData } from 'node:worker_threads'
import { work, type ThreadInput } from './threads.ts'

const done = work(workerData as ThreadInput)
parentPort?.postMessage(done, [done.records.numbers.buffer, done.records.words.buffer] as readonly ArrayBuffer[])
