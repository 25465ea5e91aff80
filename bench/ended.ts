// TLS that is ended on the way: anchorhold, srt's tlsTerminate and mitmproxy; the same client and the same upstream over TLS for every subject.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { anchorhold, bundledNode, root, smallProject, type Ground } from './ground.ts'
import { memoryOf } from './memory.ts'
import { mitmPeer, srtPeer } from './peers.ts'
import { median } from './sample.ts'
import type { Goal, Row, Section } from './table.ts'

const rounds = 2
const counts = [1, 20, 200] as const
const subjects = ['direct', 'anchorhold', 'srt', 'mitmproxy'] as const
type Subject = (typeof subjects)[number]

interface Way {
  readonly name: Subject
  readonly argv: (kind: 'all' | 'memory') => readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  /** Whose memory counts: this process and what it started, but for the client. Undefined: the command itself. */
  readonly pid?: number
  readonly trouble?: string
}

type Values = ReadonlyMap<string, readonly number[]>

export async function ended(ground: Ground): Promise<readonly Section[]> {
  const project = smallProject(ground)
  const client = path.join(project, 'client.mts')
  copyFileSync(path.join(import.meta.dirname, 'load/tls-client.ts'), client)
  const certificate = makeCertificate(ground)
  const upstream = await startUpstream(certificate)
  const load = (kind: string, ...rest: readonly string[]): readonly [string, ...string[]] => [bundledNode, client, kind, ...rest]
  const env = { ...ground.env, NODE_EXTRA_CA_CERTS: certificate.file }
  const mitm = await mitmPeer(ground, await freePort(), certificate.file)
  try {
    const srt = await srtPeer(ground, { tlsTerminate: {} })
    const port = String(upstream.port)
    const policy = path.join(ground.folder, 'ended.yaml')
    const rule = '{ host: upstream.test, methods: [GET], reason: measured }'
    writeFileSync(policy, `network:\n  allow:\n    - ${rule}\n  routes:\n    upstream.test:443: 127.0.0.1:${port}\n`)
    const cell = ['run', '--quiet', '--policy', policy, '--mount', `${path.join(root, 'node_modules/node')}:ro`, '--']
    const ways: readonly Way[] = [
      { name: 'direct', argv: (kind) => load(kind, 'localhost', port), env },
      { name: 'anchorhold', argv: (kind) => [anchorhold, ...cell, ...load(kind, 'upstream.test', '443')], env },
      {
        name: 'srt',
        argv: (kind) => (srt.kind === 'ready' ? srt.argv(load(kind, 'localhost', port, 'env')) : ['false']),
        env,
        ...(srt.kind === 'missing' ? { trouble: srt.why } : {}),
      },
      {
        name: 'mitmproxy',
        argv: (kind) => load(kind, 'localhost', port, mitm.kind === 'ready' ? String(mitm.port) : ''),
        env: { ...ground.env, ...(mitm.kind === 'ready' ? { NODE_EXTRA_CA_CERTS: mitm.authority } : {}) },
        ...(mitm.kind === 'missing' ? { trouble: mitm.why } : { pid: mitm.pid }),
      },
    ]
    return await measure(ways, project)
  } finally {
    upstream.stop()
    if (mitm.kind === 'ready') await mitm.stop()
  }
}

