// Secrets, scan: what was found and where. Never the value, nor a part of it.

export interface Finding {
  /** `known`: a value of the user's, exactly. `format`: something shaped like a credential. */
  readonly kind: 'known' | 'format'
  /** Name of the secret, or what it looks like in words ("GitHub token"). */
  readonly name: string
  /** Of a known one: how it was written ("as it is", "base64", …). */
  readonly form?: string
  /** 1-based; columns in bytes. Of binary content, line 1 and the offset. */
  readonly line: number
  readonly column: number
}

/** A value that must not be found, with the name to say when it is. */
export interface Known {
  readonly name: string
  readonly value: string
}

/** Line and column of one offset. */
export function placeOf(bytes: Buffer, offset: number): { readonly line: number; readonly column: number } {
  let line = 1
  let start = 0
  for (let at = bytes.indexOf(10); at >= 0 && at < offset; at = bytes.indexOf(10, at + 1)) {
    line += 1
    start = at + 1
  }
  return { line, column: offset - start + 1 }
}
