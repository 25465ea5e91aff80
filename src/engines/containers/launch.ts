// Starts holder and cell through the bridge, hands the holder's listeners out, and follows the cell to its end.
// Neighbours: compile.ts made the command lines; native/bridge*.c runs them and reports back over Node's channel.
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Writable } from 'node:stream'
import { Failure } from '../../errors/failure.ts'
import { writeMadeFiles } from '../../host/made-files.ts'
import { nativePath } from '../../host/paths.ts'
import type { CellEnd, Compiled, EngineFacts, Ground, GroundInput, LaunchOptions } from '../../model/engine.ts'
import type { Limits } from '../../model/policy.ts'
import type { Plan } from '../../model/plan.ts'
import { adopt, follow, record, type Seen } from '../follow.ts'
import { holderFiles, holderWords } from './compile.ts'
import type { Dialect } from './dialect.ts'
import { lookUpFacts, ownFacts } from './facts.ts'
import { removePrivate } from './files.ts'
import { programOf } from './look.ts'
import { reap } from './reap.ts'

/** native/bridge.c */
const commandFd = 4

/** What the bridge says at the end. */
interface Report {
  readonly code: number
  readonly started: boolean
  /** Whether the code is the command's own. */
  readonly whole: boolean
  readonly reason: string
  /** Bytes and milliseconds. */
  readonly maxRss: number
  readonly cpu: number
  readonly oomKills: number
  /** What the holder's command line said. */
  readonly said: string
}

/** Starts the holder, and asks the engine what it can do meanwhile. */
export async function begin(dialect: Dialect, input: GroundInput): Promise<Ground> {
  const { image, folder, stdio } = input
  if (image === undefined) throw new Failure('engine/bad-plan', { why: 'there is no image' })
  const own = ownFacts(dialect)
  writeMadeFiles(holderFiles(own))
  const child = spawn(nativePath('anchorhold-bridge'), ['--bridge'], {
    cwd: folder, // the socket's whole path may be longer than an address can be
    env: {},
    stdio: [stdio.stdin, stdio.stdout, stdio.stderr, 'ipc', 'pipe'],
  })
  const commands = child.stdio[commandFd] as Writable | null
  commands?.on('error', () => undefined) // the bridge may end first; its end is told by `ended`
  let files: Compiled['files'] = []
  let whole = false
  const door = path.join(folder, 'door')
  const running = follow<Report>(child, commands, (seen, exit) => {
    whole = seen.report?.whole === true
    removePrivate(files ?? [])
    rmSync(door, { force: true })
    return endOf(dialect, seen, exit)
  })
  const named = { session: input.session, image: image.id, hostname: 'anchorhold', state: '' }
  commands?.write(
    Buffer.concat([
      record('socket', 'door'),
      ...Object.entries(programOf(dialect).env).map(([name, value]) => record('variable', `${name}=${value}`)),
      ...holderWords(dialect, own, named, door).map((word) => record('holder', word)),
      record('begin'),
    ]),
  )
  let launched = false
  const dispose = async (): Promise<void> => {
    if (launched) running.cell.kill()
    else commands?.end()
    await running.cell.ended
    // A command line that was ended while its container was being made leaves that behind. An engine that is away now is told by the run's own end.
    if (!whole) await reap(dialect, input.session).catch(() => [])
  }
  let facts: EngineFacts
  try {
    facts = await lookUpFacts(dialect, image, stdio)
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    facts,
    async launch(plan, compiled, options) {
      options.signal.throwIfAborted()
      launched = true
      files = compiled.files
      writeMadeFiles(compiled.files ?? [])
      running.start(plan, options)
      commands?.write(startBytes(plan, compiled))
      const born = await running.listeners
      await adopt(born, running.cell, options)
      commands?.write(record('go'))
      return running.cell
    },
    [Symbol.asyncDispose]: dispose,
  }
}

/** The whole launch at once, for a plan that is already there. */
export async function launch(dialect: Dialect, plan: Plan, compiled: Compiled, options: LaunchOptions): ReturnType<Ground['launch']> {
  options.signal.throwIfAborted()
  const { session, limits, image } = plan
  const ground = await begin(dialect, {
    session,
    limits,
    stdio: options.stdio,
    folder: options.folder,
    ...(image === undefined ? {} : { image }),
  })
  try {
    return await ground.launch(plan, compiled, options)
  } catch (error) {
    await ground[Symbol.asyncDispose]()
    throw error
  }
}

function startBytes(plan: Plan, compiled: Compiled): Buffer {
  const time = compiled.limits.find(({ name, enforced }) => name === 'time' && enforced)
  return Buffer.concat([
    ...plan.listeners.map(({ kind, address, port }) => record('listener', kind, address, port)),
    ...(time === undefined ? [] : [record('time', Math.ceil(time.value))]),
    record('terminal', plan.terminal === 'none' ? 0 : (plan.env['TERM'] ?? 'dumb') === 'dumb' ? 1 : 2),
    ...compiled.argv.map((word) => record('argument', word)),
    record('start'),
  ])
}

const limitNames: readonly (keyof Limits)[] = ['memory', 'processes', 'cpus', 'time', 'tmp', 'disk', 'fileSize', 'openFiles']

function endOf(
  { title }: Dialect,
  { failed, preflight, report }: Seen<Report>,
  exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null },
): CellEnd {
  const failure = (message: string, more: Partial<CellEnd> = {}): CellEnd => ({ kind: 'failed', code: 125, message, ...more })
  if (preflight !== undefined) return failure(`a check inside the new cell failed: ${preflight}`, { preflight })
  if (failed !== undefined) return failure(failed)
  if (report === undefined) return failure(`anchorhold-bridge ended with ${exit.signal ?? exit.code}`)
  const said = report.said.trim() === '' ? '' : `: ${report.said.trim()}`
  if (!report.started && report.reason === '') return failure(`${title} ended with code ${report.code} before the command started${said}`)
  if (report.started && !report.whole && report.reason === '')
    return failure(`${title} went away while the command ran${said}`, { lost: true })
  const limit = limitNames.find((name) => name === report.reason) ?? (report.oomKills > 0 && report.code === 137 ? 'memory' : undefined)
  const code = report.started && report.whole ? report.code : 137
  const signal = (Object.entries(os.constants.signals) as [NodeJS.Signals, number][]).find(([, number]) => number === code - 128)?.[0]
  return {
    kind: signal === undefined ? 'exited' : 'signalled',
    code,
    ...(signal === undefined ? {} : { signal }),
    ...(limit === undefined ? {} : { limit }),
    usage: { maxRssBytes: report.maxRss, cpuMilliseconds: report.cpu, oomKills: report.oomKills },
  }
}
