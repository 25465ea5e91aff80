// Plays the demo: stage, strangers, model and the real agent in a real cell, then the findings. What is reported comes
// from the witnesses, the files and the journal, never from what the agent says of itself.
import { mkdir, open, readFile, symlink } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Installation } from '../agents/installation.ts'
import { engines } from '../engines/list.ts'
import { capture } from '../host/process.ts'
import type { SessionEvent } from '../model/events.ts'
import type { EngineChoice } from '../model/policy.ts'
import type { RunContext } from '../run/context.ts'
import { run } from '../run/run.ts'
import type { Moment, Turn } from '../standin/script.ts'
import { startStandin, type Standin } from '../standin/start.ts'
import { actsFor, strangers, type Act } from './acts.ts'
import { findingsOf, type Finding } from './findings.ts'
import { openScene, type Scene } from './scene.ts'
import { openWitness } from './witness.ts'

export type Step =
  | {
      readonly kind: 'stage'
      readonly root: string
      readonly project: string
      readonly precious: string
      readonly secrets: readonly string[]
    }
  | { readonly kind: 'act'; readonly id: string; readonly disaster: boolean; readonly title: string; readonly command: string }
  | { readonly kind: 'answer'; readonly id: string; readonly disaster: boolean; readonly text: string }
  | { readonly kind: 'wall'; readonly event: SessionEvent }
  | { readonly kind: 'work'; readonly log: readonly string[]; readonly tests: 'pass' | 'fail'; readonly output: string }
  | { readonly kind: 'finding'; readonly finding: Finding }

export interface DemoOptions {
  readonly agent: Installation
  readonly context: Omit<RunContext, 'onEvent' | 'signal'> & Required<Pick<RunContext, 'standing'>>
  /** Leaves the stage on disk. */
  readonly keep: boolean
  /** As `run` takes them; the machine's own choice where absent. */
  readonly engine?: EngineChoice
  readonly image?: string
  readonly onStep: (step: Step) => void
  readonly signal?: AbortSignal
}

export interface DemoResult {
  readonly ok: boolean
  readonly findings: readonly Finding[]
  readonly exitCode: number
  readonly milliseconds: number
  /** Where everything is, with `keep`. */
  readonly root?: string
}

/** The name under which the cell reaches the model; a route leads it to the stand-in. */
const modelHost = 'model.anchorhold.test'
const placeholder = 'sk-ant-placeholder-of-the-anchorhold-demo'

/**
 * Plays it once.
 * @throws Failure for what keeps the cell from starting
 */
export async function playDemo(options: DemoOptions): Promise<DemoResult> {
  const { onStep, keep } = options
  const began = performance.now()
  await using scene = await openScene({ keep })
  await using witness = await openWitness()
  onStep({
    kind: 'stage',
    root: scene.root,
    project: scene.project,
    precious: scene.precious,
    secrets: scene.secrets.map((secret) => secret.path),
  })
  // An image may have none, whatever this machine has.
  const fromImage = engines.some(({ traits }) => traits.name === options.engine && traits.system === 'image')
  const acts = actsFor({ scene, witnessPort: witness.port, curl: !fromImage && existsSync('/usr/bin/curl') })
  const answered = new Map<string, string>()
  await using model = await startStandin({ script: (moment) => turnOf(acts, moment, answered, onStep), apiKey: placeholder })
  const events: SessionEvent[] = []
  const ended = await runAgent(options, scene, model, (event) => {
    events.push(event)
    onStep({ kind: 'wall', event })
  })
  const work = await lookAtWork(options, scene)
  onStep({ kind: 'work', ...work })
  const wiped = await capture(['rm', '-rf', scene.twin])
  const findings = await findingsOf({
    scene,
    events,
    answered,
    hits: witness.hits,
    witnessAlive: await witness.answers(),
    requests: model.requests,
    tests: work.tests,
    commits: work.log,
    controlWiped: wiped.code === 0 && !existsSync(scene.twin),
    agentExit: ended.exitCode,
    strangers: Object.values(strangers),
  })
  for (const finding of findings) onStep({ kind: 'finding', finding })
  const ok = findings.every((finding) => finding.ok)
  return { ok, findings, exitCode: ok ? 0 : 1, milliseconds: Math.round(performance.now() - began), ...(keep ? { root: scene.root } : {}) }
}

