// NET-11, 12: Unix sockets of the host, wherever they lie and whenever they appear: in the project, below folders, hidden, in read-only and
// writable mounts. Sockets that the cell itself made work.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell, makeWorld, start } from '../support/anchorhold.ts'
import { inside, outside } from './attempt.ts'
import { awake, nonce, tcpWitness } from './witnesses.ts'

it('NET-12 sockets that lie there at the start', async () => {
  const world = makeWorld()
  const [ro, rw] = [path.join(world.home, 'ro'), path.join(world.home, 'rw')]
  for (const folder of [ro, rw, path.join(world.project, 'node_modules/.cache'), path.join(world.project, 'a/b')])
    mkdirSync(folder, { recursive: true })
  const places = [
    path.join(world.project, 's'),
    path.join(world.project, 'node_modules/.cache/daemon.sock'),
    path.join(world.project, 'a/b/.hidden.sock'),
    path.join(ro, 'ro.sock'),
    path.join(rw, 'rw.sock'),
  ]
  const seen = await Promise.all(places.map((place) => tcpWitness(place)))
  for (const [index, place] of places.entries()) await awake(seen[index] ?? expect.fail(), { path: place })
  symlinkSync('node_modules/.cache/daemon.sock', path.join(world.project, 'link'))
  symlinkSync(path.join(ro, 'ro.sock'), path.join(world.project, 'far'))
  const spellings = [
    ...places,
    's',
    './s',
    'a/../s',
    'link',
    'far',
    `/proc/self/root${places[0]}`,
    '/proc/self/cwd/s',
    `//${places[0]}`,
    'node_modules/../s',
  ]
  const list = spellings.map((place) => ({ kind: 'unix', path: place }))
  const came = await inside(world, ['--mount', `${ro}:ro`, '--mount', `${rw}:rw`], list)
  expect(came.map(({ opened }) => opened)).toEqual(list.map(() => false))
  expect(seen.map((witness) => witness.hits())).toEqual(places.map(() => 1))
  // Weakened: without a wall every one of them answers.
  expect((await outside(world, list)).map(({ opened }) => opened)).toEqual(list.map(() => true))
})

it('NET-12 a socket that the host opens while the cell waits for it', async () => {
  const world = makeWorld()
  const late = path.join(world.project, 'late.sock')
  // Knocks without a pause from before the socket exists.
  const script = `perl -MSocket -e 'my $end = time + 3; my $n = 0; while (time < $end) { socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un($_)) && print "LEAK" for @ARGV; $n++ } print "knocked" if $n > 100' late.sock ${late} &
    sleep 1; : > go; wait`
  const running = start(world, ['run', '--', 'sh', '-c', script])
  await expect.poll(() => existsSync(path.join(world.project, 'go')), { timeout: 20_000 }).toBe(true)
  const witness = await tcpWitness(late)
  const { stdout } = await running.outcome
  expect(stdout).toBe('knocked')
  expect(witness.hits()).toBe(0)
  await awake(witness, { path: late })
})

it('NET-11 abstract sockets of the host', async () => {
  const world = makeWorld()
  const name = `\0ah-${nonce()}`
  const witness = await tcpWitness(name)
  await awake(witness, { path: name })
  const knock = `perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); print connect(S, pack("Sa*", AF_UNIX, "\\0${name.slice(1)}")) ? "open" : "$!"'`
  expect((await inCell(world, knock)).stdout).toBe('Connection refused')
  expect(witness.hits()).toBe(1)
  // Weakened: the same words without a wall.
  expect(execFileSync('sh', ['-c', knock]).toString()).toBe('open')
})

it('NET-12 no datagrams to a path, from a socket or from one of a pair; sockets of the cell itself work', async () => {
  const world = makeWorld()
  const script = `
    use Socket; use IO::Socket::UNIX;
    print socket(S, AF_UNIX, SOCK_DGRAM, 0) ? "DATAGRAM" : "no", " ";
    print socketpair(A, B, AF_UNIX, SOCK_DGRAM, PF_UNSPEC) ? "PAIR" : "no", " ";
    for my $place ("/tmp/own", "own", "$ENV{HOME}/own", "\\0own") {
      my $l = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $place, Listen => 1);
      my $c = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $place);
      print $l && $c && $l->accept ? "own " : "BROKEN $! ";
    }
    chdir "/tmp"; print IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "nothing") ? "?" : $!{ENOENT} ? "ENOENT" : "WRONG $!";`
  writeFileSync(path.join(world.project, 's.pl'), script)
  expect((await inCell(world, 'perl s.pl')).stdout).toBe('no no own own own own ENOENT')
})
