// Proof: what came of one probe. Pure. A witness that saw something beats every word from inside; a probe whose control failed shows nothing.
import type { Client, Probe, ProbeOutcome, ProbeResult, ProbeWitness } from '../model/proof.ts'
import type { EnforcedLimit, Traits } from '../model/engine.ts'
import { formsOf } from '../secrets/forms.ts'
import type { Said } from './attempts.ts'

/** What a terminal obeys: controls but for the line feed, and marks that turn or hide text. */
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/

/** Where what is sent to a witness, or comes back from it, decides, and not that it came. */
const mayVisit: ReadonlySet<ProbeWitness['kind']> = new Set(['unsent', 'returned', 'shown'])

/** What is known from outside once the launch is over. */
export interface Sight {
  readonly said: readonly Said[]
  readonly absent: ReadonlySet<Client>
  /** Values that must not come back. */
  readonly canaries: readonly string[]
  /** Visits at the probe's own listeners; undefined where it has none. */
  readonly visits: { readonly hits: number; readonly text: string; readonly awake: boolean } | undefined
  /** What anchorhold's log shows of the run, a line each. */
  readonly shown: readonly string[]
  /** Of `absent` and `unchanged`: the paths that are there, or are not what they were, in words. */
  readonly damage: readonly string[]
  /** Whether the control worked for that client. */
  readonly control: (client: Client) => boolean
  readonly engine: Pick<Traits, 'name' | 'can'>
  /** How limits are kept in this cell, as its engine said. */
  readonly limits: readonly EnforcedLimit[]
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
    if (said.length > 0 && said.every((one) => one.outcome === 'lacking')) continue // it cannot do this at all
    const outcome = ofClient(probe, said, sight, client)
    perClient.set(client, outcome === 'holds' && said.length < count ? 'could-not-run' : outcome)
  }
  const { result, why } = together(probe, sight, perClient)
  const { id, wall, says, promise, source } = probe
  const limit = limitOf(probe, sight)
  return {
    id,
    wall,
    result: result === 'leaks' && limit !== undefined ? 'limit' : result,
    says,
    promise,
    source,
    why: result === 'leaks' && limit !== undefined ? `${why} This is not promised: ${limit}` : why,
    clients: Object.fromEntries(perClient),
  }
}

/** Why what gets through is no leak: it is not promised of this engine, or not kept on this machine, which the start of every run says. */
function limitOf({ limit, needs }: Probe, { engine, limits }: Sight): string | undefined {
  const row = limits.find(({ name }) => needs === `limit-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
  if (row?.enforced === false) return `the limit is not kept here: ${row.how}.`
  return typeof limit === 'object' ? limit[engine.name] : limit
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
  if (!sight.control(client)) return 'could-not-run'
  return 'holds'
}

function together(
  probe: Probe,
  { said, visits, shown, canaries, damage, absent, engine, listed }: Sight,
  perClient: ReadonlyMap<Client, ProbeOutcome>,
): { readonly result: ProbeOutcome; readonly why: string } {
  if (probe.engines !== 'all' && !probe.engines.some((name) => name === engine.name))
    return { result: 'not-applicable', why: `It is not about ${engine.name}.` }
  const lacks = probe.needs === undefined ? true : engine.can[probe.needs]
  if (lacks !== true) return { result: 'not-applicable', why: `${engine.name}: ${lacks}.` }
  if (probe.witness.kind === 'unsent') {
    const sent = visits?.text ?? ''
    if (canaries.some((value) => [...formsOf(value).values()].some((form) => sent.includes(form))))
      return { result: 'leaks', why: 'The witness outside was sent the value.' }
    if ((visits?.hits ?? 0) === 0 && said.some((one) => one.probe === probe.id && one.outcome === 'done'))
      return { result: 'could-not-run', why: 'Nothing came to the witness outside, although it was sent.' }
  } else if (!mayVisit.has(probe.witness.kind) && visits !== undefined && visits.hits > 0)
    return { result: 'leaks', why: `The witness outside had ${visits.hits} visits.` }
  if (probe.witness.kind === 'shown') {
    const { mark } = probe.witness
    const raw = shown.find((line) => obeyed.test(line))
    if (raw !== undefined) return { result: 'leaks', why: `A line of the log has it raw: ${JSON.stringify(raw)}` }
    if (listed.size > 0 && !shown.some((line) => line.includes(mark)))
      return { result: 'could-not-run', why: `Nothing of it came into the log.` }
  }
  if (damage.length > 0) return { result: 'leaks', why: `${damage.join('; ')}.` }
  const leaking = named(perClient, 'leaks')
  if (leaking.length > 0) return { result: 'leaks', why: `It got through by ${leaking.join(', ')}.` }
  if (listed.size === 0) return { result: 'not-applicable', why: 'There is no such place on this machine, or with this policy.' }
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
