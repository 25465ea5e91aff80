// Gateway, steps: secrets. On the way out a placeholder becomes the value, for its hosts and places alone; on the way back values become placeholders.
// A request to such a host that carries somebody else's credential is refused. The parts lie in inject/.
import { Failure } from '../../errors/failure.ts'
import type { HeldSecret } from '../../model/secret.ts'
import { splitTarget } from '../../policy/request-path.ts'
import type { Target } from '../context.ts'
import { boundTo, refuseUse, refuseWebSocket } from './inject/bound.ts'
import { fillBody, type Filled } from './inject/body.ts'
import { fieldKey } from './inject/credentials.ts'
import { watchForEchoes } from './inject/echo.ts'
import type { SecretUses } from './inject/uses.ts'
import { readRequest, type Insertion } from './inject/request.ts'
import type { Field, Step, StepRequest, StepResult } from './step.ts'

/** An AWS key is never put in: it signs (aws.ts). `isRead`: whether requests to a place are read for another reason. */
export function injectStep(
  held: readonly HeldSecret[],
  uses: Pick<SecretUses, 'used' | 'echoed'>,
  isRead: (target: Target) => boolean = () => false,
): Step {
  const secrets = held.filter(({ rule }) => rule.aws === undefined)
  return {
    name: 'secrets',
    concerns(target) {
      const names = boundTo(secrets, target).map(({ rule }) => rule.name)
      if (names.length > 0) return `the secret ${names.join(' and ')} is put in`
      // Read in any case; a placeholder on its way there tells of a mistake, or of an attempt.
      if (secrets.length === 0) return undefined
      if (target.port === 80) return 'no secret leaves in plain HTTP'
      return isRead(target) ? 'a placeholder that goes there is refused' : undefined
    },
    async request(request) {
      const bound = boundTo(secrets, request.target)
      if (request.websocket && bound.length > 0 && !bound.some(({ rule }) => rule.websocket === true)) return refuseWebSocket(bound)
      const reading = readRequest(request, bound, secrets)
      if (reading.kind === 'refuse') return reading
      for (const { secret } of reading.insertions) {
        const refused = await judgeRepository(secret, request)
        if (refused !== undefined) return refused
      }
      return bound.length === 0 ? { kind: 'pass' } : fill(request, bound, reading.insertions, uses)
    },
  }
}

/** A token for git goes into requests of git's own alone: those that its binding allows. */
async function judgeRepository({ rule }: HeldSecret, { method, path, fields, body }: StepRequest): Promise<StepResult | undefined> {
  if (rule.git === undefined) return undefined
  const { judgeGit } = await import('../git/judge.ts')
  const encoding = fields.find(([name]) => name.toLowerCase() === 'content-encoding')?.[1]
  const refused = await judgeGit(rule.git, { method, path, encoding, body })
  if (refused === undefined) return undefined
  const { refusal, answer } = refused
  if (answer === undefined) return { kind: 'refuse', refusal }
  // git shows what a server reports, and nothing of a 403.
  return { kind: 'answer', status: 200, fields: [['content-type', 'application/x-git-receive-pack-result']], body: answer, refusal }
}

async function fill(
  request: StepRequest,
  bound: readonly HeldSecret[],
  insertions: readonly Insertion[],
  uses: Pick<SecretUses, 'used' | 'echoed'>,
): Promise<StepResult> {
  const { target } = request
  const fields = request.fields.map(([name, value]): Field => [name, value])
  const { path: pathname, query } = splitTarget(request.path)
  const parameters = query?.split('&') ?? []
  const inBody = bound.filter((secret) => secret.rule.where.includes('body') && refuseUse(secret, 'body', request) === undefined)
  const fills: Filled[] = []
  try {
    for (const { secret, place, at, write } of insertions) {
      const text = write(await secret.current())
      if (at.kind === 'field') fields[at.index] = [fields[at.index]?.[0] ?? '', text]
      else parameters[at.index] = text
      uses.used(secret.rule.name, target, place)
    }
    if (request.body.length !== 0) for (const secret of inBody) fills.push({ secret, value: await secret.current() })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { kind: 'refuse', status: 502, refusal: { code: 'secret-unavailable', reason: error.message, remedy: error.remedy } }
  }
  const body = await fillBody(request, fills, (secret) => uses.used(secret.rule.name, target, 'body'))
  return {
    kind: 'pass',
    change: {
      path: query === undefined ? pathname : `${pathname}?${parameters.join('&')}`,
      fields: [...fields.filter(([name]) => !isUnsearchable(fieldKey(name), bound)), ['accept-encoding', 'identity']],
      ...(body === undefined ? {} : { body }),
    },
    watch: watchForEchoes(bound, ({ rule }) => uses.echoed(rule.name, target)),
  }
}

/** Ask for an answer in which a value would not stand as it is: compressed, or as the difference to another one (RFC 3229). */
const encoded: ReadonlySet<string> = new Set(['accept-encoding', 'accept-charset', 'a-im'])
/** Ask for parts of an answer, each of which would hold a part of a value (RFC 9110 14.2: a server need not see it); the last two are older and Azure's. */
const parts: ReadonlySet<string> = new Set(['range', 'if-range', 'request-range', 'x-ms-range'])

function isUnsearchable(key: string, bound: readonly HeldSecret[]): boolean {
  return encoded.has(key) || (parts.has(key) && !bound.some(({ rule }) => rule.pass?.includes(key) === true))
}
