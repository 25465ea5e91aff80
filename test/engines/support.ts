// A minimal plan around a scratch project, and a runner that launches it and collects what came out.
import {
  mkdtempSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
  existsSync,
  lstatSync,
  readlinkSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { randomUUID } from 'node:crypto'
import type { BornListener, Cell, CellEnd, Engine, EngineFacts, LaunchOptions } from '../../src/model/engine.ts'
import type { Mount, Plan } from '../../src/model/plan.ts'
import type { Image } from '../../src/model/image.ts'

/** Of engines whose system is an image: what their cells start from (tested.ts). */
export const images: Map<Engine, Image> = new Map()

export interface Scratch extends Disposable {
  /** The project folder, canonical; also the plan's one writable root. */
  readonly project: string
  /** A folder beside it that no cell sees. */
  readonly outside: string
}

export function makeScratch(): Scratch {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'anchorhold-engine-')))
  const project = path.join(folder, 'project')
  const outside = path.join(folder, 'outside')
  for (const each of [project, outside]) mkdirSync(each)
  return { project, outside, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

/** /usr and its links as on the host, private memory folders, the project: what plan/ makes, in small. */
export function makeMounts(project: string): readonly Mount[] {
  const links = ['/bin', '/sbin', '/lib', '/lib64', '/lib32'].filter((link) => existsSync(link))
  return [
    { kind: 'bind', from: '/usr', to: '/usr', mode: 'ro' },
    ...links.map((link): Mount =>
      lstatSync(link).isSymbolicLink()
        ? { kind: 'symlink', target: readlinkSync(link), to: link }
        : { kind: 'bind', from: link, to: link, mode: 'ro' },
    ),
    { kind: 'file', to: '/etc/passwd', content: `agent:x:${identity().uid}:${identity().gid}::/home/agent:/bin/sh\n` },
    { kind: 'file', to: '/etc/resolv.conf', content: 'nameserver 127.0.0.1\n' },
    { kind: 'tmpfs', to: '/tmp', bytes: 64 * 2 ** 20, mode: 0o1777 },
    { kind: 'tmpfs', to: '/run', bytes: 2 ** 20, mode: 0o755 },
    { kind: 'tmpfs', to: '/home/agent', bytes: 2 ** 24, mode: 0o700 },
    { kind: 'bind', from: project, to: project, mode: 'rw' },
  ]
}

function identity(): Plan['identity'] {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  return { uid: uid === 0 ? 1000 : uid, gid: gid === 0 ? 1000 : gid, user: 'agent', home: '/home/agent', hostname: 'anchorhold' }
}

export function makePlan(scratch: Scratch, argv: readonly string[], changes: Partial<Plan> = {}): Plan {
  return {
    session: randomUUID(),
    engine: 'bubblewrap',
    agent: 'command',
    argv,
    cwd: scratch.project,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/home/agent', LANG: 'C.UTF-8' },
    identity: identity(),
    mounts: makeMounts(scratch.project),
    roots: [scratch.project],
    covers: [],
    listeners: [],
    limits: {},
    workspace: 'live',
    permissions: 'auto',
    terminal: 'none',
    preflight: [{ kind: 'unprivileged' }, { kind: 'readable', path: '/usr/bin/env' }],
    ...changes,
  }
}

/** The plan as that engine can be given it: what an image has already is not mounted over it. */
export function planFor(engine: Engine, plan: Plan): Plan {
  const image = images.get(engine)
  if (image === undefined) return plan
  const own = (to: string): boolean => to === '/usr' || /^\/(?:bin|sbin|lib\w*)$/.test(to)
  return { ...plan, engine: engine.traits.name, image, mounts: plan.mounts.filter(({ to }) => !own(to)) }
}

export interface Outcome {
  readonly end: CellEnd
  readonly stdout: string
  readonly stderr: string
}

export interface RunChanges {
  readonly stdin?: string
  readonly signal?: AbortSignal
  /** Facts about the machine that the test pretends. */
  readonly facts?: EngineFacts
  readonly onListeners?: LaunchOptions['onListeners']
  /** Called as soon as the cell is launched. */
  readonly during?: (cell: Cell) => Promise<void> | void
}

/** Launches the plan with files as its streams, waits for the end. */
export async function runPlan(engine: Engine, scratch: Scratch, given: Plan, changes: RunChanges = {}): Promise<Outcome> {
  const plan = planFor(engine, given)
  const place = path.join(scratch.outside, randomUUID())
  writeFileSync(`${place}.in`, changes.stdin ?? '')
  const stdin = openSync(`${place}.in`, 'r')
  const stdout = openSync(`${place}.out`, 'w')
  const stderr = openSync(`${place}.err`, 'w')
  const born: BornListener[] = []
  try {
    const compiled = await engine.compile(plan, { ...(await engine.facts(plan)), ...changes.facts })
    const cell = await engine.launch(plan, compiled, {
      signal: changes.signal ?? new AbortController().signal,
      stdio: { stdin, stdout, stderr },
      folder: scratch.outside,
      onListeners: async (listeners) => {
        born.push(...listeners)
        await changes.onListeners?.(listeners)
      },
    })
    await changes.during?.(cell)
    const end = await cell.ended
    return { end, stdout: readFileSync(`${place}.out`, 'utf8'), stderr: readFileSync(`${place}.err`, 'utf8') }
  } finally {
    for (const { socket } of born) socket.close()
    for (const fd of [stdin, stdout, stderr]) closeSync(fd)
  }
}

/** Runs a shell script in a cell of its own. */
export function runScript(
  engine: Engine,
  scratch: Scratch,
  script: string,
  changes: Partial<Plan> = {},
  run: RunChanges = {},
): Promise<Outcome> {
  return runPlan(engine, scratch, makePlan(scratch, ['/bin/sh', '-c', script], changes), run)
}
