// NET-01, 02, 03, 05, 22: raw addresses of this machine, its network and the clouds, from many programs that know no proxy.
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell, makeWorld, type World } from '../support/anchorhold.ts'
import { buildStatic, inside, outside, type Attempt } from './attempt.ts'
import { awake, httpWitness, ownAddresses, tcpWitness, type Witness } from './witnesses.ts'

/** Spellings that some program takes for this machine itself. */
const loopbacks = [
  '127.0.0.1',
  '127.1',
  '127.0.0.53',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '0',
  '0.0.0.0',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'localhost',
  'localhost.',
  'LOCALHOST',
  'ip6-localhost',
  'x.localhost',
]
const elsewhere = [
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  '172.17.0.1',
  '10.0.2.2',
  '10.88.0.1',
  '192.168.65.7',
  '192.168.127.254',
  '192.0.2.1',
  '2001:db8::1',
  '224.0.0.1',
  'ff02::1%lo',
  'fe80::1%lo',
  'fe80::1%1',
]

async function witnesses(): Promise<readonly (Witness & { readonly at: string })[]> {
  const places = new Set(['127.0.0.1', '::1', ...ownAddresses().filter((address) => !address.includes('%'))])
  return Promise.all([...places].map(async (at) => ({ at, ...(await tcpWitness(at)) })))
}

it('NET-01 NET-02 NET-03 NET-05 no spelling of an address leads out; ports 80 and 443 are answered by the gateway alone', async () => {
  const world = makeWorld()
  const seen = await witnesses()
  for (const witness of seen) await awake(witness, { host: witness.at, port: witness.port })
  const list: Attempt[] = [
    ...seen.flatMap(({ at, port }) => [
      { kind: 'tcp', host: at, port },
      { kind: 'connect', to: `${net.isIPv6(at) ? `[${at}]` : at}:${port}` },
      { kind: 'socks', name: at, port },
    ]),
    ...loopbacks.flatMap((host) =>
      [seen[0]?.port, 80, 443, 22].map((port) => ({ kind: 'tcp', host, port, send: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' })),
    ),
    ...elsewhere.flatMap((host) =>
      [80, 443, 2375, 53, 853].map((port) => ({ kind: 'tcp', host, port, send: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' })),
    ),
  ]
  const before = seen.map((witness) => witness.hits())
  const came = await inside(world, ['--allow', 'api.allowed.test'], list)
  expect(seen.map((witness) => witness.hits())).toEqual(before)
  expect(came.filter(({ text }) => text?.includes('WITNESS'))).toEqual([])
  // Whatever did open was the gateway, which said why not or closed.
  for (const { opened, text } of came) if (opened === true && text !== '') expect(text).toMatch(/^HTTP\/1\.1 4\d\d |^\x05[\xff\x00]/s)
  // Weakened: the same list without a wall reaches every witness.
  await outside(
    world,
    list.slice(0, seen.length * 3).filter(({ kind }) => kind === 'tcp'),
  )
  expect(seen.map((witness) => witness.hits())).toEqual(before.map((count) => count + 1))
})

const staticClient = `
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &to.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  char text[64] = "";
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && read(fd, text, 63) > 0) printf("LEAK %s", text);
  else puts("no");
  return argc == 0;
}`

/** One line for each client: its name and what it does to reach 127.0.0.1:PORT without asking any variable. */
function clients(world: World, port: number): string {
  buildStatic(world, 'static-client', staticClient)
  writeFileSync(
    path.join(world.project, 'c.mjs'),
    `import http2 from 'node:http2'
    const session = http2.connect('http://127.0.0.1:${port}'); session.on('error', () => console.log('no'))
    fetch('http://127.0.0.1:${port}/fetch').then((answer) => answer.text()).then((text) => console.log('LEAK ' + text), () => console.log('no')).finally(() => session.destroy())`,
  )
  return [
    `exec 3<>/dev/tcp/127.0.0.1/${port} && { echo GET / >&3; echo LEAK; }`,
    `env -i /usr/bin/curl -sS -m 4 http://127.0.0.1:${port}/ && echo LEAK`,
    `/usr/bin/curl -sS -m 4 --noproxy '*' http://localhost:${port}/ && echo LEAK`,
    `HTTP_PROXY= NO_PROXY='*' /usr/bin/curl -sS -m 4 -x '' http://127.0.0.1:${port}/ && echo LEAK`,
    `/usr/bin/curl -sS -m 4 --proxytunnel -x http://127.0.0.1:3128 http://127.0.0.1:${port}/ && echo LEAK`,
    `/usr/bin/curl -sS -m 4 -x socks5h://127.0.0.1:1080 http://localhost:${port}/ && echo LEAK`,
    `/usr/bin/curl -sS -m 4 -x socks4a://127.0.0.1:1080 http://127.0.0.1:${port}/ && echo LEAK`,
    `/usr/bin/curl -sS -m 4 --resolve evil.test:${port}:127.0.0.1 http://evil.test:${port}/ && echo LEAK`,
    `perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => ${port}) ? "LEAK" : "no"'`,
    `./static-client 127.0.0.1 ${port}`,
    'node c.mjs',
    `git -c http.proxy= ls-remote http://127.0.0.1:${port}/x.git`,
  ]
    .map((line) => `( ${line} ) 2>/dev/null; :`)
    .join('\n')
}

it('NET-22 no program finds a way round: bash, curl in six ways, perl, a static binary, fetch, HTTP/2, git', async () => {
  const world = makeWorld()
  const witness = await httpWitness()
  const script = clients(world, witness.port)
  writeFileSync(path.join(world.project, 'all.sh'), script)
  const { stdout, code } = await inCell(world, 'bash all.sh; echo done')
  expect({ code, end: stdout.trimEnd().split('\n').at(-1), leak: stdout.includes('LEAK') }).toEqual({ code: 0, end: 'done', leak: false })
  expect(witness.hits()).toBe(0)
  // Weakened: named by a rule, the very same service is reached.
  const open = await inCell(world, `curl -sS http://host.anchorhold.internal:${witness.port}/`, [
    '--allow',
    `host.anchorhold.internal:${witness.port}`,
  ])
  expect(open.stdout).toBe('WITNESS')
  expect(witness.hits()).toBe(1)
})
