// NET-23, 24, 25; PRX-35, 41, 46; CFG-18: what listens inside is not met outside, sessions do not meet, and nothing goes out once anchorhold is stopped or gone.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { inCell, makeWorld, start } from '../support/anchorhold.ts'
import { awake, httpWitness, nonce, ownAddresses, tcpWitness } from './witnesses.ts'

const exists = (file: string): Promise<void> => expect.poll(() => existsSync(file), { timeout: 20_000 }).toBe(true)

function knock(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 1_000 })
    socket.on('data', (chunk) => (resolve(chunk.toString()), socket.destroy()))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
    socket.on('timeout', () => (resolve('silence'), socket.destroy()))
  })
}

it('NET-23 NET-24 a server inside is met by its own cell alone: not by the host, not by a second cell', async () => {
  const [one, two] = [makeWorld(), makeWorld()]
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const name = nonce()
  const server = `const net = require('node:net'); for (const where of [{ port: ${port}, host: '0.0.0.0' }, { port: ${port + 1}, host: '::' }, { path: '\\0${name}' }, { path: 'own.sock' }])
    net.createServer((socket) => socket.end('INSIDE')).listen(where); require('node:net').connect(${port}, '127.0.0.1').on('data', (d) => { require('fs').writeFileSync('up', d) }); setTimeout(() => process.exit(0), 20000); setInterval(() => require('fs').existsSync('stop') && process.exit(0), 100)`
  const { outcome } = start(one, ['run', '--', 'node', '-e', server])
  await exists(path.join(one.project, 'up'))
  expect(readFileSync(path.join(one.project, 'up'), 'utf8')).toBe('INSIDE')
  for (const address of ['127.0.0.1', '::1', ...ownAddresses().filter((each) => !each.includes('%'))]) {
    expect(await knock(address, port)).toBe('ECONNREFUSED')
    expect(await knock(address, port + 1)).toBe('ECONNREFUSED')
  }
  const other = await inCell(
    two,
    `for p in ${port} ${port + 1} 3128 1080; do (exec 3<>/dev/tcp/127.0.0.1/$p && timeout 1 cat <&3 | grep -a INSIDE) 2>/dev/null; done; :`
      .replace(/^/, "bash -c '")
      .replace(/$/, "'"),
  )
  expect(other.stdout).toBe('')
  writeFileSync(path.join(one.project, 'stop'), '')
  expect((await outcome).code).toBe(0)
})

it('CFG-18 PRX-41 two sessions side by side: each has its own list, and no listener of either is on the host', async () => {
  const [one, two] = [makeWorld(), makeWorld()]
  const witness = await httpWitness()
  const script = (mine: string, other: string): string =>
    `curl -s -m 5 http://${mine}.test/${mine}; curl -s -m 5 -o /dev/null -w ' %{http_code}' -x http://127.0.0.1:3128 http://${other}.test/; getent hosts ${other}.test; :`
  const open = (name: string): string[] => ['--route', `${name}.test:80=127.0.0.1:${witness.port}`]
  const results = await Promise.all([inCell(one, script('one', 'two'), open('one')), inCell(two, script('two', 'one'), open('two'))])
  expect(results.map(({ stdout }) => stdout)).toEqual(['WITNESS 403', 'WITNESS 403'])
  expect(witness.requests.map(({ url }) => url).toSorted()).toEqual(['/one', '/two'])
  for (const port of [3128, 1080]) expect(await knock('127.0.0.1', port)).not.toMatch(/HTTP|\x05/)
})

it('NET-25 the proxies lead to no proxy: not to themselves, not to this machine, not to another session', async () => {
  const world = makeWorld()
  const witness = await tcpWitness()
  await awake(witness, { host: '127.0.0.1', port: witness.port })
  const targets = [
    `127.0.0.1:${witness.port}`,
    `localhost:${witness.port}`,
    `[::1]:${witness.port}`,
    '127.0.0.1:3128',
    'localhost:3128',
    '127.0.0.1:1080',
    '127.0.0.1:53',
    '0.0.0.0:3128',
    'anchorhold:3128',
    '198.18.0.2:3128',
    '198.18.255.255:443',
    'host.anchorhold.internal:3128',
    `host.anchorhold.internal:${witness.port}`,
  ]
  writeFileSync(path.join(world.project, 't'), `${targets.join('\n')}\n`)
  const { stdout } = await inCell(
    world,
    `curl -s -o /dev/null http://good.test/; while read t; do curl -s -m 5 -o /dev/null -w '%{http_connect} ' -p -x http://127.0.0.1:3128 "http://$t/"; done < t; while read t; do curl -s -m 5 -x socks5h://127.0.0.1:1080 "http://$t/" >/dev/null && echo LEAK; done < t; :`,
    ['--allow', 'good.test', '--allow', `host.anchorhold.internal:1`],
  )
  expect(stdout.trim().split(' ')).toEqual(targets.map(() => '403'))
  expect(witness.hits()).toBe(1)
})

/** Asks over and over; each answer is one line of the file. */
const asker = `while :; do curl -s -m 2 http://good.test/ >> answers; echo >> answers; sleep 0.1; done`

it.each(['SIGKILL', 'SIGSTOP'] as const)('PRX-46 after %s of anchorhold nothing goes out', async (signal) => {
  const world = makeWorld()
  const witness = await httpWitness()
  const { child, outcome } = start(world, ['run', '--route', `good.test:80=127.0.0.1:${witness.port}`, '--', 'sh', '-c', asker])
  await expect.poll(() => witness.hits(), { timeout: 20_000 }).toBeGreaterThan(1)
  child.kill(signal)
  await sleep(200)
  const after = witness.hits()
  await sleep(1_200)
  expect(witness.hits()).toBe(after)
  if (signal === 'SIGSTOP') {
    // Control: the same session goes on where it stood.
    child.kill('SIGCONT')
    await expect.poll(() => witness.hits(), { timeout: 10_000 }).toBeGreaterThan(after)
    child.kill('SIGTERM')
  }
  await outcome
})
