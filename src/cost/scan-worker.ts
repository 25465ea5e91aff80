// A further thread of a scan, an entry of its own in the bundle: is handed tasks once, reads files and hands its columns over.
import { parentPort } from 'node:worker_threads'
import { work, type ThreadInput } from './threads.ts'

parentPort?.once('message', (input: ThreadInput) => {
  const done = work(input)
  parentPort?.postMessage(done, [done.records.numbers.buffer, done.records.words.buffer] as readonly ArrayBuffer[])
})
