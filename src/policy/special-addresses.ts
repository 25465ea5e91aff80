// Policy: the special addresses as data. Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (as of 2026-10), multicast registries,
// the clouds' own manuals for metadata. Blocks that IANA marks globally reachable (AS112, AMT) are left out: they are public.

export type AddressKind =
  | 'public'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link-local'
  | 'metadata'
  | 'multicast'
  | 'broadcast'
  | 'documentation'
  | 'benchmarking'
  | 'reserved'
  | 'invalid'

export interface AddressRow {
  readonly block: string
  readonly kind: AddressKind
  readonly label: string
  readonly source: string
  /** IPv4 addresses that an address of this block stands for. */
  readonly carries?: (value: bigint) => readonly bigint[]
}

const low32 = (value: bigint): readonly bigint[] => [value & 0xffffffffn]
const at = (value: bigint, shift: bigint): bigint => (value >> shift) & 0xffffffffn

export const addressRows: readonly AddressRow[] = [
  { block: '0.0.0.0/8', kind: 'unspecified', label: 'this network', source: 'RFC 791' },
  { block: '10.0.0.0/8', kind: 'private', label: 'private', source: 'RFC 1918' },
  { block: '100.64.0.0/10', kind: 'shared', label: 'carrier-grade NAT', source: 'RFC 6598' },
  { block: '127.0.0.0/8', kind: 'loopback', label: 'loopback', source: 'RFC 1122' },
  { block: '169.254.0.0/16', kind: 'link-local', label: 'link-local', source: 'RFC 3927' },
  { block: '172.16.0.0/12', kind: 'private', label: 'private', source: 'RFC 1918' },
  { block: '192.0.0.0/24', kind: 'reserved', label: 'IETF protocol assignments', source: 'RFC 6890' },
  { block: '192.0.2.0/24', kind: 'documentation', label: 'documentation', source: 'RFC 5737' },
  { block: '192.88.99.0/24', kind: 'reserved', label: 'former 6to4 relay anycast', source: 'RFC 7526' },
  { block: '192.168.0.0/16', kind: 'private', label: 'private', source: 'RFC 1918' },
  { block: '198.18.0.0/15', kind: 'benchmarking', label: 'benchmarking', source: 'RFC 2544' },
  { block: '198.51.100.0/24', kind: 'documentation', label: 'documentation', source: 'RFC 5737' },
  { block: '203.0.113.0/24', kind: 'documentation', label: 'documentation', source: 'RFC 5737' },
  { block: '224.0.0.0/4', kind: 'multicast', label: 'multicast', source: 'RFC 5771' },
  { block: '240.0.0.0/4', kind: 'reserved', label: 'reserved', source: 'RFC 1112' },
  { block: '255.255.255.255/32', kind: 'broadcast', label: 'limited broadcast', source: 'RFC 919' },

  { block: '169.254.169.254/32', kind: 'metadata', label: 'cloud metadata', source: 'AWS, Azure, Google and others' },
  { block: '169.254.169.253/32', kind: 'metadata', label: 'cloud resolver', source: 'AWS' },
  { block: '169.254.169.123/32', kind: 'metadata', label: 'cloud time service', source: 'AWS' },
  { block: '169.254.170.2/32', kind: 'metadata', label: 'container credentials', source: 'AWS ECS' },
  { block: '169.254.170.23/32', kind: 'metadata', label: 'pod credentials', source: 'AWS EKS' },
  { block: '169.254.0.23/32', kind: 'metadata', label: 'cloud metadata', source: 'Tencent' },
  { block: '100.100.100.200/32', kind: 'metadata', label: 'cloud metadata', source: 'Alibaba' },
  { block: '168.63.129.16/32', kind: 'metadata', label: 'cloud host service', source: 'Azure' },
  { block: '192.0.0.192/32', kind: 'metadata', label: 'cloud metadata', source: 'Oracle' },
  { block: 'fd00:ec2::/32', kind: 'metadata', label: 'cloud services', source: 'AWS' },
  { block: 'fd20:ce::254/128', kind: 'metadata', label: 'cloud metadata', source: 'Google' },

  { block: '::/128', kind: 'unspecified', label: 'unspecified', source: 'RFC 4291' },
  { block: '::1/128', kind: 'loopback', label: 'loopback', source: 'RFC 4291' },
  { block: '::/96', kind: 'reserved', label: 'IPv4-compatible', source: 'RFC 4291', carries: low32 },
  { block: '::ffff:0:0/96', kind: 'public', label: 'IPv4-mapped', source: 'RFC 4291', carries: low32 },
  { block: '::ffff:0:0:0/96', kind: 'reserved', label: 'IPv4-translated', source: 'RFC 2765', carries: low32 },
  { block: '64:ff9b::/96', kind: 'public', label: 'NAT64', source: 'RFC 6052', carries: low32 },
  { block: '64:ff9b:1::/48', kind: 'private', label: 'local NAT64', source: 'RFC 8215', carries: low32 },
  { block: '100::/64', kind: 'reserved', label: 'discard-only', source: 'RFC 6666' },
  { block: '100:0:0:1::/64', kind: 'reserved', label: 'dummy prefix', source: 'RFC 9780' },
  { block: '2001::/23', kind: 'reserved', label: 'IETF protocol assignments', source: 'RFC 2928' },
  // Teredo carries its server plainly and its client with every bit turned (RFC 4380 section 4).
  {
    block: '2001::/32',
    kind: 'reserved',
    label: 'Teredo',
    source: 'RFC 4380',
    carries: (value) => [at(value, 64n), at(value, 0n) ^ 0xffffffffn],
  },
  { block: '2001:2::/48', kind: 'benchmarking', label: 'benchmarking', source: 'RFC 5180' },
  { block: '2001:db8::/32', kind: 'documentation', label: 'documentation', source: 'RFC 3849' },
  { block: '2002::/16', kind: 'reserved', label: '6to4', source: 'RFC 7526', carries: (value) => [at(value, 80n)] },
  { block: '3fff::/20', kind: 'documentation', label: 'documentation', source: 'RFC 9637' },
  { block: '5f00::/16', kind: 'reserved', label: 'SRv6 segment identifiers', source: 'RFC 9602' },
  { block: 'fc00::/7', kind: 'private', label: 'unique local', source: 'RFC 4193' },
  { block: 'fe80::/10', kind: 'link-local', label: 'link-local', source: 'RFC 4291' },
  { block: 'fec0::/10', kind: 'private', label: 'former site-local', source: 'RFC 3879' },
  { block: 'ff00::/8', kind: 'multicast', label: 'multicast', source: 'RFC 4291' },
]
