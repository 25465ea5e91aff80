// The pipeline, top to bottom and never back: policy → engine → session → workspace → gateway → plan → launch → wait → close.
// Everything opened is closed by scope, in reverse order; what `--dry-run` shows is the same up to the launch.
import { existsSync, realpathSync, rmSync } from 'node:fs'
import { findAgent } from '../agents/list.ts'
import { explainStart, takeEngine } from '../engines/list.ts'
import { Failure } from '../errors/failure.ts'
import { now } from '../host/clock.ts'
import { packageRoot } from '../host/paths.ts'
import { readSystem } from '../host/system.ts'
import type { CellEnd, Compiled, Engine } from '../model/engine.ts'
import type { Plan } from '../model/plan.ts'
import type { Policy } from '../model/policy.ts'
import type { Standing } from '../model/proof.ts'
import type { Ask, HeldSecret } from '../model/secret.ts'
import type { RunOptions } from '../model/run-options.ts'
import { makeIdentity } from '../plan/identity.ts'
import { makePlan, writableRoots } from '../plan/make.ts'
import { ownInstallation } from '../plan/own-installation.ts'
import { refuseShown } from '../plan/shown.ts'
import { isAboutRequests } from '../policy/judge.ts'
import { loadPolicy } from '../policy/load.ts'
import { registries } from '../registries/list.ts'
import type { SourceContext } from '../secrets/sources.ts'
import { openSession, type Session } from '../session/open.ts'
import { openWorkspace } from '../workspace/open.ts'
import { openProject } from '../workspace/project.ts'
import type { Gateway } from '../gateway/open.ts'
import { mayEnd } from '../gateway/ending.ts'
import { listenersFor } from '../gateway/listeners.ts'
import { countUses } from '../gateway/steps/inject/uses.ts'
import { givenEnv, mayMeter, refuseUnable, startFolder } from './asked.ts'
import type { ProofAsked, RunContext } from './context.ts'
import { openHome } from './home.ts'
import { reapBefore } from './reap.ts'
import { guardSignals } from './signals.ts'
import { terminalOf } from './terminal.ts'
import { openWitness } from './witness.ts'
import { watchWritten } from './written.ts'

export interface RunResult {
  /** The command's own; 128+n after a signal; 125 where anchorhold failed. */
  readonly exitCode: number
  readonly end: CellEnd
  readonly session: string
  readonly folder: string
  /** Of a review: the id that diff, apply and --continue take. */
  readonly proposal?: string
  readonly milliseconds: number
}

export interface Opened {
  readonly session: Session
  readonly policy: Policy
  readonly engine: Engine
  readonly plan: Plan
  readonly compiled: Compiled
}

export interface Watch {
  readonly dryRun: boolean
  readonly onPlan?: (opened: Opened) => void
}

/**
 * One run from options to result. `onPlan` sees the plan before anything of it starts; after a dry run nothing does.
 * @throws Failure for everything that keeps the command from starting
 */
