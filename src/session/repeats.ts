// Keeps a talkative (or hostile) cell from filling the disk: repeated network events are counted instead of written.
// Stands in front of journal.ts; no clock, so the same events always give the same lines.
import type { SessionEvent } from '../model/events.ts'

type NetworkEvent = Extract<SessionEvent, { kind: 'network.allowed' | 'network.refused' | 'network.failed' | 'network.closed' }>

/** Events of one kind (of refusals: of one code) to one host and port that are written in full. */
const inFull = 100
/** Different hosts that are told apart; the rest share one count for each kind. */
const toldApart = 2_000

interface Row {
  seen: number
  held: number
  sent: number
  received: number
  /** A line with the count is written when so many were held back; doubles each time. */
  next: number
  readonly of: NetworkEvent['kind']
  readonly host: string
  readonly port: number
  readonly code?: string
}

export interface Repeats {
  /** What is to be written for this event: itself, a count, or nothing. */
  pass(event: SessionEvent): readonly SessionEvent[]
  /** The counts not yet written, at the end. */
  rest(): readonly SessionEvent[]
}

export function openRepeats(): Repeats {
  const rows = new Map<string, Row>()

  const rowOf = (event: NetworkEvent): Row => {
    // A refusal of another kind is news, however many there were before.
    const code = event.kind === 'network.refused' ? { code: event.code } : undefined
    const own = `${event.kind} ${event.host}:${event.port} ${code?.code ?? ''}`
    const key = rows.has(own) || rows.size < toldApart ? own : `${event.kind} *`
    const found = rows.get(key)
    if (found !== undefined) return found
    const shared = key !== own
    const row: Row = {
      seen: 0,
      held: 0,
      sent: 0,
      received: 0,
      next: inFull,
      of: event.kind,
      host: shared ? '(others)' : event.host,
      port: shared ? 0 : event.port,
      ...(shared ? undefined : code),
    }
    rows.set(key, row)
    return row
  }

  return {
    pass: (event) => {
      if (!isNetwork(event)) return [event]
      const row = rowOf(event)
      row.seen += 1
      if (row.seen <= inFull) return [event]
      row.held += 1
      if (event.kind === 'network.closed') {
        row.sent += event.sent
        row.received += event.received
      }
      return row.held >= row.next ? [take(row)] : []
    },
    rest: () => [...rows.values()].filter((row) => row.held > 0).map(take),
  }
}

function take(row: Row): SessionEvent {
  const event = {
    kind: 'network.repeated',
    of: row.of,
    host: row.host,
    port: row.port,
    ...(row.code === undefined ? {} : { code: row.code }),
    count: row.held,
    sent: row.sent,
    received: row.received,
  } as const
  Object.assign(row, { held: 0, sent: 0, received: 0, next: row.next * 2 })
  return event
}

function isNetwork(event: SessionEvent): event is NetworkEvent {
  return (
    event.kind === 'network.allowed' ||
    event.kind === 'network.refused' ||
    event.kind === 'network.failed' ||
    event.kind === 'network.closed'
  )
}
