// Proof: one launch of the clients with their lists: in a cell that `run` makes, or, as the weakened variant, as a process without a wall.
import { chmodSync, copyFileSync, mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { nativePath } from '../host/paths.ts'
import { capture } from '../host/process.ts'
import { clients } from '../model/proof.ts'
import type { EnforcedLimit } from '../model/engine.ts'
import type { Policy } from '../model/policy.ts'
import { makeIdentity } from '../plan/identity.ts'
import type { RunContext } from '../run/context.ts'
import { openHome } from '../run/home.ts'
import { run } from '../run/run.ts'
import { readJournal } from '../session/follow.ts'
import { listFor, readSaid, type Attempt, type Heard } from './attempts.ts'
import { probesFolder } from './catalogue.ts'

export interface Launch {
  /** Below the proof's own root: state, data and output of this launch alone. */
  readonly folder: string
  readonly project: string
  readonly nonce: string
  readonly attempts: readonly Attempt[]
  /** What the control of reading finds. */
  readonly text: string
}

/** Where the clients lie, as they see it themselves. */
export function insideHome(): string {
  return path.posix.join(makeIdentity({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }).home, 'probes')
}

/** The host's folder of the cell's `insideHome()`. */
export function hostSide({ folder, project }: Pick<Launch, 'folder' | 'project'>): string {
  return path.join(openHome(path.join(folder, 'data'), 'command', project), 'probes')
}

/** In a cell as `run` makes it. Throws a Failure where none could be made. */
export async function inCell(launch: Launch, policy: Policy, context: Omit<RunContext, 'onEvent' | 'policy' | 'standing'>): Promise<Heard> {
  const { folder, project, nonce } = launch
  let limits: readonly EnforcedLimit[] = []
  layOut(launch, hostSide(launch))
  const file = path.join(folder, 'output')
  const output = openSync(file, 'a', 0o600)
  try {
    const result = await run(
      { args: ['sh', `${insideHome()}/start.sh`, insideHome(), nonce], project, name: 'prove' },
      {
        ...context,
        cwd: project,
        folders: { ...context.folders, state: path.join(folder, 'state'), data: path.join(folder, 'data') },
        stdio: { stdin: 'ignore', stdout: output, stderr: 'ignore' },
        onEvent: (event) => {
          if (event.kind === 'limits') limits = event.rows
        },
        // A plain command asks nobody anything; `auto` would ask for a proof, which this is.
        policy: { ...policy, permissions: { ...policy.permissions, mode: 'ask' } },
      },
    )
    const heard = readSaid(readFileSync(file, 'utf8'), nonce)
    if (result?.exitCode !== 0 && heard.said.length === 0)
      throw new Failure('prove/cell', { code: result?.exitCode ?? 125, output: readFileSync(file, 'utf8').slice(0, 200) })
    return { ...heard, limits, journal: result === undefined ? [] : [...readJournal(result.folder)] }
  } finally {
    closeSync(output)
  }
}

/** Without any wall, in the project's folder; `before`: what starts the shell (`unshare …`). */
export async function bare(
  launch: Launch,
  env: Readonly<Record<string, string>>,
  before: readonly [string, ...string[]] = ['env'],
  timeoutMilliseconds = 60_000,
): Promise<Heard> {
  const home = hostSide(launch)
  layOut(launch, home)
  const { stdout } = await capture([...before, '/bin/sh', path.join(home, 'start.sh'), home, launch.nonce], {
    cwd: launch.project,
    env,
    timeoutMilliseconds,
  })
  return readSaid(stdout, launch.nonce)
}

function layOut({ attempts, text }: Launch, home: string): void {
  mkdirSync(home, { recursive: true })
  for (const name of ['start.sh', 'attempts.sh', 'attempts.mjs', 'attempts.py'])
    copyFileSync(path.join(probesFolder(), 'inside', name), path.join(home, name))
  const program = path.join(home, 'static')
  copyFileSync(nativePath('anchorhold-probe'), program)
  chmodSync(program, 0o755)
  for (const client of clients) writeFileSync(path.join(home, `list.${client}`), listFor(client, attempts))
  writeFileSync(path.join(home, 'control.txt'), text)
}
