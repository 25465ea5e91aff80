// The end of a run: what it wrote is looked for, and where there is something, looked through for secrets. The scanner's code is loaded only then.
import path from 'node:path'
import { now } from '../host/clock.ts'
import type { Emit } from '../model/events.ts'
import type { HeldSecret, SecretRule } from '../model/secret.ts'
import { changedSince } from './changed-since.ts'
import type { RunContext } from './context.ts'
import type { WrittenPlace } from './scan-written.ts'

/** A look at every file takes a tenth of what the run took, within these bounds (milliseconds). */
const share = { of: 10, least: 5, most: 2_000 }
/** The kernel's clock for files is behind by up to a tick. */
const clockSlack = 20

export interface Written {
  /** After the cell ended. Never rejects: a scan that fails is a warning. */
  look(input: {
    /** What the cell could write, and the real places of it. */
    readonly places: readonly WrittenPlace[]
    /** Resolves once what was planted lies in the quarantine; the rest is looked at before that. */
    readonly settled: Promise<unknown>
    readonly sessionFolder: string
    readonly rules: readonly SecretRule[]
    readonly secrets: readonly HeldSecret[]
    readonly context: RunContext
    readonly emit: Emit
  }): Promise<void>
}

/** To be called right before the cell is started. */
export function watchWritten(): Written {
  const since = Date.now() - clockSlack
  const began = now()
  return {
    async look({ places, settled, sessionFolder, emit, ...input }) {
      try {
        const quarantine = { path: path.join(sessionFolder, 'quarantine'), label: 'quarantine:' }
        const all = [...places, quarantine]
        const milliseconds = Math.min(Math.max((now() - began) / share.of, share.least), share.most)
        const first = await changedSince(
          places.map((place) => place.path),
          since,
          milliseconds,
        )
        const isSettled = await settled.then(
          () => true,
          () => false,
        )
        if (!isSettled) return // what went wrong there is told by others
        const planted = await changedSince([quarantine.path], since, share.least)
        const changed = {
          files: [...first.files, ...planted.files.map((file) => ({ ...file, place: places.length }))],
          complete: first.complete && planted.complete,
        }
        if (changed.files.length === 0 && changed.complete) return
        if (changed.files.length === 0) return emit({ kind: 'secret.scanned', files: 0, bytes: 0, found: 0, findings: [], complete: false })
        const { scanWritten } = await import('./scan-written.ts')
        emit(await scanWritten({ changed, places: all, sessionFolder, ...input }))
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        emit({ kind: 'warning', code: 'secret/scan', message: `What the run wrote could not be looked through for secrets: ${reason}` })
      }
    },
  }
}
