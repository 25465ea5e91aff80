// PRX-01, 03–12, 16, 28: names, addresses and ports in every odd spelling, at every door of a real cell: CONNECT, absolute requests, SOCKS, DNS.
import { expect, it } from 'vitest'
import { makeWorld } from '../support/anchorhold.ts'
import { inside, type Attempt } from './attempt.ts'
import { awake, tcpWitness } from './witnesses.ts'

/** Names that are not the allowed ones, however much they look like them. */
const others = [
  'evil.test',
  'evil.test.',
  'evilapi.allowed.test',
  'api.allowed.test.evil.test',
  'api-allowed.test',
  'apixallowed.test',
  'allowed.test',
  'test',
  'wild.test',
  'evilwild.test',
  '.wild.test',
  'a..wild.test',
  '*.wild.test',
  'wild.test.',
  'evil.test\0.wild.test',
  'api.allowed.test\0.evil.test',
  'evil.test%00.wild.test',
  'evil.test\r\n.wild.test',
  'evil.test\n',
  'evil.test\t',
  ' api.allowed.test',
  'api.allowed.test ',
  'evil.test#.wild.test',
  'evil.test?.wild.test',
  'evil.test\\.wild.test',
  'evil.test/.wild.test',
  'api.allowed.test@evil.test',
  'evil.test"',
  'x:y@api.allowed.test',
  '[api.allowed.test]',
  '[evil.test]',
  '[::1',
  '::1',
  '[::1%25lo]',
  'api\uff0eallowed.test',
  'api\xe3\x80\x82allowed.test',
  'ap\xc2\xadi.allowed.test',
  '\xe2\x93\x90pi.allowed.test',
  '\xd0\xb0pi.allowed.test',
  'xn--pi-7kc.allowed.test',
  'xn--.wild.test',
  'xn--a.wild.test',
  `${'a'.repeat(64)}.wild.test`,
  `${'a.'.repeat(130)}wild.test`,
  '-a.wild.test',
  'a-.wild.test',
  '127.0.0.1',
  '2130706433',
  '0x7f.1',
  '0x7f000001',
  '0177.0.0.1',
  '127.1',
  '0',
  '127.0.0.1.',
  '127.0.1',
  '127.000.000.001',
  '017700000001',
  '0x7f.0x0.0x0.0x1',
  '0X7F000001',
  '4294967297',
  '0000000000000000000000000177.0.0.1',
  '127.0.0.1%00.wild.test',
  '\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1',
  '127\xe3\x80\x820\xe3\x80\x820\xe3\x80\x821',
  'loc%61lhost',
  '[0:0:0:0:0:ffff:127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[::1%25eth0]',
  '[fe80::1%25lo]',
  '[v1.x]',
  '1.2.3.4.wild.test.5',
  '[::]',
  '[::1]',
  '[::ffff:7f00:1]',
  '[::ffff:127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[::127.0.0.1]',
  '[fe80::1%lo]',
  '169.254.169.254',
  '192.0.2.1',
  'localhost',
  'localhost.',
  'a.localhost',
  'host.anchorhold.internal',
  'anchorhold',
  'a.wild.test.evil.test',
] as const

it('PRX-01 PRX-03..12 what is not the allowed name reaches nobody through CONNECT, a request or SOCKS', async () => {
  const world = makeWorld()
  const witness = await tcpWitness()
  await awake(witness, { host: '127.0.0.1', port: witness.port })
  const to = `127.0.0.1:${witness.port}`
  const options = [
    '--allow',
    'api.allowed.test',
    '--allow',
    '*.wild.test',
    ...[80, 443].flatMap((port) => [
      '--route',
      `api.allowed.test:${port}=${to}`,
      '--route',
      `ok.wild.test:${port}=${to}`,
      '--deny',
      'no.wild.test',
    ]),
  ]
  const at = (name: string): Attempt[] => [
    { kind: 'connect', to: `${name}:443`, then: 'x' },
    { kind: 'connect', to: `${name}:80`, then: `GET / HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n` },
    { kind: 'connect', to: `${name}:${witness.port}` },
    { kind: 'get', host: name },
    { kind: 'raw', door: 'proxy', send: `GET http://${name}/ HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n` },
    // Blanks around a field's value are no part of it (RFC 9112 5).
    ...(name.trim() === 'api.allowed.test'
      ? []
      : [{ kind: 'raw', door: 'proxy', send: `GET http://api.allowed.test/ HTTP/1.1\r\nHost: ${name}\r\n\r\n` }]),
    { kind: 'raw', door: 'proxy', send: `GET http://api.allowed.test@${name}/ HTTP/1.1\r\nHost: ${name}\r\n\r\n` },
    { kind: 'socks', name: name.slice(0, 255), port: 80, then: `GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n` },
    { kind: 'socks', name: name.slice(0, 255), port: 443, then: 'x' },
    { kind: 'socks', name: name.slice(0, 255), port: witness.port },
    { kind: 'raw', door: 'socks', send: `\x04\x01\x00\x50\x00\x00\x00\x01me\x00${name}\x00GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n` },
  ]
  const list = [...others, 'no.wild.test'].flatMap(at)
  const good = ['api.allowed.test', 'API.Allowed.TEST', 'api.allowed.test.', 'ok.wild.test'].flatMap((host) => [
    { kind: 'get', host },
    { kind: 'connect', to: `${host}:80`, then: `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n` },
    { kind: 'socks', name: host, port: 80, then: `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n` },
  ])
  const came = await inside(world, options, [...list, ...good])
  const opened = list.filter((_each, index) => came[index]?.text?.includes('WITNESS'))
  expect(opened).toEqual([])
  // Control: twelve times the allowed names arrived, under one spelling; a made-up server answers what HTTP is not, so each is a 502 or the text.
  expect(witness.hits()).toBe(1 + good.length)
  const hosts = new Set([...witness.text().matchAll(/Host: (\S+)/gi)].map(([, host]) => host))
  expect([...hosts].toSorted()).toEqual(['api.allowed.test', 'ok.wild.test'])
})

