// `run --json`: events as JSON lines on stderr, so that stdout stays the command's own, byte for byte.
// The command's stderr shares that stream and could imitate a line: who can't accept that reads `anchorhold log ID --json`.
import type { SessionEvent } from '../model/events.ts'
import type { SessionState } from '../session/state.ts'
import { jsonLine } from './json-line.ts'
import { plain } from './text.ts'

/** The last line of `run --json`. Lists hold at most 1,000 entries each. */
export interface ResultJson {
  readonly kind: 'result'
  readonly session: string
  readonly folder: string
  readonly exitCode: number
  readonly milliseconds?: number
  readonly end?: { readonly kind: string; readonly signal?: string; readonly limit?: string }
  readonly refused: readonly {
    readonly host: string
    readonly port: number
    readonly code: string
    readonly reason: string
    readonly remedy?: string
    readonly count: number
  }[]
  readonly review?: { readonly proposal: string; readonly changes: number; readonly eyes?: number }
  /** Absent where no request to a model was metered. */
  readonly models?: ModelsJson
  /** Where the budget stands at the end, in each limit's unit. */
  readonly budget?: NonNullable<SessionState['budget']>
  /** What the run wrote, looked through for secrets; absent where it wrote nothing. */
  readonly scan?: Omit<NonNullable<SessionState['scanned']>, 'kind'>
  readonly secrets: readonly { readonly name: string; readonly hosts: readonly string[]; readonly count: number }[]
  readonly quarantined: readonly { readonly path: string; readonly rule: string; readonly restore: string }[]
  readonly held: readonly { readonly path: string; readonly keys: readonly string[] }[]
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
}

/** The names are those of `anchorhold cost --json`. */
export interface ModelsJson {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheWrite5mTokens: number
  readonly cacheWrite1hTokens: number
  readonly cacheReadTokens: number
  readonly totalTokens: number
  readonly webSearches: number
  readonly usd: number
  readonly unpricedTokens: number
  readonly cacheHitRate: number | null
  /** Requests whose usage was not told and had to be estimated. */
  readonly estimatedRequests: number
}

export function modelsJson(models: SessionState['models']): ModelsJson {
  const { requests, input, output, cacheWrite5m, cacheWrite1h, cacheRead, webSearches, usd, unpriced, untold } = models
  const prompt = input + cacheWrite5m + cacheWrite1h + cacheRead
  return {
    requests,
    inputTokens: input,
    outputTokens: output,
    cacheWrite5mTokens: cacheWrite5m,
    cacheWrite1hTokens: cacheWrite1h,
    cacheReadTokens: cacheRead,
    totalTokens: prompt + output,
    webSearches,
    usd: Number(usd.toFixed(10)),
    unpricedTokens: unpriced,
    cacheHitRate: prompt === 0 ? null : Number((cacheRead / prompt).toFixed(6)),
    estimatedRequests: untold,
  }
}

/** `{"time":…,"kind":…,…}` */
export function eventJson(event: SessionEvent, time: Date = new Date()): string {
  return jsonLine({ time: time.toISOString(), ...event })
}

function reviewJson({ proposal, changes, eyes }: NonNullable<SessionState['reviewed']>): NonNullable<ResultJson['review']> {
  return { proposal, changes, ...(eyes === undefined ? {} : { eyes }) }
}

function scanJson({ files, bytes, found, findings, complete }: NonNullable<SessionState['scanned']>): NonNullable<ResultJson['scan']> {
  return { files, bytes, found, findings, complete }
}

/** The final object of a run. */
export function resultJson(input: {
  readonly session: string
  readonly folder: string
  readonly exitCode: number
  readonly state: SessionState
}): ResultJson {
  const { state } = input
  const end = state.end?.end
  return {
    kind: 'result',
    session: input.session,
    folder: input.folder,
    exitCode: input.exitCode,
    ...(state.end === undefined ? {} : { milliseconds: state.end.milliseconds }),
    ...(end === undefined
      ? {}
      : {
          end: {
            kind: end.kind,
            ...(end.signal === undefined ? {} : { signal: end.signal }),
            ...(end.limit === undefined ? {} : { limit: end.limit }),
          },
        }),
    ...(state.reviewed === undefined ? {} : { review: reviewJson(state.reviewed) }),
    ...(state.models.requests === 0 ? {} : { models: modelsJson(state.models) }),
    ...(state.budget === undefined ? {} : { budget: state.budget }),
    ...(state.scanned === undefined ? {} : { scan: scanJson(state.scanned) }),
    refused: [...state.refused.values()],
    secrets: [...state.secrets].map(([name, { count, hosts }]) => ({ name, hosts: [...hosts], count })),
    quarantined: state.quarantined.map(({ path, rule, restore }) => ({ path, rule, restore })),
    held: state.held.map(({ path, keys }) => ({ path, keys })),
    warnings: state.warnings.map(({ code, message }) => ({ code, message: plain(message) })),
  }
}
