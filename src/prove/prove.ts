// The proof, top to bottom: policy → probes → canaries → rounds in cells as `run` makes them → verdict. What is made goes with the scope.
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { release } from 'node:os'
import path from 'node:path'
import { takeEngine } from '../engines/list.ts'
import { Failure } from '../errors/failure.ts'
import type { Engine } from '../model/engine.ts'
import type { Limits, Policy } from '../model/policy.ts'
import { probePlaces, type Probe, type ProbePlace, type ProbeResult, type ProbeSet, type Proof, type Wall } from '../model/proof.ts'
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
  const probes = (input.probes ?? loadCatalogue()).filter(
    (probe) => sets.indexOf(probe.set) <= sets.indexOf(set) && (input.wall === undefined || probe.wall === input.wall),
  )
  if (probes.length === 0)
    throw new Failure('prove/nothing', { what: input.wall === undefined ? `the ${set} set` : `the wall ${input.wall} in the ${set} set` })
  using canaries = await openCanaries({ project, home: context.home, stateDir: context.folders.state })
  const standIn = await makeStandIn(canaries.root, canaries.values[0] ?? '')
  const small = path.join(canaries.root, 'small')
  mkdirSync(small)
  const projects = { project, 'stand-in': standIn, small }
  const subject = subjectOf(builder, { version: context.version, policyDigest: policy.digest, project })
  subject.catch(() => undefined) // met below
  const rounds = await Promise.allSettled(
    probePlaces.map(async (place): Promise<readonly ProbeResult[]> => {
      const own = probes.filter((probe) => probe.place === place)
      if (own.length === 0) return []
      input.onProgress?.(`${own.length} probes in a cell of ${cellsOf[place]}`)
      return oneRound({ input, canaries, engine: builder.traits, project: projects[place], place, probes: own })
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
    engine: builder.traits.name,
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

const cellsOf: Readonly<Record<ProbePlace, string>> = {
  project: 'this project',
  'stand-in': 'a stand-in project',
  small: 'an empty project, with low limits',
}

/** So low that reaching them costs the machine nothing. */
const smallLimits: Limits = { processes: 120, tmp: 16 * 2 ** 20, fileSize: 8 * 2 ** 20, openFiles: 256 }

interface Place {
  readonly input: ProveInput
  readonly canaries: Canaries
  readonly engine: Engine['traits']
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
    live,
    canaries,
    project,
    home: context.home,
    engine,
    inside: 'cell',
    proxy: '3128',
    launch: (launch, names) => {
      const made = withCanaries(policy, { names, secret: canaries.secret, madeUp, ...(place === 'small' ? { limits: smallLimits } : {}) })
      const env = { ...plainEnv(context.env), ...made.env, ...canaries.variables }
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
  return ids.flatMap((id) => {
    const own = results.filter((one) => one.promise === id && one.result !== 'not-applicable')
    const kept = own.some(({ result }) => result === 'holds') && own.every(({ result }) => ['holds', 'limit'].includes(result))
    return own.length === 0 ? [] : [{ id, kept, probes: own.length }]
  })
}

function number(promise: string): number {
  return Number.parseInt(promise.slice(1), 10)
}
