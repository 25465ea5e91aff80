// The one error that reaches users: facts first, the sentence computed from the catalogue, rendered in one place.
import { catalogue, type FailureCode } from './catalogue.ts'

/** What happened and what to do. `facts` fill the catalogue's message; never put a secret in them. */
export class Failure extends Error {
  readonly code: FailureCode
  readonly facts: Readonly<Record<string, string | number>>
  constructor(code: FailureCode, facts: Readonly<Record<string, string | number>> = {}, options?: { cause?: unknown }) {
    super(fill(catalogue[code].message, facts), options)
    this.name = 'Failure'
    this.code = code
    this.facts = facts
  }
  /** What the user can do, with the exact command. */
  get remedy(): string {
    return fill(catalogue[this.code].remedy, this.facts)
  }
  /** Process exit code: 125 unless the catalogue says otherwise. */
  get exitCode(): number {
    return catalogue[this.code].exitCode ?? 125
  }
}

/** Facts made of whole lines; every other stays on its line, so that a path or a host can't write lines of its own into a message. */
const manyLines: readonly string[] = ['lines', 'remedy']

function fill(template: string, facts: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, key: string) => {
    if (!Object.hasOwn(facts, key)) return whole
    return manyLines.includes(key) ? String(facts[key]) : String(facts[key]).replaceAll('\n', '\\n')
  })
}
