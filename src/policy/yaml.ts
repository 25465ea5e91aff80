// Policy: the text of a policy file becomes a checked tree with positions; strictly, so that no two readers read it differently.
// Loaded only where a file is (yaml and zod cost more than the rest of a start).
import { isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type Node, type Pair } from 'yaml'
import type { z } from 'zod'
import { Failure } from '../errors/failure.ts'
import { nearest } from './nearest.ts'
import { policyJsonSchema, policySchema, type PolicyFile } from './schema.ts'
import { show } from './show.ts'

export interface Position {
  readonly line: number
  readonly column: number
}
type Path = readonly PropertyKey[]

export interface ParsedPolicy {
  readonly tree: PolicyFile
  /** Where a key or list entry stands; the nearest thing around it where it does not exist. */
  readonly at: (path: Path) => Position
  /** A scalar as it was typed (`1.10` stays `1.10`). */
  readonly source: (path: Path) => string | undefined
}

/**
 * Reads YAML 1.2 core without anchors, aliases, tags, directives and merge keys: one document, no duplicate keys, every key known.
 * Throws Failure `policy/bad-yaml`, `policy/unknown-key`, `policy/wrong-type` or `policy/empty`, each with file, line and column.
 */
export function parsePolicy(bytes: Uint8Array, file: string): ParsedPolicy {
  const text = decode(bytes, file)
  const lines = new LineCounter()
  const fail = (reason: string, offset: number): never => {
    const { line, col } = lines.linePos(offset)
    throw new Failure('policy/bad-yaml', { ...place(file, line, col), reason })
  }
  const document = parseStrictly(text, lines, fail)
  refuseIndirection(document, fail)
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
    throw new Failure('policy/empty', { file })
  const find = finder(document, lines)
  const result = policySchema.safeParse(document.toJS({ maxAliasCount: 0 }))
  if (!result.success) throw issueFailure(mostTelling(result.error.issues), file, find)
  return { tree: result.data, at: find.at, source: find.source }
}

/** `FILE:LINE:COLUMN` and its parts, the facts of every failure that points into a file. */
function place(file: string, line: number, column: number): { where: string; file: string; line: number; column: number } {
  return { where: `${show(file, 300)}:${line}:${column}`, file, line, column }
}

function decode(bytes: Uint8Array, file: string): string {
  const fail = (reason: string, offset: number): never => {
    const before = bytes.subarray(0, Math.max(0, offset))
    const line = before.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 1)
    throw new Failure('policy/bad-yaml', { ...place(file, line, offset - before.lastIndexOf(10)), reason })
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    return fail(`it is not UTF-8 (${error instanceof Error ? error.message : 'unreadable'})`, 0)
  }
  if (text.startsWith('\uFEFF')) return fail('it starts with a byte order mark; save it as UTF-8 without one', 0)
  const odd = /[^\t\n\r\x20-\x7e\u00a0-\u{10ffff}]|[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/u.exec(text)
  if (odd !== null)
    return fail(`it has the character ${show(odd[0])}, which a reader does not see`, Buffer.byteLength(text.slice(0, odd.index)))
  return text
}

function parseStrictly(text: string, lineCounter: LineCounter, fail: (reason: string, offset: number) => never): Document {
  let document: Document
  try {
    document = parseDocument(text, {
      lineCounter,
      version: '1.2',
      schema: 'core',
      strict: true,
      uniqueKeys: true,
      prettyErrors: false,
      merge: false,
    })
  } catch (error) {
    return fail(`it can't be read (${error instanceof Error ? show(error.message) : 'unknown'})`, 0)
  }
  const [problem] = [...document.errors, ...document.warnings]
  if (problem?.code === 'MULTIPLE_DOCS') return fail('something follows its end: a policy is one document', problem.pos[0])
  if (problem?.code === 'DUPLICATE_KEY') return fail('the same key stands here a second time', problem.pos[0])
  if (problem !== undefined) return fail(show(problem.message.split('\n')[0] ?? '', 200), problem.pos[0])
  if (document.directives?.yaml.explicit === true || (document.directives?.docStart === true && /^%/m.test(text))) {
    return fail('directives (lines that start with %) are not used in policies', Math.max(0, text.search(/^%/m)))
  }
  return document
}

