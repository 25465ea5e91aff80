// Gateway, steps: which steps concern a place. Asked by the door (may bytes pass unread?) and by exchange/ for each request.
import type { Target } from '../context.ts'
import type { Step } from './step.ts'

export interface Concerns {
  /** In the order of the list. */
  steps(target: Target): readonly Step[]
  /** Why what goes there must be read, in words; undefined where nothing asks for it. */
  why(target: Target): string | undefined
}

interface Row {
  readonly steps: readonly Step[]
  readonly why: string | undefined
}

const remembered = 4_096

/** A step's answer is the same for the whole session, so it is asked once for each place. A step that throws concerns the place. */
export function makeConcerns(steps: readonly Step[]): Concerns {
  const rows = new Map<string, Row>()
  const find = (target: Target): Row => {
    if (steps.length === 0) return none
    const key = `${target.host}:${target.port}`
    const known = rows.get(key)
    if (known !== undefined) return known
    const found = steps
      .map((step) => ({ step, why: ask(step, target) }))
      .filter(({ step, why }) => why !== undefined || step.along !== undefined)
    const reasons = found.flatMap(({ why }) => why ?? [])
    const row: Row =
      found.length === 0 ? none : { steps: found.map(({ step }) => step), why: reasons.length === 0 ? undefined : reasons.join('; ') }
    if (rows.size < remembered) rows.set(key, row)
    return row
  }
  return { steps: (target) => find(target).steps, why: (target) => find(target).why }
}

const none: Row = { steps: [], why: undefined }

function ask(step: Step, target: Target): string | undefined {
  try {
    return step.concerns(target)
  } catch {
    return `${step.name} could not say whether it must read it`
  }
}
