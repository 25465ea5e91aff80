// Starts a compiled cell: spawns the supervisor, gives it the plan, hands its listeners out, and follows it to the end.
// Neighbours: compile.ts made the records and inputs; native/cell*.c reads them and reports back over Node's channel.
import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket as DatagramSocket } from 'node:dgram'
import { Server } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { Writable } from 'node:stream'
import type { BornListener, Cell, CellEnd, Compiled, Ground, LaunchOptions, StartOptions } from '../../model/engine.ts'
import type { Cover, Plan } from '../../model/plan.ts'
import { Failure } from '../../errors/failure.ts'
import { nativePath } from '../../host/paths.ts'
import { makeGroups, joinFile, removeGroups } from './cgroup.ts'
import { endOf, type Report } from './end.ts'
import { coverFields } from './records.ts'
import { supervisorFd } from './places.ts'

type Message =
  | { readonly kind: 'listener'; readonly index: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'covered'; readonly id: number; readonly message: string }
  | { readonly kind: 'failed' | 'preflight'; readonly message: string }
  | ({ readonly kind: 'ended' } & Report)

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
  const running = follow(child, commands, folders)
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

async function adopt(born: readonly BornListener[], cell: Cell, options: StartOptions): Promise<void> {
  try {
    await options.onListeners(born)
  } catch (error) {
    cell.kill()
    await cell.ended
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

function record(...fields: readonly (string | number)[]): Buffer {
  return Buffer.from(fields.map((field) => `${field}\0`).join(''))
}

function groupsOf(compiled: Compiled): readonly string[] {
  const own = compiled.inputs.find((input) => input.fd === supervisorFd)
  const fields = Buffer.from(own?.content ?? '')
    .toString()
    .split('\0')
  return fields.flatMap((field, index) => (field === 'cgroup' ? [path.dirname(fields[index + 1] ?? '')] : []))
}

function follow(child: ChildProcess, commands: Writable | null, folders: readonly string[]) {
  let run: { readonly plan: Plan; readonly options: StartOptions } | undefined
  const born: BornListener[] = []
  const listeners = Promise.withResolvers<readonly BornListener[]>()
  const ended = Promise.withResolvers<CellEnd>()
  const covering = new Map<number, PromiseWithResolvers<void>>()
  const seen: { failed?: string; preflight?: string; report?: Report } = {}
  const send = (...fields: readonly (string | number)[]): void => {
    if (commands?.writable) commands.write(record(...fields))
  }
  const onMessage = (message: Message, handle: unknown): void => {
    switch (message.kind) {
      case 'listener': {
        const listener = run?.plan.listeners[message.index]
        if (listener === undefined) return
        const socket = listener.kind === 'udp' ? (handle as DatagramSocket) : serverOn(handle)
        born.push({ listener, socket })
        if (born.length === run?.plan.listeners.length) listeners.resolve(born)
        return
      }
      case 'ready':
        if (run?.plan.listeners.length === 0) listeners.resolve(born)
        return
      case 'started':
        return run?.options.onStarted?.()
      case 'covered': {
        const waiting = covering.get(message.id)
        covering.delete(message.id)
        if (message.message === '') waiting?.resolve()
        else waiting?.reject(new Failure('engine/cover', { why: message.message }))
        return
      }
      case 'failed':
      case 'preflight':
        seen[message.kind] ??= message.message
        return
      case 'ended':
        seen.report = message
    }
  }
  const kill: Cell['kill'] = (reason) => send('kill', reason ?? 'killed')
  const onAbort = (): void => kill()
  const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
    run?.options.signal.removeEventListener('abort', onAbort)
    const end = endOf(seen, folders, { code, signal })
    removeGroups(folders)
    for (const waiting of covering.values()) waiting.reject(new Failure('engine/cover', { why: 'the cell has ended' }))
    ended.resolve(end)
    if (child.connected) child.disconnect()
    listeners.reject(new Failure('engine/start', { why: end.message ?? `anchorhold-cell ended with ${signal ?? code}` }))
  }
  listeners.promise.catch(() => undefined) // launch may have returned already
  child.on('message', (message, handle) => onMessage(message as Message, handle))
  child.on('error', (error) => {
    seen.failed ??= error.message
    if (child.pid === undefined) finish(125, null)
  })
  child.on('exit', (code, signal) => {
    // Messages still in the channel come before 'disconnect', not before 'exit'.
    if (child.connected) child.once('disconnect', () => finish(code, signal))
    else finish(code, signal)
  })
  let nextCover = 0 // per cell
  const cell: Cell = {
    pid: child.pid ?? 0,
    cover: (cover: Cover) => {
      const waiting = Promise.withResolvers<void>()
      const id = ++nextCover
      covering.set(id, waiting)
      send('cover', id, ...coverFields(cover))
      return waiting.promise
    },
    signal: (signal) => send('signal', os.constants.signals[signal]),
    kill,
    ended: ended.promise,
  }
  const start = (plan: Plan, options: StartOptions): void => {
    run = { plan, options }
    options.signal.addEventListener('abort', onAbort)
  }
  return { cell, listeners: listeners.promise, start }
}

/** Half-open, because a tunnel's two directions end one after the other. */
function serverOn(handle: unknown): Server {
  return new Server({ allowHalfOpen: true, noDelay: true }).listen(handle)
}
