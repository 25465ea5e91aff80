// Proof: what came of one probe. Pure. A witness that saw something beats every word from inside; a probe whose control failed shows nothing.
import type { Client, Probe, ProbeOutcome, ProbeResult } from '../model/proof.ts'
import type { Said } from './attempts.ts'

/** What is known from outside once the launch is over. */
export interface Sight {
  readonly said: readonly Said[]
  readonly absent: ReadonlySet<Client>
  /** Values that must not come back. */
  readonly canaries: readonly string[]
  /** Visits at the probe's own listeners; undefined where it has none. */
  readonly visits: { readonly hits: number; readonly awake: boolean } | undefined
  /** Of `absent` and `unchanged`: the paths that are there, or are not what they were, in words. */
  readonly damage: readonly string[]
  /** Whether the control worked for that client. */
  readonly control: (client: Client) => boolean
  readonly engine: string
  /** Attempts that were on each client's list; none where this machine has no such place. */
  readonly listed: ReadonlyMap<Client, number>
}

/** Never green without an attempt that was made and a control that worked. */
export function judgeProbe(probe: Probe, sight: Sight): ProbeResult {
  const perClient = new Map<Client, ProbeOutcome>()
  const own = sight.said.filter((one) => one.probe === probe.id)
  for (const [client, count] of sight.listed) {
    if (sight.absent.has(client)) continue
    const said = own.filter((one) => one.client === client)
    const outcome = ofClient(probe, said, sight, client)
    perClient.set(client, outcome === 'holds' && said.length < count ? 'could-not-run' : outcome)
  }
  const { result, why } = together(probe, sight, perClient)
  const { id, wall, says, promise, source } = probe
  return {
    id,
    wall,
    result: result === 'leaks' && probe.limit !== undefined ? 'limit' : result,
    says,
    promise,
    source,
    why: result === 'leaks' && probe.limit !== undefined ? `${why} This is not promised: ${probe.limit}` : why,
    clients: Object.fromEntries(perClient),
  }
}

function ofClient(probe: Probe, said: readonly Said[], sight: Sight, client: Client): ProbeOutcome {
  if (said.some((one) => sight.canaries.some((value) => one.text.includes(value)))) return 'leaks'
  if (probe.witness.kind === 'answer' && said.some((one) => one.outcome === 'done')) return 'leaks'
  if (probe.witness.kind === 'shows') {
    const { pattern } = probe.witness
    if (said.some((one) => one.outcome === 'done' && !new RegExp(pattern, 'm').test(one.text))) return 'leaks'
    if (said.some((one) => one.outcome !== 'done')) return 'could-not-run'
  }
  // What was to be left behind has to have been there.
  if (probe.witness.kind === 'quiet' && said.some((one) => one.outcome !== 'done')) return 'could-not-run'
  if (said.every((one) => one.outcome === 'lacking') || !sight.control(client)) return 'could-not-run'
  return 'holds'
}

function together(
  probe: Probe,
  { visits, damage, absent, engine, listed }: Sight,
  perClient: ReadonlyMap<Client, ProbeOutcome>,
): { readonly result: ProbeOutcome; readonly why: string } {
  if (probe.engines !== 'all' && !probe.engines.some((name) => name === engine))
    return { result: 'not-applicable', why: `It is not about ${engine}.` }
  if (visits !== undefined && visits.hits > 0) return { result: 'leaks', why: `The witness outside had ${visits.hits} visits.` }
  if (damage.length > 0) return { result: 'leaks', why: `${damage.join('; ')}.` }
  const leaking = named(perClient, 'leaks')
  if (leaking.length > 0) return { result: 'leaks', why: `It got through by ${leaking.join(', ')}.` }
  if (listed.size === 0) return { result: 'not-applicable', why: 'There is no such place on this machine.' }
  if (visits?.awake === false) return { result: 'could-not-run', why: 'The witness outside did not answer to a visit from the host.' }
  const failed = named(perClient, 'could-not-run')
  if (failed.length > 0)
    return { result: 'could-not-run', why: `The attempt or its control "${probe.control}" was not made by ${failed.join(', ')}.` }
  const held = named(perClient, 'holds')
  if (held.length === 0)
    return { result: 'could-not-run', why: `No attempt was made${absent.size > 0 ? `: ${[...absent].join(', ')} is not inside` : ''}.` }
  return { result: 'holds', why: `Tried by ${held.join(', ')}; the control "${probe.control}" worked.` }
}

function named(perClient: ReadonlyMap<Client, ProbeOutcome>, outcome: ProbeOutcome): readonly Client[] {
  return [...perClient].filter(([, one]) => one === outcome).map(([client]) => client)
}
