// Gateway, exchange: the steps that concern a place, in order; each sees what the one before made of the request. serve.ts before, deliver.ts after.
import type { Target } from '../context.ts'
import { BodyError } from '../http/body.ts'
import type { Field, Step, StepChange, StepResult, Watch } from '../steps/step.ts'
import { holdBody, pipeBody, replaceBody, type HeldBody } from './held-body.ts'
import type { CellRequest } from './types.ts'

export type Stepped =
  | { readonly kind: 'pass'; readonly request: CellRequest; readonly watches: readonly Watch[] }
  | Exclude<StepResult, { kind: 'pass' }>
  /** The cell's own body is malformed, or broke off while a step looked at it. */
  | { readonly kind: 'bad-body'; readonly error: BodyError }

/** Never rejects: a step that throws, or makes something that is no HTTP, is a refusal. */
export async function runSteps(steps: readonly Step[], target: Target, safe: boolean, original: CellRequest): Promise<Stepped> {
  const watches: Watch[] = []
  const stepped = await go(steps, target, safe, original, watches)
  if (stepped.kind !== 'pass') endWatches(watches, false)
  return stepped
}

/** Tells the watches that the exchange is over. */
export function endWatches(watches: readonly Watch[], delivered: boolean): void {
  for (const watch of watches) {
    try {
      watch.over?.(delivered)
    } catch {
      continue // one that throws keeps no other from its end
    }
  }
}

async function go(steps: readonly Step[], target: Target, safe: boolean, original: CellRequest, watches: Watch[]): Promise<Stepped> {
  let held = holdBody(original.body)
  let request: CellRequest = { ...original, body: held.source }
  for (const step of steps) {
    const { method, path, fields, websocket } = request
    let result: StepResult
    try {
      result = await step.request({ target, safe, method, path, fields, body: held.view, websocket })
    } catch (error) {
      if (error instanceof BodyError) return { kind: 'bad-body', error }
      return failed(step)
    }
    if (result.kind !== 'pass') return result
    if (result.watch !== undefined) watches.push(result.watch)
    const { change } = result
    if (change === undefined) continue
    if (!isSound(change)) return failed(step)
    held = change.body === undefined ? held : changeBody(change.body, held, change.sameLength === true)
    request = { ...request, path: change.path ?? path, fields: change.fields ?? fields, body: held.source }
  }
  return { kind: 'pass', request, watches }
}

function changeBody(body: NonNullable<StepChange['body']>, { source }: HeldBody, sameLength: boolean): HeldBody {
  return holdBody(body instanceof Uint8Array ? replaceBody(body, source) : pipeBody(body, source, sameLength ? source.length : undefined))
}

function failed(step: Step): Stepped {
  // What was thrown may hold a secret: only the step is named.
  return {
    kind: 'refuse',
    refusal: { code: 'step-failed', reason: `the gateway could not judge this request (${step.name} failed on it)` },
  }
}

function isSound(change: StepChange): boolean {
  if (change.path !== undefined && !/^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/.test(change.path)) return false
  return change.fields === undefined || soundFields(change.fields)
}

const own: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'expect',
  'te',
  'trailer',
])

/** Whether these are fields that cannot break out of their line, nor speak about framing. */
export function soundFields(fields: readonly Field[]): boolean {
  return fields.every(
    ([name, value]) =>
      /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value) && !own.has(name.toLowerCase()),
  )
}
