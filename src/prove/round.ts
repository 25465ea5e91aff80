// Proof: one round: witnesses open, the probes' attempts are made in one launch, witnesses are asked, every probe is judged.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Traits } from '../model/engine.ts'
import type { Client, Probe, ProbeResult } from '../model/proof.ts'
import { logLine } from '../report/log.ts'
import type { ReadLine } from '../session/follow.ts'
import { attemptsOf, fillPlaces, type Heard, type Places } from './attempts.ts'
import type { Canaries } from './canaries.ts'
import { controlsFor, controlWorked } from './controls.ts'
import { hostSide, insideHome, type Launch } from './inside.ts'
import { judgeProbe } from './judge.ts'
import { doors, openWitnesses, type Door } from './witnesses.ts'
import type { NameKind, ProofName } from './canary-policy.ts'

export interface RoundInput {
  readonly probes: readonly Probe[]
  /** In the proof's root, for this round alone. */
  readonly name: string
  readonly canaries: Canaries
  readonly project: string
  readonly home: string
  readonly engine: Pick<Traits, 'name' | 'can'>
  /** Where attempts find themselves: in a cell, or without a wall. */
  readonly inside: 'cell' | 'bare'
  /** Port of the gateway's HTTP proxy, or of what stands for it. */
  readonly proxy: string
  /** Whether what is written in the project appears on the host at once. Default: it does. */
  readonly live?: boolean
  /** The log is judged as it is, and not as it is shown. */
  readonly raw?: boolean
  readonly launch: (launch: Launch, names: readonly ProofName[]) => Promise<Heard>
}

/** What is left of a run and writes every tenth of a second is seen in this time. */
const quietMilliseconds = 500

/** Places that are names of the proof, with the door that each leads to. */
const nameDoors: Readonly<Record<Exclude<NameKind, 'allowed'> | 'lookalike' | 'beginning', Door>> = {
  denied: 'port',
  lookalike: 'port',
  beginning: 'port',
  limited: 'port',
  bound: 'echo',
  closed: 'tls',
  open: 'tls',
}

type NamePlace = keyof typeof nameDoors
const namePlaces = Object.keys(nameDoors) as NamePlace[]

/** Every probe of the round with its result, in their order. */
export async function playRound(input: RoundInput): Promise<readonly ProbeResult[]> {
  const { probes, canaries, project } = input
  const folder = path.join(canaries.root, `round-${input.name}`)
  mkdirSync(folder, { mode: 0o700 })
  const entries = [...controlsFor(probes), ...probes]
  const wanted = new Map<string, readonly Door[]>([['allowed', ['port']]])
  for (const entry of entries) {
    const text = JSON.stringify(entry.try)
    const named = [...doors.filter((door) => text.includes(`{${door}}`)), ...namesIn(entry).map((place) => nameDoors[place])]
    if (named.length > 0) wanted.set(entry.id, [...new Set(named)])
  }
  await using witnesses = await openWitnesses(wanted, canaries.folders.temp ?? canaries.root, canaries.nonce)
  const allowed = `allowed-${canaries.nonce}.test`
  const hostOf = (place: NamePlace, id: string): string => {
    if (place === 'lookalike') return `${id}.${allowed}`
    return place === 'beginning' ? `${allowed}.${id}-${canaries.nonce}.test` : `${place}-${id}-${canaries.nonce}.test`
  }
  const home = hostSide({ folder, project })
  const places = (id: string): Places => ({
    ...canaries.folders,
    ...witnesses.of.get(id)?.places,
    ...Object.fromEntries(namePlaces.map((place) => [place, hostOf(place, id)])),
    nonce: canaries.nonce,
    project,
    inside: input.inside === 'cell' ? insideHome() : home,
    outside: home,
    proxy: input.proxy,
    scheme: input.inside === 'cell' ? 'https' : 'http',
    allowed,
    note: canaries.note,
    live: input.live === false ? undefined : project,
  })
  const watched = new Map(probes.map((probe) => [probe.id, watch(probe, places(probe.id))]))
  const attempts = attemptsOf(entries, places)
  const text = `control-${canaries.nonce}`
  const portOf = (id: string, door: Door): number => Number(witnesses.of.get(id)?.places[door] ?? 0)
  const heard = await input.launch({ folder, project, nonce: canaries.nonce, attempts, text }, [
    { kind: 'allowed', host: allowed, port: portOf('allowed', 'port') },
    ...entries.flatMap((entry) =>
      namesIn(entry).map((place): ProofName => {
        const kind = place === 'lookalike' || place === 'beginning' ? 'denied' : place
        return { kind, host: hostOf(place, entry.id), port: portOf(entry.id, nameDoors[place]) }
      }),
    ),
  ])
  const shown = (heard.journal ?? []).map((read) => (input.raw === true ? unescaped(read) : logLine(read)))
  const seen = witnesses.of.get('allowed')?.text ?? ''
  const bound = witnesses.of.get('control-secret')?.text ?? ''
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
        visits: witness === undefined ? undefined : { hits, text: witness.text, awake: await witness.awake() },
        shown,
        damage: (await watched.get(probe.id)?.()) ?? [],
        control: (client) =>
          controlWorked(probe.control, client, { said: heard.said, text, allowed: seen, bound, secret: canaries.secret, written }),
        engine: input.engine,
        limits: heard.limits ?? [],
        listed: countByClient(attempts.filter((attempt) => attempt.probe === probe.id).map(({ client }) => client)),
      })
    }),
  )
}

function namesIn(entry: Pick<Probe, 'try'>): readonly NamePlace[] {
  const text = JSON.stringify(entry.try)
  return namePlaces.filter((place) => text.includes(`{${place}}`))
}

/** Every text of an event as the journal holds it. */
function unescaped(read: ReadLine): string {
  return read.kind === 'line'
    ? Object.values(read.line.event)
        .filter((value) => typeof value === 'string')
        .join(' ')
    : ''
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
