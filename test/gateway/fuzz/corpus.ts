// The corpus: inputs that once told something, replayed by every run. A failure that fast-check finds is written beside them, to be kept.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const folder = path.join(import.meta.dirname, 'corpus')

export interface Case {
  /** What it is about, or when it was found. */
  readonly about: string
  /** Bytes as latin1 text. */
  readonly input: string
}

/** Every case of one kind (`requests`, `paths`): the written ones, and those that were found. */
export function corpus(kind: string): readonly Case[] {
  const files = readdirSync(folder).filter((name) => name === `${kind}.json` || (name.startsWith(`${kind}-`) && name.endsWith('.json')))
  return files.sort().flatMap((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Case[])
}

/** Runs one input; what makes it fail is kept in the corpus, the smallest one last. */
export async function keeping(kind: string, input: string, run: () => Promise<void> | void): Promise<void> {
  try {
    await run()
  } catch (error) {
    found.set(kind, input)
    throw error
  }
}

const found = new Map<string, string>()

/** Writes what was found last, which after shrinking is the smallest: `corpus/KIND-HASH.json`. */
export function saveFound(): void {
  for (const [kind, input] of found) {
    const name = `${kind}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}.json`
    const about = `found by the fuzzer; say here what it was, once it is understood`
    writeFileSync(path.join(folder, name), `${JSON.stringify([{ about, input }], null, 2)}\n`)
  }
  found.clear()
}

/** How long one fuzz test goes on: 6 seconds, or ANCHORHOLD_FUZZ_SECONDS. */
export function fuzzSeconds(): number {
  const asked = Number(process.env['ANCHORHOLD_FUZZ_SECONDS'] ?? 6)
  return Number.isFinite(asked) && asked > 0 ? asked : 6
}
