// Renders whatever ended a command: the one place where an error becomes text. Redacted and made plain here, nowhere else.
import { Failure } from '../errors/failure.ts'
import { redact } from '../session/redact.ts'
import { jsonLine } from './json-line.ts'
import { styleFor, type Style } from './style.ts'
import { plain } from './text.ts'

export interface RenderOptions {
  /** Default: that of standard error. */
  readonly style?: Style
  /** One JSON line, the last of `--json`, instead of text. */
  readonly json?: boolean
  /** Causes and stack traces too. */
  readonly verbose?: boolean
}

/** Text for stderr, line feed at the end included: what happened, where, what to do. */
export function renderFailure(error: unknown, options: RenderOptions = {}): string {
  if (options.json === true) return `${jsonLine({ kind: 'result', exitCode: exitCodeOf(error), ...failureJson(error) })}\n`
  const style = options.style ?? styleFor(process.stderr)
  const { code, message, remedy, place } = facts(error)
  const lines = [`${style.bad('anchorhold:')} ${indent(message)}`]
  if (place !== undefined) lines.push(`  ${style.dim('at')} ${place}`)
  if (remedy !== '') lines.push(`  ${style.good('→')} ${indent(remedy)}`)
  if (options.verbose === true) lines.push(style.dim(`  (${code})`), ...traces(error).map((trace) => style.dim(`  ${indent(trace)}`)))
  return `${lines.join('\n')}\n`
}

/** The same for machines. */
export interface FailureJson {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly remedy: string
    readonly file?: string
    readonly line?: number
    readonly column?: number
  }
}
export function failureJson(error: unknown): FailureJson {
  const { code, message, remedy } = facts(error)
  const given: Failure['facts'] = error instanceof Failure ? error.facts : {}
  return {
    error: {
      code,
      message,
      remedy,
      ...(typeof given['file'] === 'string' ? { file: clean(given['file']) } : {}),
      ...(typeof given['line'] === 'number' ? { line: given['line'] } : {}),
      ...(typeof given['column'] === 'number' ? { column: given['column'] } : {}),
    },
  }
}

/** 125 for what is not a Failure. */
export function exitCodeOf(error: unknown): number {
  return error instanceof Failure ? error.exitCode : 125
}

function facts(error: unknown): { readonly code: string; readonly message: string; readonly remedy: string; readonly place?: string } {
  const failure =
    error instanceof Failure ? error : new Failure('command/internal', { message: error instanceof Error ? error.message : String(error) })
  const { file, line, column } = failure.facts
  const message = clean(failure.message)
  const place = file === undefined ? undefined : clean([file, line, column].filter((part) => part !== undefined).join(':'))
  const told = place === undefined || message.includes(place)
  return { code: failure.code, message, remedy: clean(failure.remedy), ...(told ? {} : { place }) }
}

function traces(error: unknown): readonly string[] {
  const found: string[] = []
  for (let at: unknown = error; at instanceof Error && found.length < 8; at = at.cause) found.push(clean(at.stack ?? at.message))
  return found
}

function clean(text: string): string {
  return plain(redact(text), { lines: true, max: 8192 })
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n    ')
}
