// Gateway, steps, inject: what the journal is told of secrets: the first use of each in each place at once, the rest counted and told at the end.
import type { Emit } from '../../../model/events.ts'
import type { SecretPlace } from '../../../model/secret.ts'
import type { Target } from '../../context.ts'

export interface SecretUses extends Disposable {
  /** A value was put into a request. */
  used(name: string, target: Target, place: SecretPlace | 'signature'): void
  /** An answer held a value, which was taken out. */
  echoed(name: string, target: Target): void
  /** Tells what was only counted so far. */
  [Symbol.dispose](): void
}

interface Row {
  readonly name: string
  readonly target: Target
  readonly place: SecretPlace | 'signature'
  untold: number
}

/** A secret for every subdomain could fill the journal with names. */
const mostRows = 1_000

export function countUses(emit: Emit): SecretUses {
  const rows = new Map<string, Row>()
  const told = new Set<string>()
  const tell = ({ name, target, place }: Row, count: number): void =>
    emit({ kind: 'secret.used', name, host: target.host, port: target.port, place, count })
  return {
    used(name, target, place) {
      const key = `${name} ${target.host}:${target.port} ${place}`
      const row = rows.get(key)
      if (row !== undefined) row.untold += 1
      else if (rows.size < mostRows) {
        const fresh: Row = { name, target, place, untold: 0 }
        rows.set(key, fresh)
        tell(fresh, 1)
      }
    },
    echoed(name, target) {
      const key = `${name} ${target.host}:${target.port}`
      if (told.has(key) || told.size >= mostRows) return
      told.add(key)
      emit({ kind: 'secret.echoed', name, host: target.host, port: target.port })
    },
    [Symbol.dispose]() {
      for (const row of rows.values()) {
        if (row.untold > 0) tell(row, row.untold)
        row.untold = 0
      }
    },
  }
}
