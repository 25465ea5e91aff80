// Gateway, meter: what is known of a model's API. One file per shape, one line each in shapes.ts; the step (steps/meter.ts) knows none of them.
import type { Modifiers, Usage } from '../../usage/tokens.ts'
import type { Field } from '../steps/step.ts'

export type Json = Readonly<Record<string, unknown>>

/** What a request asks for, from its body. */
export interface RequestFacts {
  readonly model: string
  /** The most tokens that it may be answered with; undefined where it sets no bound. */
  readonly maxTokens: number | undefined
  readonly streamed: boolean
  /** Whether it comes from an agent at work: it offers the model tools to call. */
  readonly tools: boolean
  readonly modifiers: Modifiers
  /** The cache is asked to keep what it is sent for an hour. */
  readonly longCache?: boolean
}

/** What an answer tells; each field as soon as it is known. */
export interface Told {
  model?: string
  usage?: Usage
  modifiers?: Modifiers
  /** The last word on usage was heard. */
  complete: boolean
  /** An error in the midst of a stream, by the API's own name. */
  error?: string
}

export interface ModelShape {
  readonly name: string
  /** `path` without its query; only `POST` is asked about. A batch's answers come later: it is counted as it is made. */
  kind(path: string): 'answer' | 'batch' | undefined
  /** Undefined where the body is none that the API takes. For a batch: each of its requests. */
  facts(body: Json, kind: 'answer' | 'batch'): readonly RequestFacts[] | undefined
  /** One event of a stream, or the whole answer; takes what it tells into `told`. */
  read(event: Json, told: Told): void
  /** Whether the text of an event holds the first of an answer. */
  readonly firstToken: RegExp
  /** A request that asks for nothing new but that usage is told; undefined where it will be anyway. */
  ask?(body: Json): Json | undefined
  /** The request with one more text for the model at its end; undefined where there is no place for it. */
  remind(body: Json, text: string): Json | undefined
  /** An error in the API's own words. `busy`: to be tried again. */
  refuse(message: string, busy: boolean): { readonly status: number; readonly fields: readonly Field[]; readonly body: Buffer }
}

export function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
}
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}
/** A number of tokens; what is none counts as 0. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.ceil(value) : 0
}
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
export function bound(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.ceil(value) : undefined
}

/** `x-should-retry`: the official clients obey it. */
export function jsonError(status: number, body: unknown, busy: boolean): ReturnType<ModelShape['refuse']> {
  return {
    status,
    fields: [
      ['content-type', 'application/json'],
      ['cache-control', 'no-store'],
      ['x-should-retry', String(busy)],
      ...(busy ? ([['retry-after', '15']] as const) : []),
    ],
    body: Buffer.from(JSON.stringify(body)),
  }
}
