// Policy: what an IP address is, by the tables in special-addresses.ts. The gateway asks before it dials.
import { whenAsked } from '../host/when-asked.ts'
import { addressRows, type AddressKind, type AddressRow } from './special-addresses.ts'

export interface Address {
  readonly family: 4 | 6
  readonly value: bigint
}

export interface AddressClass {
  /** Only 'public' may be dialled without a rule or route that names the address's host. */
  readonly kind: AddressKind
  /** In words, with the source: "loopback (RFC 1122)". */
  readonly label: string
}

/**
 * Strict text forms only: dotted decimal without leading zeros (RFC 6943 3.1.1), RFC 4291 text for IPv6, no zone, no brackets, no port.
 * Undefined for anything else. Never throws.
 */
export function parseAddress(text: string): Address | undefined {
  if (decimal.test(text)) return { family: 4, value: quad(text) }
  const tail = /:([0-9.]+\.[0-9.]+)$/.exec(text)?.[1]
  if (text.length > 45 || (tail !== undefined && !decimal.test(tail))) return undefined
  const hex = tail === undefined ? text : text.slice(0, -tail.length) + pair(quad(tail))
  const halves = hex.split('::')
  const [left = [], right = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const given = left.length + right.length
  // A double colon stands for at least one group (RFC 4291 2.2); all other groups are one to four hex digits.
  if (halves.length > 2 || (halves.length === 2 ? given > 7 : given !== 8) || ![...left, ...right].every((part) => group.test(part)))
    return undefined
  const all = [...left, ...Array.from({ length: 8 - given }, () => '0'), ...right]
  return { family: 6, value: all.reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n) }
}
// Own expressions instead of node:net's: those take two milliseconds of every start to compile.
const decimal = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/
const group = /^[0-9a-f]{1,4}$/i

/**
 * What an address is (IANA special-purpose address registries, RFC 6890, and the metadata services of clouds). Where an IPv6 address carries an
 * IPv4 address (mapped, compatible, NAT64, 6to4, Teredo), the carried one is judged too, and the worse of both wins. Text that is no address
 * is 'invalid'. Never throws.
 */
export function classifyAddress(text: string): AddressClass {
  const address = parseAddress(text)
  return address === undefined ? { kind: 'invalid', label: 'not an address' } : classify(address)
}

/**
 * What to compare addresses by, however they are written: the address itself, and the IPv4 addresses that it carries. None for text that is no
 * address. Never throws.
 */
export function addressKeys(text: string): readonly string[] {
  const address = parseAddress(text)
  if (address === undefined) return []
  const row = rows().find((candidate) => candidate.family === address.family && address.value >> candidate.shift === candidate.prefix)
  return [`${address.family} ${address.value}`, ...(row?.carries?.(address.value) ?? []).map((carried) => `4 ${carried}`)]
}

function classify(address: Address): AddressClass {
  const row = rows().find((candidate) => candidate.family === address.family && address.value >> candidate.shift === candidate.prefix)
  if (row === undefined) {
    // Only 2000::/3 is given out as global unicast (RFC 4291 2.4); what is outside and in no row is nobody's.
    const unassigned = address.family === 6 && address.value >> 125n !== 1n
    return unassigned ? { kind: 'reserved', label: 'unassigned (RFC 4291)' } : { kind: 'public', label: 'public' }
  }
  const own: AddressClass = { kind: row.kind, label: `${row.label} (${row.source})` }
  if (row.carries === undefined) return own
  for (const carried of row.carries(address.value)) {
    const inner = classify({ family: 4, value: carried })
    if (inner.kind !== 'public') return { kind: inner.kind, label: `${inner.label} inside ${row.label} (${row.source})` }
  }
  return own
}

interface PreparedRow extends AddressRow {
  readonly family: 4 | 6
  readonly shift: bigint
  readonly prefix: bigint
}

/** Longest prefix first, so that the first hit is the most specific row. */
const rows = whenAsked((): readonly PreparedRow[] =>
  addressRows
    .map((row) => {
      const [base = '', bits = ''] = row.block.split('/')
      const address = parseAddress(base)
      if (address === undefined) throw new Error(`anchorhold: ${row.block} is not a block`)
      const shift = BigInt((address.family === 4 ? 32 : 128) - Number(bits))
      return { ...row, family: address.family, shift, prefix: address.value >> shift }
    })
    .sort((a, b) => (a.shift < b.shift ? -1 : a.shift > b.shift ? 1 : 0)),
)

function quad(text: string): bigint {
  return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
}

function pair(value: bigint): string {
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}
