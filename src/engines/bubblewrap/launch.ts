// Starts a compiled cell: spawns the supervisor, gives it the plan, hands its listeners out, and follows it to the end.
// Neighbours: compile.ts made the records and inputs; native/cell*.c reads them and reports back over Node's channel.
import { spawn } from 'node:child_process'
import path from 'node:path'
import type { Writable } from 'node:stream'
import type { Cell, Compiled, Ground, LaunchOptions } from '../../model/engine.ts'
import type { Plan } from '../../model/plan.ts'
import { Failure } from '../../errors/failure.ts'
import { nativePath } from '../../host/paths.ts'
import { adopt, follow, record } from '../follow.ts'
import { makeGroups, joinFile, removeGroups } from './cgroup.ts'
import { endOf, type Report } from './end.ts'
import { supervisorFd } from './places.ts'

/** What the engine was asked to make room for, and where that is. */
interface Room {
  readonly limits: Plan['limits']
  readonly folders: readonly string[]
  readonly stdio: LaunchOptions['stdio']
}

/** Makes the control groups and starts the supervisor, which waits in them for its plan. */
export function begin({ limits, folders, stdio }: Room): Omit<Ground, 'facts'> {
  try {
    makeGroups(folders, limits)
  } catch (error) {
    removeGroups(folders)
    throw new Failure(
      'engine/start',
      { why: `its control group: ${error instanceof Error ? error.message : String(error)}` },
      { cause: error },
    )
  }
  const { stdin, stdout, stderr } = stdio
  const child = spawn(nativePath('anchorhold-cell'), ['--supervise'], { cwd: '/', env: {}, stdio: [stdin, stdout, stderr, 'ipc', 'pipe'] })
  const commands = child.stdio[supervisorFd] as Writable | null
  const running = follow<Report>(child, commands, (seen, exit) => {
    const end = endOf(seen, folders, exit)
    removeGroups(folders)
    return end
  })
  commands?.on('error', () => undefined) // the supervisor may end first; its end is told by `ended`
  commands?.write(Buffer.concat([...folders.map((folder) => record('cgroup', joinFile(folder))), record('begin')]))
  let launched = false
  return {
    async launch(plan, compiled, options) {
      options.signal.throwIfAborted()
      if (compiled.argv.length === 0) throw new Failure('engine/bad-plan', { why: 'nothing to start' })
      launched = true
      running.start(plan, options)
      commands?.write(startBytes(compiled))
      const born = await running.listeners
      await adopt(born, running.cell, options)
      commands?.write(record('go'))
      return running.cell
    },
    async [Symbol.asyncDispose]() {
      if (launched) running.cell.kill()
      else commands?.end()
      await running.cell.ended
    },
  }
}

/** The whole launch at once, for a plan that is already there. */
export async function launch(plan: Plan, compiled: Compiled, options: LaunchOptions): Promise<Cell> {
  options.signal.throwIfAborted()
  const ground = begin({ limits: plan.limits, folders: groupsOf(compiled), stdio: options.stdio })
  try {
    return await ground.launch(plan, compiled, options)
  } catch (error) {
    await ground[Symbol.asyncDispose]()
    throw error
  }
}

function startBytes(compiled: Compiled): Buffer {
  const inputs = compiled.inputs.filter((input) => input.fd !== supervisorFd)
  const own = compiled.inputs.filter((input) => input.fd === supervisorFd)
  return Buffer.concat([
    ...compiled.argv.map((word) => record('argument', word)),
    ...inputs.flatMap((input) => [record('input', input.fd, input.content.length), input.content]),
    ...own.map((input) => input.content),
  ])
}

function groupsOf(compiled: Compiled): readonly string[] {
  const own = compiled.inputs.find((input) => input.fd === supervisorFd)
  const fields = Buffer.from(own?.content ?? '')
    .toString()
    .split('\0')
  return fields.flatMap((field, index) => (field === 'cgroup' ? [path.dirname(fields[index + 1] ?? '')] : []))
}