export async function run(given: RunOptions, context: RunContext, watch: Watch = { dryRun: false }): Promise<RunResult | undefined> {
  const began = now()
  const { env, home, folders } = context
  await using scope = new AsyncDisposableStack()
  const failed = new AbortController()
  const signal = AbortSignal.any([failed.signal, ...(context.signal === undefined ? [] : [context.signal])])

  const continued = given.continue === undefined ? undefined : (await import('./review.ts')).findContinued(given, context)
  const options: RunOptions = continued === undefined ? given : { ...given, project: continued.proposal.project, workspace: 'review' }
  const project = await openProject(options.project ?? context.cwd, home, Object.values(folders))
  // Arguments without an agent are a plain command; with neither, the policy's agent runs.
  const agentOf = (name: string | undefined) => findAgent(options.agent ?? (options.args.length === 0 ? name : undefined))
  const load = () =>
    loadPolicy({
      options,
      project,
      registries,
      agentPresets: (name) => agentOf(name).presets,
      agentSecrets: (name, taken) => agentOf(name).secrets({ hostEnv: env, hostHome: home, taken }),
      hostEnv: env,
      hostHome: home,
      configDir: folders.config,
      stateDir: folders.state,
    })
  const { policy, notes } = context.policy === undefined ? await load() : { policy: context.policy, notes: [] }
  if (continued !== undefined && policy.workspace.mode !== 'review')
    throw new Failure('review/other-mode', { id: continued.proposal.id, mode: policy.workspace.mode })
  const agent = agentOf(policy.agent)
  const engine = await takeEngine(policy.engine)
  refuseUnable(engine.traits, policy)
  const proven = policy.permissions.mode === 'auto' && !watch.dryRun ? await askForProof({ policy, project, options, context }) : undefined
  await reapBefore(folders.state)
  const shown = [project, ...policy.files.mount.map((mount) => mount.path)]
  const gateway = Promise.withResolvers<Gateway>()
  const secrets = await openSecretsOf(policy, { hostEnv: env, hostHome: home, dataDir: folders.data, shown }, async (place, request) =>
    (await gateway.promise).ask(place, request),
  )
  const session = await openSession({
    stateDir: folders.state,
    project,
    agent: agent.name,
    engine: engine.traits.name,
    ...(secrets.length === 0 ? {} : { secretValues: () => secrets.flatMap((secret) => secret.values()) }),
    patient: true,
    dryRun: watch.dryRun,
    ...(policy.workspace.mode === 'review' ? { proposal: continued?.proposal.id ?? 'own' } : {}),
    onBroken: (failure) => failed.abort(failure),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(context.onEvent === undefined ? {} : { onEvent: context.onEvent }),
  })
  let exitCode = 125
  let ran = true
  scope.defer(() => (ran ? undefined : rmSync(session.folder, { recursive: true, force: true })))
  scope.defer(() => session.close(exitCode))
  session.emit({
    kind: 'session.started',
    session: session.id,
    project,
    agent: agent.name,
    argv: options.args,
    engine: engine.traits.name,
    workspace: policy.workspace.mode,
    permissions: policy.permissions.mode,
    get policyDigest() {
      return policy.digest // asked for when the line is written
    },
    version: context.version,
    pid: process.pid,
    ...(options.name === undefined ? {} : { name: options.name }),
  })
  if (proven !== undefined) session.emit({ kind: 'wall.proven', ...proven })
  for (const note of notes) session.emit({ kind: 'warning', code: 'policy/note', message: note })
  // The engine makes ready what needs no plan, beside all that follows.
  const image =
    engine.traits.system === 'image'
      ? await (await import('./image.ts')).openImage({ engine, policy, agent, project, context, emit: session.emit, signal })
      : undefined
  const ground = watch.dryRun
    ? undefined
    : scope.use(
        await engine.begin({
          session: session.id,
          limits: policy.limits,
          stdio: context.stdio,
          folder: session.folder,
          ...(image === undefined ? {} : { image: image.image }),
        }),
      )
  const identity = makeIdentity({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })
  // The workspace looks through the project in a process of its own while the rest is made ready.
  const opening = openWorkspace({
    project,
    roots: writableRoots(policy, project),
    files: policy.files,
    mode: policy.workspace.mode,
    sessionFolder: session.folder,
    hostHome: home,
    home: identity.home,
    emit: session.emit,
    signal,
  })
  opening.catch(() => undefined) // met where it is awaited, which may be later than it fails
  scope.defer(() =>
    opening.then(
      (opened) => opened.close(),
      () => undefined,
    ),
  )
  const viewing =
    policy.workspace.mode === 'review'
      ? import('./review.ts').then(({ openReview }) =>
          openReview({ policy, project, session, context, continued, dryRun: watch.dryRun, signal }),
        )
      : undefined
  viewing?.catch(() => undefined)
  scope.defer(() =>
    viewing?.then(
      (view) => view.close(),
      () => undefined,
    ),
  )
  const terminal = terminalOf(context.stdio)
  const signals = scope.use(guardSignals(terminal))
  const homeFolder = openHome(folders.data, agent.name, project)
  const witness = scope.use(
    await openWitness({ sessionFolder: session.folder, project, projectWritable: policy.workspace.mode !== 'readonly' }),
  )
  const placeholders = Object.fromEntries(secrets.map(({ rule, placeholder }) => [rule.name, placeholder]))
  const prepared = await agent.prepare({
    hostEnv: env,
    hostHome: home,
    project,
    homeFolder,
    home: identity.home,
    mode: policy.permissions.mode,
    allow: policy.permissions.allow,
    args: options.args,
    fromImage: image !== undefined,
    ...(image?.installed === undefined ? {} : { installed: image.installed }),
    env: { ...givenEnv(policy.env, env), ...placeholders },
  })
  const host = readSystem()
  // What an image's own programs trust is known by its usual place alone, and they find it there themselves.
  const system = image === undefined ? host : { roots: {}, etc: [] }
  const { network } = policy
  const uses = scope.use(countUses(session.emit))
  // Much code, for those alone who have a secret or a rule about requests.
  const meter = mayMeter(policy)
    ? scope.use(await (await import('./meter.ts')).openRunMeter({ policy, session: session.id, project, context, emit: session.emit }))
    : undefined
  const steps =
    meter !== undefined || secrets.length > 0 || network.rules.some(isAboutRequests)
      ? (await import('../gateway/steps/list.ts')).makeSteps({
          network,
          secrets,
          uses,
          ...(meter === undefined ? {} : { meter: meter.step }),
        })
      : []
  const trusted = mayEnd({ network, steps })
    ? scope.use(
        (await import('./trust.ts')).openTrust({ sessionFolder: session.folder, caBundle: host.caBundle, javaHome: env['JAVA_HOME'] }),
      )
    : undefined
  const { openGateway } = await import('../gateway/open.ts') // much code; the search is under way meanwhile
  const workspace = await opening
  const view = await viewing
  const own = ownInstallation(realpathSync(packageRoot()), realpathSync(process.execPath), writableRoots(policy, project), existsSync)
  const { plan, unsetEnv } = makePlan({
    session: session.id,
    engine: engine.traits.name,
    agent: { name: agent.name, passEnv: agent.passEnv, prepared },
    policy,
    project,
    cwd: startFolder(project, context.cwd),
    identity,
    system,
    ...(image === undefined ? {} : { image: image.image }),
    homeFolder,
    workspace: { covers: [...own, ...workspace.covers], mounts: workspace.mounts },
    listeners: listenersFor(network),
    placeholders,
    ...(trusted === undefined ? {} : { trust: trusted.trust }),
    ...(view === undefined ? {} : { views: view.mounts }),
    hostEnv: env,
    terminal,
    preflight: [...witness.preflight, ...(view?.checks ?? [])],
  })
  refuseShown(secrets, plan)
  for (const name of unsetEnv)
    session.emit({ kind: 'warning', code: 'env/unset', message: `The policy passes ${name}, which is not set outside.` })
  const compiled = await engine.compile(plan, ground?.facts ?? (await engine.facts(plan)))
  session.emit({ kind: 'limits', rows: compiled.limits })
  if (ground === undefined) {
    // So that the command which is shown works where it is copied.
    if (compiled.files !== undefined) (await import('../host/made-files.ts')).writeMadeFiles(compiled.files)
    watch.onPlan?.({ session, policy, engine, plan, compiled })
    ran = false
    exitCode = 0
    return undefined
  }
  signal.throwIfAborted()
  view?.begin(workspace.hidden)
  const launched = now()
  const written = watchWritten()
  const launching = ground.launch(plan, compiled, {
    signal,
    onListeners: async (born) => (await gateway.promise).adopt(born),
    onStarted: () => session.emit({ kind: 'wall.checked', probes: plan.preflight.length, milliseconds: Math.round(now() - launched) }),
  })
  launching.catch(() => undefined) // met below
  const net =
    policy.workspace.mode === 'live'
      ? import('../review/net.ts').then(({ startNet }) => startNet({ project, session: session.id, sessionFolder: session.folder }))
      : undefined
  scope.defer(async () => (await net)?.close())
  // While the engine builds the wall, what it needs no answer for; the command starts only after all of it.
  const opened = scope.use(
    openGateway({ network, steps, emit: session.emit, signal, hostEnv: env, ...(trusted === undefined ? {} : { ending: trusted.ending }) }),
  )
  scope.defer(() => ground[Symbol.asyncDispose]())
  meter?.begin()
  watch.onPlan?.({ session, policy, engine, plan, compiled })
  signal.throwIfAborted()
  gateway.resolve(opened)
  const cell = await launching
  session.settle() // once nothing waits for this process any more: the engine is not ready yet, and starts the command by itself
  signals.attach(cell)
  workspace.attach(cell)
  view?.attach(cell)
  const [end, witnessAlive] = await Promise.all([cell.ended, witness.control()])
  if (witness.hits > 0) throw new Failure('engine/wall-leaks', { hits: witness.hits })
  if (signal.aborted && signal.reason instanceof Failure) throw signal.reason
  if (end.kind === 'failed') {
    if (end.lost === true) throw new Failure('engine/lost', { message: end.message ?? '' })
    const failure = new Failure('engine/cell-failed', { message: end.preflight ?? end.message ?? 'no reason given' })
    throw end.preflight === undefined ? await explainStart(engine, failure) : failure
  }
  if (!witnessAlive)
    session.emit({ kind: 'warning', code: 'wall/witness', message: 'The witnesses of the self-test did not answer to the host itself.' })
  exitCode = signals.exitCode ?? end.code
  const noted = net?.then((under) => under.close()) // which may wait for git, beside what follows
  const settled = workspace.close().then(() => view?.close())
  settled.catch(() => undefined) // met below
  if (view !== undefined) await settled // which makes a proposal of what was written
  const places = view?.written ?? writableRoots(policy, project).map((root) => ({ path: root, label: root === project ? '' : root }))
  const looked = written.look({
    places: [...places, { path: homeFolder, label: 'home:' }],
    settled,
    sessionFolder: session.folder,
    rules: policy.secrets,
    secrets,
    context,
    emit: session.emit,
  })
  await settled
  await noted
  uses[Symbol.dispose]()
  if (meter !== undefined) {
    await opened[Symbol.asyncDispose]() // what is under way has to be counted before the end
    await meter.close()
  }
  await looked
  const milliseconds = Math.round(now() - began)
  session.emit({ kind: 'session.ended', end, exitCode, milliseconds })
  const { proposal } = session.record
  return { exitCode, end, session: session.id, folder: session.folder, milliseconds, ...(proposal === undefined ? {} : { proposal }) }
}

/** Nothing runs without prompts where nobody is there to ask whether the wall holds. */
async function askForProof({ context, ...asked }: Omit<ProofAsked, 'context'> & { readonly context: RunContext }): Promise<Standing> {
  const { standing, onEvent: _onEvent, policy: _policy, ...plain } = context
  if (standing === undefined) throw new Failure('prove/unasked')
  return standing({ ...asked, context: plain })
}

/** Much code, wanted by few runs. */
async function openSecretsOf({ secrets }: Policy, context: SourceContext, ask: Ask): Promise<readonly HeldSecret[]> {
  return secrets.length === 0 ? [] : (await import('../secrets/open.ts')).openSecrets(secrets, context, ask)
}
