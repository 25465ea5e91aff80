// File names are bytes. Inside this phase a path is a string in which each byte that is not UTF-8 stands as a lone surrogate
// (U+DC80…U+DCFF, as Python's "surrogateescape" does), so that every name survives the way to the scout and back.

/** The string of a path's bytes. */
export function pathOf(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (!text.includes('\ufffd')) return text
  let whole = ''
  for (let at = 0; at < bytes.length;) {
    const size = sequenceLength(bytes, at)
    whole += size === 0 ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)) : bytes.toString('utf8', at, at + size)
    at += size === 0 ? 1 : size
  }
  return whole
}

/** The bytes of a path's string. */
export function bytesOf(path: string): Buffer {
  if (isText(path)) return Buffer.from(path, 'utf8')
  const parts = path
    .split(/([\udc80-\udcff])/)
    .map((part) => (part.length === 1 && !isText(part) ? Buffer.from([part.charCodeAt(0) - 0xdc00]) : Buffer.from(part, 'utf8')))
  return Buffer.concat(parts)
}

/** Whether the path is plain UTF-8, and can be told to programs that take text. */
export function isText(path: string): boolean {
  return path.isWellFormed()
}

/** Bytes of the valid UTF-8 sequence that starts here, 0 where there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0
  const size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (size === 0 || at + size > bytes.length) return 0
  return bytes.toString('utf8', at, at + size).includes('\ufffd') && size !== 3 ? 0 : isSequence(bytes, at, size) ? size : 0
}

function isSequence(bytes: Buffer, at: number, size: number): boolean {
  const text = bytes.toString('utf8', at, at + size)
  return Buffer.from(text, 'utf8').equals(bytes.subarray(at, at + size))
}
