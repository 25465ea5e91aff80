// Plays an apply's operations onto the project, forwards or back, from wherever an earlier try stopped: what is already as it should be is
// passed over, what is neither as before nor as after belongs to the user and stays.
import type { Below } from '../below.ts'
import { NotBelow, codeOf, openBelow } from '../below.ts'
import { pause } from './pause.ts'
import { isState, put, tidy } from './place.ts'
import { together, type ApplyRecord, type Operation, type State } from './record.ts'
import { syncSystems } from '../entries.ts'

export interface Left {
  readonly operation: Operation
  readonly reason: string
}

export interface Performed {
  readonly done: readonly Operation[]
  readonly left: readonly Left[]
}

/** The file system refused a step; what was done until then stays, and is told by looking again. */
export class Stopped extends Error {
  readonly path: string
  constructor({ path }: Operation, cause: unknown) {
    const said = cause instanceof Error ? cause.message : String(cause)
    // Of Node's own words (`EACCES: permission denied, open '…'`) the path is a temporary file's.
    super(codeOf(cause) === undefined ? said : (said.split(', ')[0] ?? said), { cause })
    this.name = 'Stopped'
    this.path = path
  }
}

/** @param signal stops it between two operations. @throws Stopped, the signal's reason */
export async function perform(
  record: ApplyRecord,
  folder: string,
  direction: 'forward' | 'back',
  signal?: AbortSignal,
): Promise<Performed> {
  using opened = new DisposableStack()
  const roots = record.roots.map((root) => opened.use(openBelow(root)))
  const others = record.roots.map((root) => opened.use(openBelow(root)))
  const done: Operation[] = []
  const left: Left[] = []
  const order = direction === 'forward' ? record.operations : record.operations.toReversed()
  // A folder that becomes a file takes two steps at one path: after the second, the first has been done too.
  const last = new Map(order.map((each) => [`${each.root} ${each.path}`, direction === 'forward' ? each.after : each.before]))
  const durable = order.length < together
  for (const operation of order) {
    await pause(signal)
    const below = roots[operation.root]
    const other = others[operation.root]
    if (below === undefined || other === undefined) throw new Error(`no root ${operation.root}`)
    const expected = direction === 'forward' ? operation.before : operation.after
    const target = direction === 'forward' ? operation.after : operation.before
    const reason = one(operation, {
      below,
      other,
      expected,
      target,
      final: last.get(`${operation.root} ${operation.path}`) ?? target,
      folder,
      mark: markOf(record, operation),
      durable,
    })
    const earlier = left.some(({ operation: first }) => first.root === operation.root && first.path === operation.path)
    if (reason === undefined) done.push(operation)
    else if (!earlier) left.push({ operation, reason })
  }
  if (!durable) syncSystems(record.roots)
  return { done, left }
}

function one(
  operation: Operation,
  at: { below: Below; other: Below; expected: State; target: State; final: State; folder: string; mark: string; durable: boolean },
): string | undefined {
  const { below, other, expected, target, final, folder, mark, durable } = at
  const { path } = operation
  try {
    tidy({ below, path, expected, target, mark })
    if (isState(below, path, target) || isState(below, path, final)) return undefined
    if (!isState(below, path, expected)) return 'it was changed meanwhile'
    const { linkTo } = operation
    const linkFrom =
      linkTo === undefined || target.kind !== 'file' ? undefined : () => (isState(other, linkTo, target) ? other.at(linkTo) : undefined)
    const outcome = put({ below, path, expected, target, folder, mark, durable, ...(linkFrom === undefined ? {} : { linkFrom }) })
    if (outcome === 'done') return undefined
    return expected.kind === 'folder' ? 'there is something else in it' : 'it was changed meanwhile'
  } catch (error) {
    if (error instanceof NotBelow) return target.kind === 'absent' ? undefined : error.message
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR')
      return target.kind === 'absent' ? undefined : 'the folder that it lies in is gone or another'
    throw new Stopped(operation, error)
  }
}

/** Beside the target while it is written. */
function markOf(record: ApplyRecord, operation: Operation): string {
  return `.anchorhold-${record.mark}-${operation.number}`
}
