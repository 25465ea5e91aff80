// Proof: one round: witnesses open, the probes' attempts are made in one launch, witnesses are asked, every probe is judged.
import { existsSync, readFileSync } from 'node:fs'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Client, Probe, ProbeResult } from '../model/proof.ts'
import { attemptsOf, fillPlaces, type Heard, type Places } from './attempts.ts'
import type { Canaries } from './canaries.ts'
import { controlsFor, controlWorked } from './controls.ts'
import { hostSide, insideHome, type Launch } from './inside.ts'
import { judgeProbe } from './judge.ts'
import { openWitnesses, type Witness } from './witnesses.ts'
import type { CanaryNames } from './canary-policy.ts'

export interface RoundInput {
  readonly probes: readonly Probe[]
  /** In the proof's root, for this round alone. */
  readonly name: string
  readonly canaries: Canaries
  readonly project: string
  readonly home: string
  readonly engine: string
  /** Where attempts find themselves: in a cell, or without a wall. */
  readonly inside: 'cell' | 'bare'
  /** Port of the gateway's HTTP proxy, or of what stands for it. */
  readonly proxy: string
  readonly launch: (launch: Launch, names: CanaryNames) => Promise<Heard>
}

/** What is left of a run and writes every tenth of a second is seen in this time. */
const quietMilliseconds = 500

const doors = ['port', 'udp', 'socket', 'abstract'] as const

/** Every probe of the round with its result, in their order. */
export async function playRound(input: RoundInput): Promise<readonly ProbeResult[]> {
  const { probes, canaries, project } = input
  const folder = path.join(canaries.root, `round-${input.name}`)
  mkdirSync(folder, { mode: 0o700 })
  const wanted = new Map<string, readonly (typeof doors)[number][]>([['allowed', ['port']]])
  for (const probe of probes) {
    const text = JSON.stringify(probe.try)
    const named = doors.filter((door) => text.includes(`{${door}}`) || (door === 'port' && /\{(denied|limited)\}/.test(text)))
    if (named.length > 0) wanted.set(probe.id, named)
  }
  await using witnesses = await openWitnesses(wanted, canaries.folders.temp ?? canaries.root, canaries.nonce)
  const allowed = `allowed-${canaries.nonce}.test`
  const denied = (id: string): string => `${id}-${canaries.nonce}.test`
  const home = hostSide({ folder, project })
  const places = (id: string): Places => ({
    ...canaries.folders,
    ...witnesses.of.get(id)?.places,
    nonce: canaries.nonce,
    project,
    userhome: input.home,
    inside: input.inside === 'cell' ? insideHome() : home,
    outside: home,
    proxy: input.proxy,
    limited: `only-get-${denied(id)}`,
    allowed,
    denied: denied(id),
  })
  const watched = new Map(probes.map((probe) => [probe.id, watch(probe, places(probe.id))]))
  const attempts = attemptsOf([...controlsFor(probes), ...probes], places)
  const text = `control-${canaries.nonce}`
  const heard = await input.launch(
    { folder, project, nonce: canaries.nonce, attempts, text },
    {
      allowed: { host: allowed, port: portOf(witnesses.of.get('allowed')) },
      denied: probes
        .filter((probe) => JSON.stringify(probe.try).includes('{denied}'))
        .map(({ id }) => ({ host: denied(id), port: portOf(witnesses.of.get(id)) })),
      limited: probes
        .filter((probe) => JSON.stringify(probe.try).includes('{limited}'))
        .map(({ id }) => ({ host: `only-get-${denied(id)}`, port: portOf(witnesses.of.get(id)) })),
      allowDenied: false,
    },
  )
  const seen = witnesses.of.get('allowed')?.text ?? ''
  const written = (control: 'write' | 'plant', client: Client): boolean =>
    existsSync(path.join(control === 'write' ? home : project, `control-${client}`))
  return await Promise.all(
    probes.map(async (probe) => {
      const witness = witnesses.of.get(probe.id)
      // The hits are counted before the host's own visits.
      const hits = witness?.hits ?? 0
      return judgeProbe(probe, {
        ...heard,
        canaries: canaries.values,
        visits: witness === undefined ? undefined : { hits, awake: await witness.awake() },
        damage: (await watched.get(probe.id)?.()) ?? [],
        control: (client) => controlWorked(probe.control, client, { said: heard.said, text, allowed: seen, written }),
        engine: input.engine,
        listed: countByClient(attempts.filter((attempt) => attempt.probe === probe.id).map(({ client }) => client)),
      })
    }),
  )
}

function portOf(witness: Witness | undefined): number {
  return Number(witness?.places.port ?? 0)
}

function countByClient(list: readonly Client[]): ReadonlyMap<Client, number> {
  const counts = new Map<Client, number>()
  for (const client of list) counts.set(client, (counts.get(client) ?? 0) + 1)
  return counts
}

/** Looks at the host's files of a probe now, and says later what has become of them. */
function watch(probe: Probe, places: Places): () => Promise<readonly string[]> {
  const { witness } = probe
  if (!('paths' in witness)) return async () => []
  const paths = witness.paths.flatMap((one) => clientsIn(one).flatMap((filled) => fillPlaces(filled, { ...places, id: probe.id }) ?? []))
  if (witness.kind === 'unplanted')
    return async () =>
      paths.filter((one) => content(one)?.includes('planted') === true).map((one) => `${one} holds what was written inside`)
  if (witness.kind === 'quiet')
    return async () => {
      const now = new Map(paths.map((one) => [one, content(one)]))
      await new Promise((resolve) => setTimeout(resolve, quietMilliseconds))
      return paths.filter((one) => content(one) !== now.get(one)).map((one) => `${one} was still written after the end`)
    }
  if (witness.kind === 'absent') return async () => paths.filter((one) => existsSync(one)).map((one) => `${one} is there on the host`)
  const before = new Map(paths.map((one) => [one, content(one)]))
  return async () =>
    paths.flatMap((one) => {
      const [was, is] = [before.get(one), content(one)]
      if (was === is) return []
      return [
        `${one} ${is === undefined ? 'is gone from' : was === undefined ? 'was made on' : `was changed on`} the host: ${JSON.stringify(is)}`,
      ]
    })
}

/** A path that names its client stands for one path of each. */
function clientsIn(text: string): readonly string[] {
  return text.includes('{client}') ? ['sh', 'node', 'python', 'static'].map((client) => text.replaceAll('{client}', client)) : [text]
}

function content(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
