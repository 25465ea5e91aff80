// Gateway, upstream: connections to servers, kept for the next request to the same place. Each new one is judged at the dial.
import type { Target } from '../context.ts'
import type { Dialler } from '../dial/dial.ts'
import { makeServerConnection, type ConnectionInput, type ServerConnection } from './connection.ts'
import { UpstreamError } from './error.ts'

/** 'tls': verified, to the target's name. 'plain': as the cell spoke, or where a route of the user leads to plain HTTP. */
export type Scheme = 'plain' | 'tls'

export interface Place {
  readonly target: Target
  readonly scheme: Scheme
  /** The one that Host leaves out: of the scheme that the cell spoke. */
  readonly usualPort: 80 | 443
}

export interface Pool {
  /** A kept connection (at once) or a new one; it is the caller's until its exchange ends. Rejects with UpstreamError. */
  take(place: Place, wish?: Wish): ServerConnection | Promise<ServerConnection>
  /** Closes every connection, kept or at work. */
  destroy(): void
}

const bounds = { perPlace: 256, all: 2_048, keptMilliseconds: 90_000 } as const
/** Of one place. More are kept for a moment only: many requests that come in bursts would else make most connections anew each time. */
const surplus = { above: 64, keptMilliseconds: 10_000 } as const

type Shared = Pick<ConnectionInput, 'buffers' | 'heard' | 'maxHeadBytes'>

interface Shelf {
  readonly kept: { readonly connection: ServerConnection; since: number }[]
  readonly waiting: {
    readonly place: Place
    readonly wish: Wish | undefined
    readonly resolve: (connection: ServerConnection) => void
    readonly reject: (error: UpstreamError) => void
  }[]
  open: number
}

/** 'fresh': not one that was used before. 'upgrade': one that can be handed over as it is (a WebSocket). */
export type Wish = 'fresh' | 'upgrade'

/** One per session: connections are never shared with another cell. */
export function makePool(input: { readonly dialler: Dialler } & Shared): Pool {
  return new SessionPool(input.dialler, input)
}

class SessionPool implements Pool {
  private readonly shelves = new Map<string, Shelf>()
  private readonly all = new Set<ServerConnection>()
  private opening = 0
  private sweeper: NodeJS.Timeout | undefined
  private over = false
  private readonly dialler: Dialler
  private readonly input: Shared

  constructor(dialler: Dialler, input: Shared) {
    this.dialler = dialler
    this.input = input
  }

  take(place: Place, wish?: Wish): ServerConnection | Promise<ServerConnection> {
    const shelf = this.shelf(`${place.scheme} ${place.target.host}:${place.target.port}`)
    const kept = wish === undefined ? lastOpen(shelf) : undefined
    if (kept !== undefined) return kept
    if (this.over) return Promise.reject(new UpstreamError('closing', 'the gateway is closing'))
    if (shelf.open >= bounds.perPlace) return new Promise((resolve, reject) => shelf.waiting.push({ place, wish, resolve, reject }))
    if (this.all.size + this.opening >= bounds.all)
      return Promise.reject(new UpstreamError('too-many-connections', `${bounds.all} connections to servers are open already`))
    return this.open(place, wish, shelf)
  }

  destroy(): void {
    this.over = true
    clearInterval(this.sweeper)
    for (const shelf of this.shelves.values())
      for (const { reject } of shelf.waiting.splice(0)) reject(new UpstreamError('closing', 'the gateway is closing'))
    for (const connection of this.all) connection.destroy()
  }

  private shelf(key: string): Shelf {
    const found = this.shelves.get(key)
    if (found !== undefined) return found
    const made: Shelf = { kept: [], waiting: [], open: 0 }
    this.shelves.set(key, made)
    return made
  }

  private async open({ target, scheme }: Place, wish: Wish | undefined, shelf: Shelf): Promise<ServerConnection> {
    shelf.open += 1
    this.opening += 1
    const plain = scheme === 'plain'
    const made = makeServerConnection({
      ...this.input,
      how: plain ? 'plain' : wish === 'upgrade' ? 'tls-stream' : 'tls',
      onFree: (connection) => this.keep(connection, shelf),
      onClosed: (connection) => this.closed(connection, shelf),
    })
    try {
      const dialled = await (plain
        ? this.dialler.dial(target, 'request', undefined, made.onRead)
        : this.dialler.secure(target, ['http/1.1'], made.onRead))
      if (dialled.kind === 'refused') throw new UpstreamError(dialled.refusal.code, dialled.refusal.reason, dialled.refusal)
      if (dialled.kind === 'failed') throw new UpstreamError(dialled.code, dialled.reason)
      const connection = made.attach(dialled.socket)
      this.all.add(connection)
      if (this.over) connection.destroy()
      return connection
    } catch (error) {
      shelf.open -= 1
      this.next(shelf)
      throw error
    } finally {
      this.opening -= 1
    }
  }

  private keep(connection: ServerConnection, shelf: Shelf): void {
    const next = shelf.waiting.shift()
    if (next !== undefined) return next.resolve(connection)
    if (this.over) return connection.destroy()
    shelf.kept.push({ connection, since: performance.now() })
    this.sweeper ??= setInterval(() => this.sweep(), surplus.keptMilliseconds).unref()
  }

  private closed(connection: ServerConnection, shelf: Shelf): void {
    if (!this.all.delete(connection)) return
    shelf.open -= 1
    const at = shelf.kept.findIndex((row) => row.connection === connection)
    if (at >= 0) shelf.kept.splice(at, 1)
    this.next(shelf)
  }

  /** There is room for one more: whoever waits gets a connection of its own. */
  private next(shelf: Shelf): void {
    const next = this.over ? undefined : shelf.waiting.shift()
    if (next !== undefined) this.open(next.place, next.wish, shelf).then(next.resolve, next.reject)
  }

  private sweep(): void {
    const now = performance.now()
    for (const [key, shelf] of this.shelves) {
      const most = shelf.kept.length - surplus.above
      // The oldest come first.
      const late = shelf.kept.filter(({ since }, at) => now - since > (at < most ? surplus : bounds).keptMilliseconds)
      for (const { connection } of late) connection.destroy()
      if (shelf.open === 0 && shelf.waiting.length === 0) this.shelves.delete(key)
    }
  }
}

/** The one used last: it is the least likely to be closed by now. */
function lastOpen({ kept }: Shelf): ServerConnection | undefined {
  for (let row = kept.pop(); row !== undefined; row = kept.pop()) if (row.connection.open) return row.connection
  return undefined
}
