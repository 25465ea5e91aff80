// Descriptors that reach a cell: the caller's three streams, and nothing of what else the caller has open. Witness: the files outside.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { bin, makeWorld, type World } from '../support/anchorhold.ts'

const probe = String.raw`
for my $fd (0..60) { my @facts = stat("/proc/self/fd/$fd") or next; next if readlink("/proc/self/fd/$fd") =~ m{^/proc/}; printf "%d %o\n", $fd, $facts[2] >> 12 }
for my $fd (0..60) { for my $mode ('+<', '>>', '+>') { open(my $again, $mode, "/proc/self/fd/$fd") or next; print $again "FORGED\n"; close $again }
  for my $up ('..', '../..', 'etc') { print "up $fd\n" if -e "/proc/self/fd/$fd/$up/CANARY" || -e "/proc/self/fd/$fd/CANARY" } }`

/** A shell line outside, with the wall's start as "$@" or, for the weakened variant, the bare probe. */
async function shell(world: World, script: string, walled = true): Promise<string> {
  const command = walled ? [bin, 'run', '--', 'perl', '-e', probe] : ['perl', '-e', probe]
  const child = spawn('bash', ['-c', script, 'bash', ...command], { cwd: world.project, env: world.env, stdio: ['ignore', 'pipe', 'pipe'] })
  const shown: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => shown.push(chunk))
  child.stderr.resume()
  await once(child, 'close')
  return Buffer.concat(shown).toString()
}

it.each([
  ['in a cell', true],
  ['weakened: a plain process', false],
] as const)('FS-14 KRN-08 a file behind a stream can’t be opened again with more rights: %s', async (_name, walled) => {
  const world = makeWorld()
  const [notes, log] = [path.join(world.home, 'notes'), path.join(world.home, 'log')]
  writeFileSync(notes, 'NOTES\n')
  writeFileSync(log, 'BEFORE\n')
  await shell(world, `"$@" < '${notes}' >> '${log}' 2>&1`, walled)
  const forged = [readFileSync(notes, 'utf8'), readFileSync(log, 'utf8')]
  if (!walled) return expect(forged[0]).toContain('FORGED')
  expect(forged[0]).toBe('NOTES\n')
  // What is said on the stream arrives, at its end.
  expect(forged[1]?.startsWith('BEFORE\n')).toBe(true)
  expect(forged[1]).toContain('0 1\n1 1\n2 1\n')
})

it.each([
  ['in a cell', true],
  ['weakened: a plain process', false],
] as const)('FS-14 a folder as a stream leads nowhere: %s', async (_name, walled) => {
  const world = makeWorld()
  const folder = path.join(world.home, 'folder')
  mkdirSync(folder)
  writeFileSync(path.join(world.home, 'CANARY'), '')
  const shown = await shell(world, `"$@" < '${folder}'`, walled)
  if (walled) expect(shown).not.toContain('up ')
  else expect(shown).toContain('up 0')
})

it.each([
  ['in a cell', true],
  ['weakened: a plain process', false],
] as const)('FS-14 descriptors 3 to 50 of the caller, open on files, folders and sockets, are not there: %s', async (_name, walled) => {
  const world = makeWorld()
  const secret = path.join(world.home, 'secret')
  writeFileSync(secret, 'SECRET')
  writeFileSync(path.join(world.home, 'CANARY'), '')
  const opened = Array.from({ length: 24 }, (_, index) => `exec ${3 + 2 * index}<>'${secret}' ${4 + 2 * index}<'${world.home}'`).join('\n')
  const shown = await shell(world, `${opened}\n"$@" </dev/null`, walled)
  if (!walled) return expect(shown).toContain('\n50 4\n')
  expect(shown).toMatch(/^0 2\n1 14\n2 14\n/) // the caller's own pair of sockets
  expect(shown).not.toMatch(/^([3-9]|\d\d) |up /m)
  expect(readFileSync(secret, 'utf8')).toBe('SECRET')
})

it('FS-14 a socket of the host’s network as a stream can’t be connected anew from inside', async () => {
  const world = makeWorld()
  const hits: string[] = []
  const witness = createServer((socket) => socket.on('data', (chunk) => hits.push(chunk.toString())))
  witness.listen(0, '127.0.0.1')
  await once(witness, 'listening')
  const port = (witness.address() as { port: number }).port
  const listener = createServer({ pauseOnConnect: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = connect((listener.address() as { port: number }).port, '127.0.0.1')
  client.on('error', () => undefined) // the weakened probe dissolves it
  const [accepted] = (await once(listener, 'connection')) as [Socket]
  // AF_UNSPEC dissolves the connection, then it goes to the witness.
  const reconnect = String.raw`use Socket; open(my $s, '+<&=', 0); connect($s, pack('S x14', 0)); print connect($s, sockaddr_in(${port}, inet_aton('127.0.0.1'))) ? "reached" : "refused"; syswrite($s, "CANARY")`
  const attempt = async (argv: readonly string[]): Promise<string> => {
    const child = spawn(argv[0] ?? '', argv.slice(1), { cwd: world.project, env: world.env, stdio: [accepted as never, 'pipe', 'ignore'] })
    let shown = ''
    child.stdout?.on('data', (chunk: Buffer) => (shown += chunk.toString()))
    await once(child, 'close')
    return shown
  }
  expect(await attempt([bin, 'run', '--', 'perl', '-e', reconnect])).toBe('refused')
  expect(hits).toEqual([])
  expect(await attempt(['perl', '-e', reconnect])).toBe('reached')
  client.destroy()
  witness.close()
  listener.close()
})

it('streams into and out of files are byte for byte, with the order of both outputs kept', async () => {
  const world = makeWorld()
  const file = path.join(world.home, 'in')
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff))
  writeFileSync(file, bytes)
  const run = async (argv: readonly string[], out: string) => {
    const [stdin, stdout] = [openSync(file, 'r'), openSync(out, 'w')]
    const child = spawn(bin, ['run', '--', ...argv], { cwd: world.project, env: world.env, stdio: [stdin, stdout, stdout] })
    await once(child, 'close')
    for (const fd of [stdin, stdout]) closeSync(fd)
    return readFileSync(out)
  }
  expect((await run(['cat'], path.join(world.home, 'out'))).equals(bytes)).toBe(true)
  const order = 'for i in 1 2 3 4 5; do echo "out $i"; echo "err $i" >&2; done'
  expect((await run(['sh', '-c', order], path.join(world.home, 'order'))).toString()).toBe(
    [1, 2, 3, 4, 5].map((n) => `out ${n}\nerr ${n}\n`).join(''),
  )
})
