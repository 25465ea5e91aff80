// The hot path for Claude Code's lines, as WebAssembly (native/walk/): finds the next line that bills something or is odd, and tells where its parts
// stand. What is in a log cannot harm more than the numbers that come of it: the code reaches nothing but its own memory.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { packageRoot } from '../../host/paths.ts'
import type { LogText, Stretch } from '../read-lines.ts'

/** `odd`: for parse.ts, since it is not as expected, or holds more than one response. */
export type Outcome = 'skip' | 'bill' | 'odd'
const outcomes: readonly Outcome[] = ['skip', 'bill', 'odd']

interface Exports {
  readonly next: (at: number, search: number, filled: number) => number
  readonly only: (start: number, end: number) => number
}

/** Places of `facts`, as native/walk/facts.ts has them; a part's end stands behind its start (0: it is not there). */
export const fact = { model: 7, session: 9, time: 11, cwd: 13, flags: 15, keyLow: 32, keyHigh: 33, shapeLow: 34, shapeHigh: 35 } as const
/** Of `facts[fact.flags]`; below them those of records.ts. */
export const lineFlag = { empty: 32, sameSession: 64, sameModel: 128 } as const
/** Places of `counts`. */
export const counted = { input: 8, output: 9, write5m: 11, write1h: 12, read: 13, web: 14, time: 15 } as const

export class Walker {
  /** Of the line that was judged last. */
  facts: Int32Array = new Int32Array(0)
  counts: Float64Array = new Float64Array(0)
  #text: LogText | undefined
  #memory: WebAssembly.Memory | undefined
  #exports: Exports = { next: () => 0, only: () => 0 }
  #judged = -1
  #outcome = 0

  /** The next line from `start` on that has to be judged with care or bills something, or where the last one, which has no end yet, begins. */
  next(text: LogText, start: number, search: number, filled: number, found: Stretch): boolean {
    this.#attach(text)
    this.#outcome = this.#exports.next(start, search, filled)
    found.start = this.facts[0] as number
    found.end = this.facts[1] as number
    found.passed = this.facts[2] as number
    this.#judged = this.#outcome === 0 ? -1 : found.start
    return this.#outcome !== 0
  }

  /** Judges the line from `start` to `end` (without its line feed); at once where `next` has just found it. */
  judge(text: LogText, start: number, end: number): Outcome {
    if (start !== this.#judged || text !== this.#text) {
      this.#attach(text)
      this.#outcome = this.#exports.only(start, end)
    }
    this.#judged = -1
    return outcomes[this.#outcome] ?? 'odd'
  }

  #attach(text: LogText): void {
    if (text === this.#text) return
    this.#text = text
    const { memory } = text
    this.facts = new Int32Array(memory.buffer, 0, 64)
    this.counts = new Float64Array(memory.buffer, 0, 64)
    if (memory !== this.#memory) this.#exports = new WebAssembly.Instance(code(), { env: { memory } }).exports as unknown as Exports
    this.#memory = memory
  }
}

let compiled: WebAssembly.Module | undefined

function code(): WebAssembly.Module {
  return (compiled ??= new WebAssembly.Module(readFileSync(path.join(packageRoot(), 'dist', 'walk.wasm'))))
}