async function measure(ways: readonly Way[], cwd: string): Promise<readonly Section[]> {
  const troubles = new Map<string, string>(ways.flatMap(({ name, trouble }) => (trouble === undefined ? [] : [[name, trouble] as const])))
  const values = new Map<string, Map<string, number[]>>(subjects.map((name) => [name, new Map()]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, argv, env } of ways.filter((way) => !troubles.has(way.name))) {
      const [file, ...args] = argv('all')
      const { stdout, stderr, status } = spawnSync(file, args, {
        cwd,
        env,
        encoding: 'utf8',
        timeout: 45_000,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const line = stdout.trim().split('\n').at(-1) ?? ''
      if (status !== 0 || !line.startsWith('{')) troubles.set(name, `exit code ${status} ${stderr.trim().split('\n').slice(-2).join(' ')}`)
      else
        for (const [key, value] of Object.entries(JSON.parse(line) as Record<string, number>))
          values.get(name)?.set(key, [...(values.get(name)?.get(key) ?? []), value])
    }
  }
  // At once: how much memory it takes does not depend on how busy the machine is.
  const proxies = ways.filter(({ name }) => name !== 'direct' && !troubles.has(name))
  const grown = await Promise.all(proxies.map(async (way) => [way.name, await growth(way, cwd)] as const))
  const memory = new Map<string, readonly [number, number]>(
    grown.flatMap(([name, pair]) => (pair === undefined ? [] : [[name, pair] as const])),
  )
  const table = (name: string): Values => values.get(name) ?? new Map()
  return sections((name, key) => median(table(name).get(key) ?? []), troubles, memory)
}

type Value = (name: Subject, key: string) => number

function sections(
  value: Value,
  troubles: ReadonlyMap<string, string>,
  memory: ReadonlyMap<string, readonly [number, number]>,
): readonly Section[] {
  const row = (name: Subject, subject: string, figure: number): Row => {
    const trouble = troubles.get(name)
    return trouble === undefined ? { subject, value: figure } : { subject, trouble }
  }
  const faster = (key: string): readonly Goal[] => [
    { what: 'times srt', reached: value('anchorhold', key) / value('srt', key), atLeast: 3 },
    { what: 'times mitmproxy', reached: value('anchorhold', key) / value('mitmproxy', key), atLeast: 5 },
  ]
  const rate = (key: string, title: string, unit: string, how: string): Section => ({
    title: `Ended TLS: ${title}`,
    unit,
    how: `${how} TLS to the proxy and verified TLS to the server on loopback; median of ${rounds} rounds.`,
    rows: subjects.map((name) => row(name, name, value(name, key))),
    against: 'direct',
    goals: faster(key),
  })
  const added = (name: Subject, key: string): number => value(name, key) - value('direct', key)
  const proxies = subjects.filter((name) => name !== 'direct')
  return [
    rate('stream', 'one stream', 'MB/s', 'One answer without end, for a second after the first 0.4.'),
    ...counts.map((count) =>
      rate(
        `requests ${count}`,
        `requests on ${count} kept connection${count === 1 ? '' : 's'}`,
        'per second',
        'One after the other on each connection, for 0.8 seconds.',
      ),
    ),
    {
      title: 'Ended TLS: added latency',
      unit: 'milliseconds',
      against: '',
      how: '200 requests a second in all, so that nothing waits in a queue; what is more than without a proxy.',
      rows: proxies.flatMap((name) =>
        counts.flatMap((count) =>
          ['p50', 'p99'].map((part) => row(name, `${name}, ${count} connections, ${part}`, added(name, `${part} ${count}`))),
        ),
      ),
      goals: counts.flatMap((count) => [
        { what: `ms added, p50, ${count} connections`, reached: added('anchorhold', `p50 ${count}`), atMost: 1 },
        { what: `ms added, p99, ${count} connections`, reached: added('anchorhold', `p99 ${count}`), atMost: 5 },
      ]),
    },
    {
      title: 'Ended TLS: time to the first server-sent event',
      unit: 'milliseconds',
      against: 'direct',
      how: 'From the request to the first event, on a connection that is there; median of 9.',
      rows: subjects.map((name) => row(name, name, value(name, 'event'))),
      goals: [{ what: 'ms added', reached: added('anchorhold', 'event'), atMost: 1 }],
    },
    {
      title: 'Ended TLS: memory after 10,000 requests',
      unit: 'MB (PSS)',
      against: '',
      how: 'All processes of the subject but for the client, after 2,000 requests on 20 connections and after 10,000 more (or as many as were made in 8 and 16 seconds).',
      rows: proxies.flatMap((name) => [
        row(name, `${name}, before`, memory.get(name)?.[0] ?? Number.NaN),
        row(name, `${name}, after`, memory.get(name)?.[1] ?? Number.NaN),
      ]),
      goals: [
        {
          what: 'after to before',
          reached: (([before, after]) => after / before)(memory.get('anchorhold') ?? [Number.NaN, Number.NaN]),
          atMost: 1.15,
        },
      ],
    },
  ]
}

/** Before and after, in MB. */
function growth({ argv, env, pid }: Way, cwd: string): Promise<readonly [number, number] | undefined> {
  const [file, ...args] = argv('memory')
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 })
  const measured: number[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    if (/warm|done/.test(chunk.toString())) measured.push(memoryOf(pid ?? child.pid ?? 0, 'client.mts'))
  })
  return new Promise((resolve) => {
    child.once('error', () => resolve(undefined))
    child.once('exit', () => resolve(measured[0] === undefined || measured[1] === undefined ? undefined : [measured[0], measured[1]]))
  })
}

function makeCertificate(ground: Ground): { readonly file: string; readonly key: string } {
  const folder = path.join(ground.folder, 'tls')
  mkdirSync(folder)
  const [file, key] = [path.join(folder, 'certificate.pem'), path.join(folder, 'key.pem')]
  const names = 'subjectAltName=DNS:upstream.test,DNS:localhost'
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, '-days', '2', '-subj', '/CN=upstream.test', '-addext', names, '-keyout', key, '-out', file],
    { stdio: 'ignore' },
  )
  return { file, key }
}

function startUpstream({
  file,
  key,
}: {
  readonly file: string
  readonly key: string
}): Promise<{ readonly port: number; readonly stop: () => void }> {
  const child = spawn(bundledNode, [path.join(import.meta.dirname, 'load/tls-server.ts'), file, key], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
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
