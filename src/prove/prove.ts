// The proof, top to bottom: policy → probes → canaries → rounds in cells as `run` makes them → verdict. What is made goes with the scope.
import { release } from 'node:os'
import { randomBytes } from 'node:crypto'
import { takeEngine } from '../engines/list.ts'
import { Failure } from '../errors/failure.ts'
import type { Policy } from '../model/policy.ts'
import type { Probe, ProbeResult, ProbeSet, Proof, Wall } from '../model/proof.ts'
import type { RunContext } from '../run/context.ts'
import { openCanaries, type Canaries } from './canaries.ts'
import { withCanaries } from './canary-policy.ts'
import { loadCatalogue } from './catalogue.ts'
import { inCell } from './inside.ts'
import { playRound } from './round.ts'
import { makeStandIn } from './stand-in.ts'
import { keepStanding, subjectOf } from './standing.ts'

export interface ProveInput {
  /** The user's own, as a run would take it. */
  readonly policy: Policy
  readonly project: string
  readonly context: Omit<RunContext, 'onEvent' | 'policy' | 'standing'>
  readonly set: ProbeSet
  /** That wall alone: no proof is kept then. */
  readonly wall?: Wall
  /** What the policy opens, where the caller has looked. */
  readonly opens?: Proof['opens']
  /** Default: those of the catalogue. */
  readonly probes?: readonly Probe[]
  readonly onProgress?: (text: string) => void
}

const sets: readonly ProbeSet[] = ['quick', 'standard', 'full']

/** Throws a Failure where nothing could be tried at all. */
export async function prove(input: ProveInput): Promise<Proof> {
  const { policy, project, context, set } = input
  const began = performance.now()
  const builder = await takeEngine(policy.engine)
  const engine = builder.traits.name
  const probes = (input.probes ?? loadCatalogue()).filter(
    (probe) => sets.indexOf(probe.set) <= sets.indexOf(set) && (input.wall === undefined || probe.wall === input.wall),
  )
  if (probes.length === 0)
    throw new Failure('prove/nothing', { what: input.wall === undefined ? `the ${set} set` : `the wall ${input.wall} in the ${set} set` })
  using canaries = await openCanaries({ project, home: context.home, stateDir: context.folders.state })
  const standIn = await makeStandIn(canaries.root, canaries.values[0] ?? '')
  const subject = subjectOf(builder, { version: context.version, policyDigest: policy.digest, project })
  subject.catch(() => undefined) // met below
  const rounds = await Promise.allSettled(
    (['project', 'stand-in'] as const).map(async (place): Promise<readonly ProbeResult[]> => {
      const own = probes.filter((probe) => probe.place === place)
      if (own.length === 0) return []
      input.onProgress?.(`${own.length} probes in ${place === 'project' ? 'a cell of this project' : 'a cell of a stand-in project'}`)
      return oneRound({ input, canaries, engine, project: place === 'project' ? project : standIn, place, probes: own })
    }),
  )
  context.signal?.throwIfAborted()
  const results = rounds.flatMap((round) => {
    if (round.status === 'rejected') throw round.reason
    return round.value
  })
  const proof: Proof = {
    verdict: verdictOf(results),
    probes: results.toSorted((one, other) => probes.findIndex(({ id }) => id === one.id) - probes.findIndex(({ id }) => id === other.id)),
    promises: promisesOf(results),
    opens: input.opens ?? [],
    engine,
    set,
    versions: { anchorhold: context.version, node: process.versions.node, engine: (await subject).engineVersion },
    kernel: release(),
    policyDigest: policy.digest,
    project,
    date: new Date().toISOString(),
    milliseconds: Math.round(performance.now() - began),
  } // One wall alone says nothing of the others; what leaks says enough.
  if ((input.wall === undefined && input.probes === undefined) || proof.verdict === 'leaks')
    await keepStanding(context.folders.state, await subject, proof)
  return proof
}

interface Place {
  readonly input: ProveInput
  readonly canaries: Canaries
  readonly engine: string
  readonly project: string
  readonly place: Probe['place']
  readonly probes: readonly Probe[]
}

async function oneRound({ input, canaries, engine, project, place, probes }: Place): Promise<readonly ProbeResult[]> {
  const { policy, context } = input
  // Only in a live workspace does a file of the project appear on the host.
  const live = policy.workspace.mode === 'live'
  return playRound({
    probes: probes.map((probe) => (live || probe.control !== 'plant' ? probe : { ...probe, control: 'write' })),
    name: place,
    canaries,
    project,
    home: context.home,
    engine,
    inside: 'cell',
    proxy: '3128',
    launch: (launch, names) => {
      const made = withCanaries(policy, names, madeUp)
      const env = { ...plainEnv(context.env), ...made.env, [canaries.variable.name]: canaries.variable.value }
      return inCell(launch, made.policy, { ...context, env })
    },
  })
}

/** What a run reads of the caller's environment, without any value that might be a secret. */
export function plainEnv(env: RunContext['env']): Readonly<Record<string, string>> {
  const names = /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|LANG|LC_\w+|XDG_\w+|JAVA_HOME|TMPDIR)$/
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (names.test(name) && value !== undefined ? [[name, value]] : [])),
  )
}

/** Like a key, and nobody's. */
function madeUp(): string {
  return `madeup${randomBytes(24).toString('hex')}`
}

function verdictOf(results: readonly ProbeResult[]): Proof['verdict'] {
  if (results.some(({ result }) => result === 'leaks')) return 'leaks'
  const shown = results.some(({ result }) => result === 'holds')
  return !shown || results.some(({ result }) => result === 'could-not-run') ? 'could-not-run' : 'holds'
}

/** A promise is kept where at least one of its probes holds and every other that applies does too. */
function promisesOf(results: readonly ProbeResult[]): Proof['promises'] {
  const ids = [...new Set(results.map(({ promise }) => promise))].toSorted((one, other) => number(one) - number(other))
  return ids.map((id) => {
    const own = results.filter((one) => one.promise === id && one.result !== 'not-applicable')
    return {
      id,
      kept: own.some(({ result }) => result === 'holds') && own.every(({ result }) => ['holds', 'limit'].includes(result)),
      probes: own.length,
    }
  })
}

function number(promise: string): number {
  return Number.parseInt(promise.slice(1), 10)
}
