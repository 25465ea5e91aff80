// Addresses of a host that this machine's own set-up names (a company's registry) against those of any other (attacks.md PRX-13, NET-05).
import { expect, it } from 'vitest'
import { resolve } from '../../../src/gateway/dial/resolve.ts'
import { vetAddresses } from '../../../src/gateway/dial/vet.ts'
import { canonicalHost } from '../../../src/policy/host-name.ts'
import { allow } from '../fixtures/rig.ts'

const host = canonicalHost('npm.company.test')
const none: ReadonlySet<string> = new Set()

it.each(['10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.0.1', 'fd00::1', '203.0.113.80'])(
  '%s is a registry’s where the machine says so, and nobody’s else',
  (address) => {
    expect(vetAddresses(host, [address], none)).toMatchObject({ code: 'private-address' })
    expect(vetAddresses(host, [address], none, true)).toBeUndefined()
  },
)

it.each([
  '127.0.0.1',
  '::1',
  '0.0.0.0',
  '169.254.169.254',
  'fd00:ec2::254',
  '169.254.1.1',
  'fe80::1',
  '224.0.0.1',
  '255.255.255.255',
  '::ffff:127.0.0.1',
  '64:ff9b::7f00:1',
  '240.0.0.1',
  'nonsense',
])('%s is refused whoever names it', (address) => {
  for (const asked of [[address], ['10.0.0.1', address]])
    expect(vetAddresses(host, asked, none, true)).toMatchObject({ code: 'private-address' })
})

it.each(['198.51.101.7', '::ffff:198.51.101.7', '::FFFF:C633:6507', '64:ff9b::198.51.101.7', '2a01:4f8::5', '2A01:04F8:0:0::5'])(
  '%s is the machine’s own, however the answer writes it',
  (address) => {
    const own = new Set(['198.51.101.7', '2a01:4f8::5'])
    expect(vetAddresses(host, [address], none)).toBeUndefined()
    expect(vetAddresses(host, ['198.51.101.8', address], own)).toMatchObject({ code: 'private-address' })
  },
)

it('the machine’s own address is refused too, and a wider rule beside it lends nothing', async () => {
  expect(vetAddresses(host, ['10.0.0.9'], new Set(['10.0.0.9']), true)).toMatchObject({ code: 'private-address' })
  const how = { resolver: async () => ['10.0.0.9'], parents: [], purpose: 'tunnel' } as const
  const rules = [allow('npm.company.test', { mayBePrivate: true, ports: [443] }), allow('*.company.test:8443'), allow('other.company.test')]
  const reach = (name: string, port: number) => resolve({ rules, routes: [] }, { host: canonicalHost(name), port }, how)
  expect(await reach('npm.company.test', 443)).toMatchObject({ kind: 'direct' })
  expect(await reach('npm.company.test', 8443)).toMatchObject({ kind: 'refused' })
  expect(await reach('other.company.test', 443)).toMatchObject({ kind: 'refused' })
})
