// Gateway, steps, inject: which held secrets a place has, and what one request may do with them. Every refusal names the binding and its mend.
import type { HeldSecret, SecretPlace, SecretRule } from '../../../model/secret.ts'
import type { HostRule } from '../../../model/policy.ts'
import { judgeRequest, type RequestVerdict } from '../../../policy/judge-request.ts'
import { isBound, secretHostText } from '../../../policy/secret-hosts.ts'
import { matches, originText } from '../../../policy/judge.ts'
import type { Refusal, Target } from '../../context.ts'
import type { StepRequest, StepResult } from '../step.ts'
import { fieldKey } from './credentials.ts'

export function boundTo(secrets: readonly HeldSecret[], target: Target): readonly HeldSecret[] {
  return secrets.filter(({ rule }) => isBound(rule, target))
}

/** Whether a field of this name (as fieldKey gives it) is the one that a secret names for itself. */
export function isOwnField({ header }: SecretRule, key: string): boolean {
  return header !== undefined && fieldKey(header) === key
}

/** Undefined where this request may have the value of this secret in this place. */
export function refuseUse({ rule }: HeldSecret, place: SecretPlace, request: StepRequest, key = ''): Refusal | undefined {
  const { name, header, methods, paths } = rule
  const binding = `${name} is bound by ${originText(rule.origin)}`
  const { target } = request
  const to = placeText(target)
  if (!request.safe && rule.hosts.some(({ pattern }) => matches(pattern, target.host)))
    return {
      code: 'secret-plain',
      reason: `the secret ${name} never leaves in plain HTTP, where others could read it`,
      remedy: `use https://${target.host}/, or route the host to this machine`,
    }
  if (!isBound(rule, target))
    return {
      code: 'secret-host',
      reason: `the placeholder of the secret ${name} was sent to ${to}; ${binding} to ${rule.hosts.map(secretHostText).join(', ')} only`,
      remedy: rule.hosts.some(({ pattern, port }) => port === 443 && target.port === 80 && matches(pattern, target.host))
        ? `use https://${target.host}/`
        : `if the value is meant for it: anchorhold run --secret ${name}@${target.port === 80 ? target.host : to} …`,
    }
  if (!rule.where.includes(place) || (place === 'header' && header !== undefined && !isOwnField(rule, fieldKey(key))))
    return {
      code: 'secret-place',
      reason: `the placeholder of the secret ${name} stands in ${place === 'header' ? `the field ${key}` : wordsOf[place]}; ${binding} to ${allowedText(rule.where, header)}`,
      remedy: `in your policy, for the secret ${name}: ${place === 'header' && header !== undefined ? `header: ${key}` : `where: [${[...rule.where, place].join(', ')}]`}`,
    }
  if (judgeBinding(rule, request).kind === 'allow') return undefined
  return {
    code: 'secret-request',
    reason: `${binding} to ${[methods?.join(', '), paths?.join(', ')].filter((part) => part !== undefined).join(' at ')}, and this request is another`,
    remedy: `in your policy, for the secret ${name}: name the method and path under methods: and paths:`,
  }
}

/** Whether the methods and paths of a binding let this request pass: like every rule they are held to paths in their one form. */
export function judgeBinding({ methods, paths, origin }: SecretRule, { target, method, path }: StepRequest): RequestVerdict {
  const limit: HostRule = {
    effect: 'allow',
    pattern: { kind: 'host', host: target.host },
    ports: [target.port],
    origin,
    ...(methods === undefined ? {} : { methods }),
    ...(paths === undefined ? {} : { paths }),
  }
  return judgeRequest({ allows: [limit], denies: [] }, method, path)
}

/** A credential that is not the user's own, on its way to a host of the user's. */
export function foreignCredential(bound: readonly HeldSecret[], target: Target, where: string): Refusal {
  const names = bound.map(({ rule }) => rule.name).join(', ')
  return {
    code: 'foreign-credential',
    reason: `${where} of a request to ${placeText(target)} is a credential, and not the placeholder of ${names}; with a key of somebody else, what is sent would be theirs`,
    remedy: `inside, use ${bound.map(({ rule }) => `$${rule.name}`).join(' or ')}; a second key of your own: anchorhold run --secret NAME@${placeText(target)} …; if it is none: pass: [its name] at the secret in your policy`,
  }
}

/** A placeholder in a place where no server looks for a credential: it is never replaced there. */
export function oddPlace({ rule }: HeldSecret, where: string): Refusal {
  return {
    code: 'secret-place',
    reason: `the placeholder of the secret ${rule.name} stands in ${where}, where it is never replaced (${rule.name} is bound by ${originText(rule.origin)} to ${allowedText(rule.where, rule.header)})`,
    remedy: `send it as the whole of a credential, for example: Authorization: Bearer $${rule.name}`,
  }
}

/** What passes in a tunnel is looked at by nobody. */
export function refuseWebSocket(bound: readonly HeldSecret[]): StepResult {
  const names = bound.map(({ rule }) => rule.name).join(', ')
  return {
    kind: 'refuse',
    refusal: {
      code: 'secret-websocket',
      reason: `this host gets the secret ${names}, and what passes in a WebSocket cannot be searched for it, nor for credentials of others`,
      remedy: `in your policy, for the secret ${names}: websocket: true`,
    },
  }
}

const wordsOf = { header: 'a header field', basic: 'Basic authorization', query: 'the query', body: 'the body' }

function allowedText(where: readonly SecretPlace[], header: string | undefined): string {
  return where.map((place) => (place === 'header' && header !== undefined ? `the field ${header}` : wordsOf[place])).join(', ')
}

function placeText({ host, port }: Target): string {
  return port === 443 ? host : `${host}:${port}`
}
