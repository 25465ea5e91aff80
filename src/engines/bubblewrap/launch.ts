// Starts a compiled cell: spawns the supervisor, hands its listeners out, and follows it to the end.
// Neighbours: compile.ts made the records and inputs; native/cell*.c reads them and reports back over Node's channel.
import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket as DatagramSocket } from 'node:dgram'
import { Server } from 'node:net'
import os from 'node:os'
import type { Writable } from 'node:stream'
import type { BornListener, Cell, CellEnd, Compiled, LaunchOptions } from '../../model/engine.ts'
import type { Cover, Plan } from '../../model/plan.ts'
import { Failure } from '../../errors/failure.ts'
import { makeGroups, removeGroups } from './cgroup.ts'
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

/**
 * Resolves once the command may start (the listeners are adopted); rejects with Failure('engine/start') when the cell could
 * not be made so far. Later troubles are told by `ended`, which never rejects.
 */
export async function launch(plan: Plan, compiled: Compiled, options: LaunchOptions): Promise<Cell> {
  options.signal.throwIfAborted()
  const folders = groupsOf(compiled)
  try {
    makeGroups(folders, plan.limits)
  } catch (error) {
    removeGroups(folders)
    throw new Failure(
      'engine/start',
      { why: `its control group: ${error instanceof Error ? error.message : String(error)}` },
      { cause: error },
    )
  }
  const [file, ...args] = compiled.argv
  if (file === undefined) throw new Failure('engine/bad-plan', { why: 'nothing to start' })
  const { stdin, stdout, stderr } = options.stdio
  const child = spawn(file, args, { cwd: '/', env: compiled.env, stdio: [stdin, stdout, stderr, 'ipc', 'pipe'] })
  const commands = child.stdio[supervisorFd] as Writable | null
  const running = follow(plan, child, commands, folders, options)
  if (commands === null) return running.cell
  commands.on('error', () => undefined) // the supervisor may end first; its end is told by `ended`
  commands.write(startBytes(compiled))
  const born = await running.listeners
  await adopt(born, running.cell, options)
  commands.write(record('go'))
  return running.cell
}

async function adopt(born: readonly BornListener[], cell: Cell, options: LaunchOptions): Promise<void> {
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
  return fields.flatMap((field, index) => (field === 'cgroup' ? [(fields[index + 1] ?? '').replace(/\/cgroup\.procs$/, '')] : []))
}

function follow(plan: Plan, child: ChildProcess, commands: Writable | null, folders: readonly string[], options: LaunchOptions) {
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
        const listener = plan.listeners[message.index]
        if (listener === undefined) return
        const socket = listener.kind === 'udp' ? (handle as DatagramSocket) : serverOn(handle)
        born.push({ listener, socket })
        if (born.length === plan.listeners.length) listeners.resolve(born)
        return
      }
      case 'ready':
        if (plan.listeners.length === 0) listeners.resolve(born)
        return
      case 'started':
        return options.onStarted?.()
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
    options.signal.removeEventListener('abort', onAbort)
    const end = endOf(seen, folders, { code, signal })
    removeGroups(folders)
    for (const waiting of covering.values()) waiting.reject(new Failure('engine/cover', { why: 'the cell has ended' }))
    ended.resolve(end)
    if (child.connected) child.disconnect()
    listeners.reject(new Failure('engine/start', { why: end.message ?? `anchorhold-cell ended with ${signal ?? code}` }))
  }
  listeners.promise.catch(() => undefined) // launch may have returned already
  options.signal.addEventListener('abort', onAbort)
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
  return { cell, listeners: listeners.promise }
}

/** Half-open, because a tunnel's two directions end one after the other. */
function serverOn(handle: unknown): Server {
  return new Server({ allowHalfOpen: true, noDelay: true }).listen(handle)
}
