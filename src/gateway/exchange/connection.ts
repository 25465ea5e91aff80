// Gateway, exchange: what is kept for one connection of the cell whose requests are read, and what the journal learns of it in the end.
import type { Asked, GatewayContext, Refusal, Target } from '../context.ts'
import type { CellConnection, TallyRow } from './types.ts'

export interface CellConnectionInput {
  readonly asked: Asked
  /** Undefined for a proxy's connection. */
  readonly target: Target | undefined
  readonly secure: boolean
  readonly refusal?: Refusal | undefined
}

export function openCellConnection(context: GatewayContext, { asked, target, secure, refusal }: CellConnectionInput): CellConnection {
  const tally = new Map<string, TallyRow>()
  return {
    asked,
    target,
    refusal,
    secure,
    tally,
    close() {
      for (const { asked: place, sent, received, started } of tally.values())
        context.ledger.closed(place, { sent, received, milliseconds: Date.now() - started })
      tally.clear()
    },
  }
}

/** The row of a place; told to the journal when it is reached for the first time over this connection. */
export function reached(context: GatewayContext, { tally }: CellConnection, asked: Asked, rule: string): TallyRow {
  const key = `${asked.host}:${asked.port}`
  const known = tally.get(key)
  if (known !== undefined) return known
  const row: TallyRow = { asked, sent: 0, received: 0, started: Date.now() }
  tally.set(key, row)
  context.ledger.allowed(asked, rule)
  return row
}
