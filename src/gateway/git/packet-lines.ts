// Gateway, git: packet lines (gitprotocol-common), the framing of git's commands. Pure; receive-pack.ts reads on.

export type Packet =
  | { readonly kind: 'line'; readonly bytes: Buffer; readonly next: number }
  | { readonly kind: 'flush'; readonly next: number }

/** The packet at `at`; undefined where it is cut off or malformed. Delimiters of version 2 (0001, 0002) are malformed here: a push has none. */
export function readPacket(bytes: Buffer, at: number): Packet | undefined {
  const digits = bytes.toString('latin1', at, at + 4)
  if (!/^[0-9a-f]{4}$/.test(digits)) return undefined
  const length = Number.parseInt(digits, 16)
  if (length === 0) return { kind: 'flush', next: at + 4 }
  if (length < 4 || at + length > bytes.length) return undefined
  return { kind: 'line', bytes: bytes.subarray(at + 4, at + length), next: at + length }
}