function turnOf(acts: readonly Act[], moment: Moment, answered: Map<string, string>, onStep: (step: Step) => void): Turn | undefined {
  const before = acts[moment.turn - 1]
  if (before !== undefined && moment.results.length > 0 && !answered.has(before.id)) {
    const text = moment.results.map((result) => result.text).join('\n')
    answered.set(before.id, text)
    onStep({ kind: 'answer', id: before.id, disaster: before.kind === 'disaster', text })
  }
  const act = acts[moment.turn]
  if (act !== undefined && act.kind !== 'end')
    onStep({ kind: 'act', id: act.id, disaster: act.kind === 'disaster', title: act.title, command: act.shown })
  return act?.turn
}

async function runAgent(
  options: DemoOptions,
  scene: Scene,
  model: Standin,
  onEvent: (event: SessionEvent) => void,
): Promise<{ readonly exitCode: number }> {
  await using output = await open(path.join(scene.root, 'agent.out'), 'w', 0o600)
  const context = await contextFor(options, scene, output.fd)
  const result = await run(
    {
      agent: 'claude',
      args: ['-p', 'The tests fail. Find out why, mend it and commit.'],
      project: scene.project,
      ...cellOf(options),
      mode: 'auto',
      name: 'demo',
      route: [`${modelHost}:80=127.0.0.1:${model.port}`],
      env: [`ANTHROPIC_BASE_URL=http://${modelHost}`, `ANTHROPIC_API_KEY=${placeholder}`],
    },
    { ...context, onEvent },
  )
  return { exitCode: result?.exitCode ?? 125 }
}

/** The tests and the log, looked at in a second, read-only cell: what an agent wrote is not run on the host, not even here. */
async function lookAtWork(
  options: DemoOptions,
  scene: Scene,
): Promise<{ readonly tests: 'pass' | 'fail'; readonly log: readonly string[]; readonly output: string }> {
  const file = path.join(scene.root, 'work.out')
  await using output = await open(file, 'w', 0o600)
  const context = await contextFor(options, scene, output.fd)
  const look = 'sh test.sh; code=$?; echo ---; git log --format=%s; exit $code'
  const result = await run(
    { args: ['sh', '-c', look], project: scene.project, ...cellOf(options), workspace: 'readonly', name: 'demo-look' },
    context,
  )
  const [tests = '', log = ''] = (await readFile(file, 'utf8')).split('---\n')
  return { tests: result?.exitCode === 0 ? 'pass' : 'fail', log: log.split('\n').filter((line) => line !== ''), output: tests.trim() }
}

function cellOf({ engine, image }: DemoOptions): Pick<DemoOptions, 'engine' | 'image'> {
  return { ...(engine === undefined ? {} : { engine }), ...(image === undefined ? {} : { image }) }
}

/** Where a container engine of the caller's is, and npm's set-up, by which an image gets the agent; no cell has them. */
const ofPrograms = /^(?:DOCKER|CONTAINERS?|NPM_CONFIG)_\w+$|^(?:XDG_RUNTIME_DIR|NODE_EXTRA_CA_CERTS|HTTPS?_PROXY|NO_PROXY)$/i

/** The machine of the scene instead of the caller's: its home, no policy of the user's, sessions below the stage. */
async function contextFor({ agent, context, signal }: DemoOptions, scene: Scene, output: number): Promise<Omit<RunContext, 'onEvent'>> {
  const programs = path.join(scene.root, 'programs')
  await mkdir(programs, { recursive: true })
  if (!existsSync(path.join(programs, 'claude'))) await symlink(agent.path, path.join(programs, 'claude'))
  const folder = (name: string): string => path.join(scene.root, 'anchorhold', name)
  const folders = { state: folder('state'), data: folder('data'), config: folder('config') }
  return {
    ...context,
    env: {
      NPM_CONFIG_USERCONFIG: path.join(context.home, '.npmrc'),
      ...Object.fromEntries(Object.entries(context.env).filter(([name]) => ofPrograms.test(name))),
      PATH: `${programs}:${context.env['PATH'] ?? '/usr/bin:/bin'}`,
      HOME: scene.home,
      LANG: 'C.UTF-8',
    },
    home: scene.home,
    cwd: scene.project,
    folders,
    stdio: { stdin: 'ignore', stdout: output, stderr: output },
    ...(signal === undefined ? {} : { signal }),
  }
}
