// The weakened launches in which every probe must go red: the same attempts by a process without a wall, beside a proxy that refuses nothing,
// and in a cell whose policy allows the names that are tried.
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import { takeEngine } from '../../src/engines/list.ts'
import { probePlaces, type Probe, type ProbeResult } from '../../src/model/proof.ts'
import { openCanaries } from '../../src/prove/canaries.ts'
import { tokenVariable, withCanaries } from '../../src/prove/canary-policy.ts'
import { bare, inCell } from '../../src/prove/inside.ts'
import { playRound } from '../../src/prove/round.ts'
import { plainEnv } from '../../src/prove/prove.ts'
import { makeStandIn } from '../../src/prove/stand-in.ts'
import { processContext } from '../../src/run/context.ts'
import { loadForProof } from '../../src/commands/proof-input.ts'
import type { World } from '../support/anchorhold.ts'

/** Of each probe, what came of it where its own wall is missing. */
export async function weakened(world: World, probes: readonly Probe[]): Promise<readonly ProbeResult[]> {
  const context = processContext(world.env)
  await using proxy = await openProxy()
  using canaries = await openCanaries({ project: world.project, home: world.home, stateDir: context.folders.state })
  const standIn = await makeStandIn(canaries.root, canaries.values[0] ?? '')
  const env = { ...plainEnv(context.env), ...canaries.variables, [tokenVariable]: canaries.secret }
  const small = path.join(canaries.root, 'small')
  mkdirSync(small)
  const projects = { project: world.project, 'stand-in': standIn, small }
  const engine = (await takeEngine('auto')).traits
  const results: ProbeResult[] = []
  for (const kind of ['bare', 'namespaced', 'allowed', 'raw'] as const)
    for (const place of probePlaces) {
      const own = probes.filter((probe) => probe.weakened === kind && probe.place === place)
      if (own.length === 0) continue
      const project = projects[place]
      const cell = kind === 'allowed' || kind === 'raw'
      results.push(
        ...(await playRound({
          probes: own,
          name: `${kind}-${place}`,
          canaries,
          project,
          home: world.home,
          engine,
          inside: cell ? 'cell' : 'bare',
          proxy: cell ? '3128' : String(proxy.port),
          raw: kind === 'raw',
          launch: async (launch, names) => {
            if (!cell) {
              proxy.names = new Map(names.map(({ host, port }) => [host, port]))
              return bare(launch, env, kind === 'namespaced' ? ['unshare', '--map-root-user', '--net', '--uts'] : undefined)
            }
            const { policy } = await loadForProof({ project: world.project })
            const madeUp = (): string => 'madeup0123456789abcdef'
            const made = withCanaries(policy, { names, secret: canaries.secret, madeUp, weakened: kind === 'allowed' })
            return inCell(launch, made.policy, { ...context, cwd: project, env: { ...env, ...made.env } })
          },
        })),
      )
    }
  return results
}

/** A proxy that leads wherever it is told, and takes a name up to its first odd character for the whole. */
async function openProxy(): Promise<AsyncDisposable & { readonly port: number; names: ReadonlyMap<string, number> }> {
  const own = { names: new Map<string, number>() as ReadonlyMap<string, number> }
  const server = net.createServer((client) => {
    client.on('error', () => undefined)
    client.once('data', (chunk) => {
      const target = /^(?:CONNECT |[A-Z]+ http:\/\/)(\[[^\]]+\]|[^:/%\s]+)(?:%00[^:]*)?(?::(\d+))?/.exec(chunk.toString('latin1'))
      const host = (target?.[1] ?? 'localhost').replace(/[[\]]/g, '')
      const known = own.names.get(host)
      const port = Number(target?.[2] ?? 80)
      const upstream = net.connect(
        known !== undefined && (port === 80 || port === 443) ? known : port,
        known === undefined ? host : '127.0.0.1',
      )
      if (target?.[0].startsWith('CONNECT ') === true && port === 443) client.write('HTTP/1.1 200 OK\r\n\r\n')
      else upstream.write(chunk)
      upstream.on('error', () => client.destroy())
      upstream.pipe(client).pipe(upstream)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(own, {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close()
    },
  })
}