it('PRX-11 PRX-12 names that are addresses are no names for the resolver either; PRX-16 only whole, plain, listed ports', async () => {
  const world = makeWorld()
  const witness = await tcpWitness()
  const route = ['--route', `api.allowed.test:443=127.0.0.1:${witness.port}`]
  const ports = [
    '22',
    '25',
    '80',
    '0',
    '65536',
    '0443',
    '+443',
    '-443',
    '443abc',
    '443 ',
    ' 443',
    '',
    '４４３',
    '443:443',
    '1e2',
    '0x1bb',
    '99999999999',
  ]
  const came = await inside(
    world,
    route,
    ports.flatMap((port) => [
      { kind: 'connect', to: `api.allowed.test:${port}` },
      { kind: 'raw', door: 'proxy', send: `GET http://api.allowed.test:${port}/ HTTP/1.1\r\nHost: api.allowed.test:${port}\r\n\r\n` },
    ]),
  )
  for (const { text } of came) expect(text).toMatch(/^HTTP\/1\.1 40[03] /)
  const missing = await inside(world, route, [
    { kind: 'connect', to: 'api.allowed.test' },
    ...['127.1', '0x7f.1', '2130706433', '0177.0.0.1', 'a.127.1'].map((name) => ({
      kind: 'udp',
      host: '127.0.0.1',
      port: 53,
      send: query(name),
    })),
  ])
  expect(missing[0]?.text).toMatch(/^HTTP\/1\.1 400 /)
  // Response code 3, no answer.
  for (const { text = '' } of missing.slice(1)) expect([text.charCodeAt(3) & 15, text.charCodeAt(7)]).toEqual([3, 0])
  expect(witness.hits()).toBe(0)
  const [control] = await inside(world, route, [{ kind: 'connect', to: 'api.allowed.test:443' }])
  expect(control?.text).toMatch(/^HTTP\/1\.1 200 /)
})

function query(name: string): string {
  return `\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00${name
    .split('.')
    .map((part) => String.fromCharCode(part.length) + part)
    .join('')}\x00\x00\x01\x00\x01`
}

it('PRX-28 SOCKS of other kinds: UDP, BIND, a login, IPv6 and IPv4 addresses, version 4 with an address, broken off', async () => {
  const world = makeWorld()
  const witness = await tcpWitness()
  const port = String.fromCharCode(witness.port >> 8, witness.port & 255)
  const sends = [
    `\x05\x01\x00\x05\x03\x00\x01\x7f\x00\x00\x01${port}`,
    `\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x01${port}`,
    `\x05\x01\x02\x01\x01a\x01b\x05\x01\x00\x01\x7f\x00\x00\x01${port}`,
    `\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01${port}`,
    `\x05\x01\x00\x05\x01\x00\x04${'\0'.repeat(15)}\x01${port}`,
    `\x05\x01\x00\x05\x01\x00\x04${'\0'.repeat(10)}\xff\xff\x7f\x00\x00\x01${port}`,
    `\x04\x01${port}\x7f\x00\x00\x01me\x00`,
    `\x04\x02${port}\x7f\x00\x00\x01me\x00`,
    `\x05\x01\x00\x05\x01\x01\x01\x7f\x00\x00\x01${port}`,
    `\x05\x01\x00\x05\x01\x00\x03\xff${'a'.repeat(255)}${port}`,
    `\x05\x01\x00\x05\x01\x00\x03\x00${port}`,
    `\x05\x00`,
    `\x06\x01\x00`,
    `\x05\x01\x00\x05\x04\x00\x03\x09good.test${port}`,
    `\x05\x01\x00\x05\x01\x00\x05\x09good.test${port}`,
  ]
  const came = await inside(
    world,
    ['--route', `good.test:443=127.0.0.1:${witness.port}`],
    sends.map((send) => ({ kind: 'raw', door: 'socks', send })),
  )
  for (const [index, { text = '' }] of came.entries())
    expect([
      index,
      text.includes('WITNESS'),
      /^(\x05\x00)?(\x05[^\x00]|\x00\x5b|$)/s.test(text.slice(text.startsWith('\x05\x00\x05') ? 2 : 0)),
    ]).toEqual([index, false, true])
  expect(witness.hits()).toBe(0)
  await awake(witness, { host: '127.0.0.1', port: witness.port })
})