function refuseIndirection(document: Document, fail: (reason: string, offset: number) => never): void {
  const offsetOf = (node: Node): number => node.range?.[0] ?? 0
  visit(document, {
    Alias: (_key, node) => fail('aliases (*name) are not used in policies: write the value where it holds', offsetOf(node)),
    Value: (_key, node) => {
      if (node.anchor !== undefined) fail('anchors (&name) are not used in policies: write the value where it holds', offsetOf(node))
      if (node.tag !== undefined) fail('tags (!name) are not used in policies', offsetOf(node))
    },
    Pair: (_key, pair) => {
      const key = pair.key
      if (!isScalar(key)) return fail('a key must be plain text', 0)
      if (key.value === '<<') return fail('merge keys (<<) are not used in policies: write the values where they hold', offsetOf(key))
      if (key.value === '__proto__') return fail('the key __proto__ is not used in policies', offsetOf(key))
      if (typeof key.value !== 'string') return fail(`the key ${show(String(key.value))} must be text: put it in quotes`, offsetOf(key))
      return undefined
    },
  })
}

interface Finder {
  readonly at: (path: Path) => Position
  readonly source: (path: Path) => string | undefined
}

function finder(document: Document, lines: LineCounter): Finder {
  const walk = (path: Path): { node: Node | undefined; spot: Node | undefined } => {
    let node = document.contents as Node | undefined
    let spot = node
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find((item): item is Pair<Node, Node | null> => isScalar(item.key) && item.key.value === step)
        if (pair === undefined) return { node: undefined, spot }
        spot = pair.key
        node = pair.value ?? undefined
      } else if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
        node = node.items[step] as Node
        spot = node
      } else return { node: undefined, spot }
    }
    return { node, spot }
  }
  return {
    at: (path) => {
      const { line, col } = lines.linePos(walk(path).spot?.range?.[0] ?? 0)
      return { line, column: col }
    },
    source: (path) => {
      const { node } = walk(path)
      return isScalar(node) ? (node.source ?? String(node.value)) : undefined
    },
  }
}

function issueFailure(first: z.core.$ZodIssue | undefined, file: string, { at, source }: Finder): Failure {
  const issue = first === undefined ? undefined : innermost(first)
  const path = issue?.path ?? []
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const { line, column } = at([...path, key])
    const known = knownKeys(path)
    const meant = nearest(key, known)
    const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`
    return new Failure('policy/unknown-key', { ...place(file, line, column), key: show([...path, key].join('.')), hint })
  }
  const { line, column } = at(path)
  // Under `secrets` it may be a value, given where its source belongs.
  const written = path[0] === 'secrets' ? undefined : source(path)
  const found = written === undefined ? '' : `, not ${show(written, 40)}`
  return new Failure('policy/wrong-type', {
    ...place(file, line, column),
    key: show(path.join('.')) || 'the file',
    expected: expectation(issue),
    found,
  })
}

/** A key that is not known explains best why another one is missing. */
function mostTelling(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  return issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
}

/** Of a union's branches, the one that got furthest tells what is wrong. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue
  const inner = issue.errors
    .map(mostTelling)
    .find((candidate) => candidate !== undefined && (candidate.path.length > 0 || candidate.code === 'unrecognized_keys'))
  return inner === undefined ? issue : innermost({ ...inner, path: [...issue.path, ...inner.path] })
}

function expectation(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'something else'
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_type')
    return { string: 'text', object: 'a mapping', record: 'a mapping', array: 'a list' }[issue.expected as string] ?? issue.expected
  if (issue.code === 'too_small') return 'text that is not empty'
  if (issue.code !== 'invalid_union') return issue.message
  const forms = issue.errors.map(mostTelling).filter((inner) => inner?.path.length === 0)
  return [...new Set(forms.map(expectation))].join(', or ')
}

/** Keys that the schema knows at a path, read from its own JSON schema. */
function knownKeys(path: Path): readonly string[] {
  interface Level {
    properties?: Record<string, Level>
    items?: Level
    anyOf?: Level[]
    additionalProperties?: Level | boolean
  }
  const below = (from: Level, step: PropertyKey): Level | undefined => {
    if (typeof step === 'number') return from.items ?? from.anyOf?.map((branch) => below(branch, step)).find(Boolean)
    const own = from.properties?.[String(step)] ?? from.anyOf?.map((branch) => below(branch, step)).find(Boolean)
    return own ?? (typeof from.additionalProperties === 'object' ? from.additionalProperties : undefined)
  }
  let level: Level | undefined = policyJsonSchema()
  for (const step of path) level = level === undefined ? undefined : below(level, step)
  const own = level?.properties ?? level?.anyOf?.find((branch) => branch.properties !== undefined)?.properties ?? {}
  return Object.keys(own)
}
