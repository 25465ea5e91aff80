// Addresses: attacks.md PRX-12, PRX-13 and NET-05. Every block has a member; every way to carry an IPv4 address in IPv6 is judged by what it carries.
import fc from 'fast-check'
import { isIP } from 'node:net'
import { describe, expect, it } from 'vitest'
import { classifyAddress, parseAddress } from '../../src/policy/addresses.ts'
import { addressRows } from '../../src/policy/special-addresses.ts'

const kinds: Readonly<Record<string, readonly string[]>> = {
  public: [
    '8.8.8.8',
    '1.1.1.1',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.31.196.1',
    '2606:4700::1',
    '2001:4860:4860::8888',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
  ],
  loopback: [
    '127.0.0.1',
    '127.255.255.255',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '::127.0.0.1',
    '64:ff9b:1::7f00:1',
    '::ffff:0:127.0.0.1',
  ],
  unspecified: ['0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0'],
  private: [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    'fc00::1',
    'fdff::1',
    'fec0::1',
    '::ffff:10.0.0.1',
    '2002:a00:1::',
    '64:ff9b::192.168.0.1',
    '64:ff9b:1::8.8.8.8',
  ],
  shared: ['100.64.0.1', '100.127.255.255'],
  'link-local': ['169.254.1.1', 'fe80::1', 'febf::1', '::ffff:169.254.1.1'],
  metadata: [
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd20:ce::254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
  ],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', '::ffff:224.0.0.1'],
  broadcast: ['255.255.255.255'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  benchmarking: ['198.18.0.1', '198.19.255.255', '2001:2::1'],
  reserved: [
    '240.0.0.1',
    '192.88.99.1',
    '100::1',
    '2001:10::1',
    '2002:808:808::',
    '::8.8.8.8',
    '4000::1',
    '5f00::1',
    '2001:0:808:808::f7f7:f7f7',
  ],
  invalid: [
    '',
    '127.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.4.5',
    '256.1.1.1',
    '[::1]',
    'fe80::1%lo',
    '::1%',
    '1.2.3.4:80',
    ' 1.2.3.4',
    '1.2.3.4 ',
    'a.test',
    ':::',
    '::ffff:999.0.0.1',
  ],
}

describe('classifyAddress', () => {
  it.each(Object.entries(kinds).flatMap(([kind, list]) => list.map((address) => [address, kind])))('%s is %s', (address, kind) =>
    expect(classifyAddress(address ?? '').kind).toBe(kind),
  )

  it('finds the first and last address of every block in a block', () => {
    for (const { block, kind, carries } of addressRows) {
      if (carries !== undefined) continue
      const [base = ''] = block.split('/')
      expect(classifyAddress(base).kind, block).not.toBe('public')
      expect(kind).not.toBe('public')
    }
  })

  it('never calls an address public that carries one that is not', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom('::ffff:', '::', '64:ff9b::', '::ffff:0:', '64:ff9b:1::'), (v4, prefix) => {
        const inner = classifyAddress(v4).kind
        const outer = classifyAddress(`${prefix}${v4}`).kind
        if (inner !== 'public' && v4 !== '0.0.0.1' && v4 !== '0.0.0.0') expect(outer).toBe(inner)
        if (outer === 'public') expect(inner).toBe('public')
      }),
    )
  })

  it('reads as an address exactly what the system does, but for zones', () => {
    const piece = fc.constantFrom(':', '::', '.', '0', '1', 'ff', 'ffff', '12345', '255', '256', '01', 'g', '127.0.0.1', '%lo', ' ', '-')
    const text = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4Extended(),
      fc.array(fc.constantFrom('0', 'a1'), { minLength: 6, maxLength: 9 }).map((parts) => parts.join(':')),
    )
    fc.assert(
      fc.property(text, (written) => {
        expect(parseAddress(written)?.family ?? 0).toBe(written.includes('%') ? 0 : isIP(written))
      }),
      { numRuns: 5000 },
    )
  })

  it('agrees with itself on every spelling of one IPv6 address, and never throws', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const value = parseAddress(text)?.value
        expect(value).toBeDefined()
        const long = (value ?? 0n).toString(16).padStart(32, '0').match(/.{4}/g)?.join(':') ?? ''
        expect(classifyAddress(long)).toEqual(classifyAddress(text))
        expect(classifyAddress(long.toUpperCase())).toEqual(classifyAddress(text))
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(classifyAddress(text).kind).toBeTypeOf('string')
      }),
    )
  })
})
