// One spelling for one value: JSON with sorted keys, and the bounds that keep a journal line small.
// Used by journal.ts before a line is hashed.
import { redactKept } from './redact.ts'

type Bounds = { readonly characters: number; readonly items: number; readonly depth: number }

/** From generous to tight; the last always fits one line of 16 KB. */
const attempts: readonly Bounds[] = [
  { characters: 4096, items: 4096, depth: 8 },
  { characters: 1024, items: 128, depth: 8 },
  { characters: 256, items: 24, depth: 5 },
  { characters: 64, items: 8, depth: 3 },
]

/** JSON with sorted keys and without undefined members; numbers that JSON lacks become null (RFC 8785 without its number rules). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`
}

/** Canonical JSON of a value, redacted, of at most `maxBytes` (≥ 4,096): long strings and lists are cut and say by how much. */
export function boundedJson(value: unknown, maxBytes: number): string {
  for (const bounds of attempts) {
    const text = canonicalJson(bound(value, bounds))
    if (Buffer.byteLength(text) <= maxBytes) return text
  }
  return canonicalJson({ cut: true })
}

function bound(value: unknown, bounds: Bounds): unknown {
  if (typeof value === 'string') return boundText(value, bounds.characters)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (bounds.depth === 0) return '[cut: nested too deep]'
  const inner = { ...bounds, depth: bounds.depth - 1 }
  if (Array.isArray(value)) return boundList(value, inner)
  const members = Object.entries(value)
  const kept = members.slice(0, bounds.items).map(([key, member]) => [boundText(key, bounds.characters), bound(member, inner)] as const)
  return Object.fromEntries(kept)
}

function boundList(list: readonly unknown[], bounds: Bounds): unknown[] {
  const kept = list.slice(0, bounds.items).map((item) => bound(item, bounds))
  const left = list.length - kept.length
  return left > 0 && list.every((item) => typeof item === 'string') ? [...kept, `[cut: ${left} more]`] : kept
}

function boundText(text: string, limit: number): string {
  if (text.length <= limit) return redactKept(text)
  return `${redactKept(text.slice(0, limit))}[cut: ${text.length - limit} more characters]`
}
