// PRX-33, 34, 35, 36; RES: a cell that floods its gateway with names, connections, half requests and refusals; another session and this one go on.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { anchorhold, bin, inCell, makeWorld } from '../support/anchorhold.ts'
import { httpWitness } from './witnesses.ts'

const flood = `
import net from 'node:net'
import dgram from 'node:dgram'
const open = []
const many = (count, make) => Promise.all(Array.from({ length: count }, (_, index) => make(index)))
const connect = (port, host, send) => new Promise((resolve) => { const s = net.connect(port, host, () => { if (send) s.write(send); resolve(true) }); s.on('error', () => resolve(false)); s.on('close', () => resolve(false)); s.resume(); open.push(s) })
await many(1200, () => connect(3128, '127.0.0.1', 'GET http://good.test/ HTTP/1.1\\r\\nX: '))
await many(600, () => connect(80, '198.18.0.2'))
await many(600, () => connect(443, '198.18.0.2', '\\x16\\x03\\x01'))
await many(300, () => connect(1080, '127.0.0.1', '\\x05'))
await many(300, () => connect(53, '127.0.0.1', '\\x00\\x40'))
await many(300, (index) => connect(80, '192.0.2.' + (index % 250), 'GET / HTTP/1.1\\r\\nHost: x' + index + '\\r\\n\\r\\n'))
const udp = dgram.createSocket('udp4')
const query = (name) => Buffer.concat([Buffer.from('00070100000100000000000', 'hex'), Buffer.from([0]), ...name.split('.').map((part) => Buffer.concat([Buffer.from([part.length]), Buffer.from(part)])), Buffer.from('0000010001', 'hex')])
await many(5000, (index) => new Promise((resolve) => udp.send(query('n' + index + '.flood.test'), 53, '127.0.0.1', resolve)))
await many(2000, (index) => new Promise((resolve) => udp.send(query('w' + index + '.wild.test'), 53, '127.0.0.1', resolve)))
udp.close()
const big = 'GET http://good.test/' + 'a'.repeat(1e6) + ' HTTP/1.1\\r\\nHost: good.test\\r\\n\\r\\n'
await many(20, () => connect(3128, '127.0.0.1', big))
const heads = 'GET http://good.test/ HTTP/1.1\\r\\nHost: good.test\\r\\n' + 'X: y\\r\\n'.repeat(20000) + '\\r\\n'
await many(20, () => connect(3128, '127.0.0.1', heads))
const answer = await fetch('http://good.test/while').then((response) => response.text(), (error) => String(error.cause ?? error))
for (const socket of open) socket.destroy()
await new Promise((resolve) => setTimeout(resolve, 300))
console.log(answer, await fetch('http://good.test/after').then((response) => response.text(), (error) => String(error.cause ?? error)))
process.exit(0)`

it('PRX-33 PRX-34 PRX-35 thousands of connections, half requests and names: this session and another go on, the summary stays short', async () => {
  const [world, other] = [makeWorld(), makeWorld()]
  const witness = await httpWitness()
  const options = ['--route', `good.test:80=127.0.0.1:${witness.port}`, '--allow', 'good.test', '--allow', '*.wild.test']
  writeFileSync(path.join(world.project, 'flood.mjs'), flood)
  const flooded = inCell(world, 'ulimit -n 8192; node flood.mjs', ['--limit', 'open-files=8192', ...options], {
    timeoutMilliseconds: 55_000,
  })
  const beside = await inCell(other, 'for i in 1 2 3; do curl -s -m 20 http://good.test/; sleep 0.3; done', options)
  const { code, stdout, stderr } = await flooded
  expect({ code, stdout }, stderr.slice(0, 2_000)).toEqual({ code: 0, stdout: 'WITNESS WITNESS\n' })
  expect(beside.stdout).toBe('WITNESSWITNESSWITNESS')
  expect(stderr.split('\n').length).toBeLessThan(40)
  const sizes = await anchorhold(world, ['sessions', '--json'])
  expect(sizes.code).toBe(0)
})

it('PRX-35 a caller with few descriptors: the gateway runs short, refuses, and recovers', async () => {
  const world = makeWorld()
  const witness = await httpWitness()
  writeFileSync(
    path.join(world.project, 'few.mjs'),
    `
    import net from 'node:net'
    const open = Array.from({ length: 280 }, () => net.connect(80, '198.18.0.2').on('error', () => {}))
    await new Promise((resolve) => setTimeout(resolve, 800))
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 300))
    console.log(await fetch('http://good.test/').then((response) => response.text(), (error) => String(error.cause ?? error)))`,
  )
  const { stdout } = await promisify(execFile)(
    'sh',
    [
      '-c',
      'ulimit -n 320; exec "$@"',
      'sh',
      bin,
      'run',
      '--limit',
      'open-files=320',
      '--route',
      `good.test:80=127.0.0.1:${witness.port}`,
      '--',
      'sh',
      '-c',
      'getent hosts good.test >/dev/null; node few.mjs',
    ],
    { cwd: world.project, env: world.env, timeout: 40_000 },
  )
  expect(stdout).toBe('WITNESS\n')
})
