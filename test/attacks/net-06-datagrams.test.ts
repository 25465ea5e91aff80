// NET-06, 07: datagrams of every kind: to witnesses on this machine's addresses, well-known ports, broadcast, multicast, raw and ICMP sockets, SOCKS.
import net from 'node:net'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell, makeWorld } from '../support/anchorhold.ts'
import { inside, outside, type Attempt } from './attempt.ts'
import { awakeUdp, nonce, ownAddresses, udpWitness } from './witnesses.ts'

it('NET-06 no datagram arrives anywhere: own addresses, public ones, broadcast, multicast, SOCKS', async () => {
  const world = makeWorld()
  const mark = nonce()
  const places = [...new Set(['127.0.0.1', '::1', ...ownAddresses().filter((address) => !address.includes('%'))])]
  const seen = await Promise.all(places.map((at) => udpWitness(at)))
  const udp = (host: string, port: number, more: object = {}): Attempt => ({
    kind: 'udp',
    host,
    port,
    send: mark,
    ...(net.isIPv6(host) ? { family: 'udp6' } : {}),
    ...more,
  })
  const direct = places.map((at, index) => udp(at, seen[index]?.port ?? 0))
  const port = seen[0]?.port ?? 0
  const list = [
    ...direct,
    ...[53, 123, 443, 5353, 51820, port].flatMap((to) => [udp('8.8.8.8', to), udp('192.0.2.1', to), udp('2001:db8::1', to)]),
    ...[53, 5353, 1900, port].flatMap((to) => [
      udp('255.255.255.255', to, { broadcast: true }),
      udp('192.0.2.255', to, { broadcast: true }),
      udp('224.0.0.251', to),
      udp('239.255.255.250', to),
    ]),
    { kind: 'socks', name: 'api.allowed.test', port, command: 3 },
    { kind: 'socks', name: 'api.allowed.test', port, command: 2 },
  ]
  for (const [index, at] of places.entries()) await awakeUdp(seen[index] ?? expect.fail(), at)
  const came = await inside(world, ['--allow', 'api.allowed.test', '--allow', `api.allowed.test:${port}`], list)
  expect(seen.map((witness) => witness.text())).toEqual(places.map(() => 'control'))
  // Only the cell's own resolver speaks UDP, and to what is no question it says nothing.
  expect(came.slice(0, -2).filter(({ text }) => text !== undefined)).toEqual([])
  for (const { text } of came.slice(-2)) expect(text).toMatch(/^\x05\x00\x05\x07/)
  await outside(world, direct)
  await expect.poll(() => seen.map((witness) => witness.text())).toEqual(places.map(() => `control${mark}`))
})

it('NET-07 no raw, ICMP or packet socket, however it is asked for', async () => {
  const world = makeWorld()
  const script = `
    use Socket; use Errno;
    my %kind = ("raw icmp" => [2, 3, 1], "raw raw" => [2, 3, 255], "raw tcp" => [2, 3, 6], "raw6" => [10, 3, 58], "ping" => [2, 2, 1], "ping6" => [10, 2, 58], "packet" => [17, 3, 768],
      "packet cooked" => [17, 2, 768], "packet old" => [2, 10, 768], "sctp" => [2, 5, 132], "udplite" => [2, 2, 136], "flags raw" => [2, 3 | 02000000, 1]);
    for my $name (sort keys %kind) { my ($family, $type, $protocol) = @{$kind{$name}}; print "LEAK $name\\n" if socket(my $s, $family, $type, $protocol) }
    print socket(my $t, 2, 1, 0) && socket(my $u, 2, 2, 0) ? "control\\n" : "BROKEN\\n";`
  writeFileSync(path.join(world.project, 'raw.pl'), script)
  expect((await inCell(world, 'perl raw.pl; ping -c1 -W1 127.0.0.1 >/dev/null 2>&1 && echo PONG; :')).stdout).toBe('control\n')
})
