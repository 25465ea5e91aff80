// The way out: one stream, new connections, keep-alive requests; the same client and the same upstream for every subject.
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { anchorhold, bundledNode, root, smallProject, type Ground } from './ground.ts'
import { squidPeer, srtPeer, tinyproxyPeer, type ProxyPeer } from './peers.ts'
import { median } from './sample.ts'
import type { Row, Section } from './table.ts'

type Kind = 'stream' | 'connections' | 'requests'
/** About a second each, so that a program compiled while it runs (Node: client, upstream, two of the subjects) is measured warm. */
const amounts: Readonly<Record<Kind, number>> = { stream: 2e9, connections: 4000, requests: 20_000 }
/** srt is slow enough to need less for the same time. */
const amountsOfSrt: Readonly<Record<Kind, number>> = { stream: 4e8, connections: 400, requests: 2000 }
const rounds = 3
/** CONNECT and then bytes, or requests that the proxy reads and forwards. */
const styles = ['tunnel', 'plain HTTP'] as const

interface Way {
  readonly name: string
  readonly run: (kind: Kind) => readonly [string, ...string[]]
  readonly trouble?: string
}

export async function gateway(ground: Ground): Promise<readonly Section[]> {
  const project = smallProject(ground)
  const client = path.join(project, 'client.mts')
  copyFileSync(path.join(import.meta.dirname, 'load/client.ts'), client)
  const upstream = await startUpstream()
  const { port } = upstream
  const peers = { squid: await squidPeer(ground, await freePort()), tinyproxy: await tinyproxyPeer(ground, await freePort()) }
  try {
    const srt = await srtPeer(ground)
    const load = (kind: Kind, host: string, at: number, ...rest: readonly string[]): readonly [string, ...string[]] => [
      bundledNode,
      client,
      kind,
      host,
      String(at),
      String(rest[0] === 'env' ? amountsOfSrt[kind] : amounts[kind]),
      ...rest,
    ]
    const cell = (route: string, command: readonly string[]): readonly [string, ...string[]] => [
      anchorhold,
      'run',
      '--quiet',
      '--mount',
      `${path.join(root, 'node_modules/node')}:ro`,
      '--route',
      `${route}=127.0.0.1:${port}`,
      '--',
      ...command,
    ]
    const peer = (name: string, { kind, ...rest }: ProxyPeer): readonly Way[] =>
      styles.map((style) => ({
        name: `${name}, ${style}`,
        run: (what) => load(what, '127.0.0.1', port, 'port' in rest ? String(rest.port) : '', style),
        ...(kind === 'missing' && 'why' in rest ? { trouble: rest.why } : {}),
      }))
    const ways: readonly Way[] = [
      { name: 'direct', run: (kind) => load(kind, '127.0.0.1', port) },
      { name: 'anchorhold, tunnel', run: (kind) => cell('upstream.test:8443', load(kind, 'upstream.test', 8443)) },
      { name: 'anchorhold, plain HTTP', run: (kind) => cell('upstream.test:80', load(kind, 'upstream.test', 80)) },
      ...styles.map((style): Way => ({
        name: `srt, ${style}`,
        run: (kind) => (srt.kind === 'ready' ? srt.argv(load(kind, 'localhost', port, 'env', style)) : ['false']),
        ...(srt.kind === 'missing' ? { trouble: srt.why } : {}),
      })),
      ...peer('squid', peers.squid),
      ...peer('tinyproxy', peers.tinyproxy),
    ]
    return (['stream', 'connections', 'requests'] as const).map((kind) => section(kind, measure(ways, kind, project, ground)))
  } finally {
    upstream.stop()
    for (const peer of Object.values(peers)) if (peer.kind === 'ready') await peer.stop()
  }
}

function measure(ways: readonly Way[], kind: Kind, cwd: string, ground: Ground): readonly Row[] {
  const values = new Map<string, number[]>()
  const troubles = new Map(ways.flatMap(({ name, trouble }) => (trouble === undefined ? [] : [[name, trouble] as const])))
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of ways.filter((way) => !troubles.has(way.name))) {
      const [file, ...args] = run(kind)
      const { stdout, stderr, status } = spawnSync(file, args, {
        cwd,
        env: ground.env,
        encoding: 'utf8',
        timeout: 60_000,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const value = Number(stdout.trim().split('\n').at(-1))
      if (status === 0 && value > 0) values.set(name, [...(values.get(name) ?? []), value])
      else troubles.set(name, `exit code ${status} ${stderr.trim().split('\n').slice(-2).join(' ')}`)
    }
  }
  return ways.map(({ name }) => {
    const trouble = troubles.get(name)
    return trouble === undefined ? { subject: name, value: median(values.get(name) ?? []) } : { subject: name, trouble }
  })
}

function section(kind: Kind, rows: readonly Row[]): Section {
  const value = (name: string): number => rows.find((row) => row.subject === name)?.value ?? Number.NaN
  const titles = { stream: 'One stream', connections: 'New connections', requests: 'Keep-alive requests' }
  return {
    title: `Gateway: ${titles[kind].toLowerCase()}`,
    unit: kind === 'stream' ? 'MB/s' : 'per second',
    how: `${titles[kind]} to a server on loopback, the same client for each; median of ${rounds} rounds. Tunnel: bytes through CONNECT (anchorhold: a port that the policy names); plain HTTP: requests that the proxy reads. Names are resolved once, before the clock starts.`,
    rows,
    against: 'direct',
    goals: styles.flatMap((style) => [
      { what: `times srt (${style})`, reached: value(`anchorhold, ${style}`) / value(`srt, ${style}`), atLeast: kind === 'stream' ? 5 : 3 },
      { what: `times squid (${style})`, reached: value(`anchorhold, ${style}`) / value(`squid, ${style}`), atLeast: 1 },
    ]),
  }
}

function startUpstream(): Promise<{ readonly port: number; readonly stop: () => void }> {
  const child = spawn(bundledNode, [path.join(import.meta.dirname, 'load/server.ts')], { stdio: ['pipe', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.stdout.once('data', (chunk: Buffer) => resolve({ port: Number(chunk.toString()), stop: () => child.stdin.end() }))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
}
