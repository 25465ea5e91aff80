// Gateway, names: the address that stands for a name inside the cell. Written by answer.ts, read by accept.ts.
import type { CanonicalHost } from '../../model/policy.ts'

export interface Names {
  /** The name's address for the whole session; undefined when every address is taken (never taken from another name). */
  addressOf(host: CanonicalHost): string | undefined
  /** The name an address stands for. Takes IPv4 text, also in its IPv4-mapped IPv6 form (a dual-stack listener reports that). */
  nameOf(address: string): CanonicalHost | undefined
}

/** A bounded table over `count` addresses from `first` on. */
export function makeNames(first: string, count: number): Names {
  const base = toNumber(first)
  const addresses = new Map<CanonicalHost, string>()
  const names = new Map<string, CanonicalHost>()
  return {
    addressOf(host) {
      const known = addresses.get(host)
      if (known !== undefined) return known
      if (addresses.size >= count) return undefined
      const address = toText(base + addresses.size)
      addresses.set(host, address)
      names.set(address, host)
      return address
    },
    nameOf: (address) => names.get(address.startsWith('::ffff:') ? address.slice(7) : address),
  }
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
}
