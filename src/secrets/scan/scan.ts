// Secrets, scan: one piece of content looked at for known values and for well-known formats. Used by `secret scan`, the review's risks, the end of a run.
import type { Finding, Known } from './finding.ts'
import { findKnown, knownForms } from './known.ts'

export interface Scan {
  /** `name`: a file's, shown nowhere. Binary content is searched for known values alone. */
  (bytes: Buffer, name: string): Promise<readonly Finding[]>
}

export interface ScanOptions {
  /** Default: true. */
  readonly formats?: boolean
  /** Texts that are shaped like a credential and are none: the placeholders of a session. */
  readonly worthless?: readonly string[]
}

/** A scan for these values, and with `formats` for anything shaped like a credential. */
export function openScan(known: readonly Known[], { formats = true, worthless = [] }: ScanOptions = {}): Scan {
  const forms = knownForms(known)
  return async (bytes, name) => {
    const exact = findKnown(bytes, forms)
    const text = formats ? textOf(bytes) : undefined
    if (text === undefined) return exact
    const { findFormats } = await import('./formats.ts')
    const told = worthless.reduce((left, placeholder) => left.replaceAll(placeholder, ' '.repeat(placeholder.length)), text)
    const shaped = await findFormats(told, name === '' ? 'text' : name)
    const lines = new Set(exact.map(({ line }) => line))
    // A known value is told by its name; that it also has a format says nothing more.
    return [...exact, ...shaped.filter(({ line }) => !lines.has(line))].sort((a, b) => a.line - b.line || a.column - b.column)
  }
}

/** Undefined for what is no text: a NUL in the first 8,000 bytes, as git tells it. UTF-16 is told by its mark. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2)
  if (bytes.length >= 2 && bytes[0] === 0xfe && bytes[1] === 0xff) {
    const even = bytes.subarray(2, bytes.length - (bytes.length % 2))
    return Buffer.from(even).swap16().toString('utf16le')
  }
  return bytes.subarray(0, 8_000).includes(0) ? undefined : bytes.toString('utf8')
}
