// What every engine with a native supervisor does with it: its messages, the listeners that it hands out, its end. Neighbours: the engines' launch.ts.
import type { ChildProcess } from 'node:child_process'
import type { Socket as DatagramSocket } from 'node:dgram'
import { Server } from 'node:net'
import os from 'node:os'
import type { Writable } from 'node:stream'
import type { BornListener, Cell, CellEnd, StartOptions } from '../model/engine.ts'
import type { Cover, Plan } from '../model/plan.ts'
import { Failure } from '../errors/failure.ts'
import { coverFields } from './fields.ts'

type Message<Report> =
  | { readonly kind: 'listener'; readonly index: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'covered'; readonly id: number; readonly message: string }
  | { readonly kind: 'failed' | 'preflight'; readonly message: string }
  | ({ readonly kind: 'ended' } & Report)

/** Facts of which an end is made. */
export interface Seen<Report> {
  readonly failed?: string
  readonly preflight?: string
  readonly report?: Report
}

export interface Followed {
  readonly cell: Cell
  readonly listeners: Promise<readonly BornListener[]>
  start(plan: Plan, options: StartOptions): void
}

/**
 * The parent's side of a native supervisor's channel (native/common.c), from its start to the cell's end.
 * @param endOf what the facts add up to; called once, after the supervisor is gone
 */
export function follow<Report>(
  child: ChildProcess,
  commands: Writable | null,
  endOf: (seen: Seen<Report>, exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null }) => CellEnd,
): Followed {
  let run: { readonly plan: Plan; readonly options: StartOptions } | undefined
  const born: BornListener[] = []
  const listeners = Promise.withResolvers<readonly BornListener[]>()
  const ended = Promise.withResolvers<CellEnd>()
  const covering = new Map<number, PromiseWithResolvers<void>>()
  const seen: { failed?: string; preflight?: string; report?: Report } = {}
  const send = (...fields: readonly (string | number)[]): void => {
    if (commands?.writable) commands.write(record(...fields))
  }
  const onMessage = (message: Message<Report>, handle: unknown): void => {
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
    const end = endOf(seen, { code, signal })
    for (const waiting of covering.values()) waiting.reject(new Failure('engine/cover', { why: 'the cell has ended' }))
    ended.resolve(end)
    if (child.connected) child.disconnect()
    listeners.reject(new Failure('engine/start', { why: end.message ?? `the supervisor ended with ${signal ?? code}` }))
  }
  listeners.promise.catch(() => undefined) // launch may have returned already
  child.on('message', (message, handle) => onMessage(message as Message<Report>, handle))
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

/** Gives the listeners to the gateway; where it does not take them, the cell ends. */
export async function adopt(born: readonly BornListener[], cell: Cell, options: StartOptions): Promise<void> {
  try {
    await options.onListeners(born)
  } catch (error) {
    cell.kill()
    await cell.ended
    throw error
  }
}

/** NUL-separated fields, as the native programs read them. */
export function record(...fields: readonly (string | number)[]): Buffer {
  return Buffer.from(fields.map((field) => `${field}\0`).join(''))
}
