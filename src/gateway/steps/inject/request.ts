// Gateway, steps, inject: one request, read for placeholders and for credentials of others. Gives what to put where, or why it is refused. Pure.
import type { HeldSecret, SecretPlace } from '../../../model/secret.ts'
import { splitTarget } from '../../../policy/request-path.ts'
import { holdsKnownKind } from '../../../secrets/placeholder.ts'
import type { Refusal } from '../../context.ts'
import type { Field, StepRequest } from '../step.ts'
import { foreignCredential, isOwnField, oddPlace, refuseUse } from './bound.ts'
import {
  bareToken,
  fieldKey,
  isCredentialField,
  isCredentialParameter,
  isNoPassword,
  isPlainUser,
  readBasic,
  writeBasic,
} from './credentials.ts'

/** One value to put in; `write` makes the field or parameter from it. */
export interface Insertion {
  readonly secret: HeldSecret
  readonly place: SecretPlace
  readonly at: { readonly kind: 'field'; readonly index: number } | { readonly kind: 'parameter'; readonly index: number }
  readonly write: (value: string) => string
}

export type Reading =
  | { readonly kind: 'ok'; readonly insertions: readonly Insertion[] }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }

/** `bound`: the secrets of this host and port; of `all` only placeholders are looked for. */
export function readRequest(request: StepRequest, bound: readonly HeldSecret[], all: readonly HeldSecret[]): Reading {
  const insertions: Insertion[] = []
  const seen = new Set<string>()
  const { path: pathname, query } = splitTarget(request.path)
  const inPath = holderOf(decoded(pathname), all)
  if (inPath !== undefined) return refuse(refuseUnbound(inPath, request) ?? oddPlace(inPath, 'the path'))
  if (bound.length > 0 && hasForeignParameter(pathname, bound))
    return refuse(foreignCredential(bound, request.target, 'a parameter of the path'))
  for (const [index, field] of request.fields.entries()) {
    const key = fieldKey(field[0])
    if ((isCredentialField(key) && !passes(key, bound)) || bound.some(({ rule }) => isOwnField(rule, key))) {
      if (bound.length > 0 && seen.has(key)) return refuse(foreignCredential(bound, request.target, `a second field ${key}`))
      seen.add(key)
      const found = readField(field, key, request, bound, all)
      if (found === undefined) continue
      if ('code' in found) return refuse(found)
      insertions.push({ ...found, at: { kind: 'field', index } })
      continue
    }
    const holder = holderOf(`${field[0]}: ${field[1]}`, all) ?? holderOf(decoded(field[1]), all)
    if (holder !== undefined) return refuse(refuseUnbound(holder, request) ?? oddPlace(holder, `the field ${key.slice(0, 40)}`))
    // A name that nobody lists may be one that this server reads.
    if (bound.length > 0 && holdsKnownKind(field[1]) && !passes(key, bound))
      return refuse(foreignCredential(bound, request.target, `the field ${key.slice(0, 40)}`))
  }
  for (const [index, parameter] of (query ?? '').split('&').entries()) {
    const found = readParameter(parameter, request, bound, all)
    if (found === undefined) continue
    if ('code' in found) return refuse(found)
    insertions.push({ ...found, at: { kind: 'parameter', index } })
  }
  return { kind: 'ok', insertions }
}

type Found = Omit<Insertion, 'at'>

function readField(
  [name, value]: Field,
  key: string,
  request: StepRequest,
  bound: readonly HeldSecret[],
  all: readonly HeldSecret[],
): Found | Refusal | undefined {
  const { target } = request
  if (value.trim() === '') return undefined // says nothing
  if (/^basic(?: |$)/i.test(value) && key === 'authorization') return readBasicField(value, request, bound, all)
  const token = key === 'cookie' ? /^[^\s=;,]+=([^\s;,]+)$/.exec(value)?.[1] : bareToken(value)
  const secret = all.find(({ placeholder }) => placeholder === token)
  if (secret === undefined || token === undefined) {
    const holder = holderOf(value, all) ?? holderOf(name, all)
    if (holder !== undefined) return refuseUnbound(holder, request) ?? oddPlace(holder, `a part of the field ${key.slice(0, 40)}`)
    return bound.length === 0 ? undefined : foreignCredential(bound, target, `the field ${key.slice(0, 40)}`)
  }
  const refusal = refuseUse(secret, 'header', request, key)
  if (refusal !== undefined) return refusal
  if (key === 'cookie' && secret.rule.header !== 'cookie') return oddPlace(secret, 'a cookie')
  const before = value.slice(0, value.length - token.length)
  return { secret, place: 'header', write: (real) => before + real }
}

function readBasicField(
  value: string,
  request: StepRequest,
  bound: readonly HeldSecret[],
  all: readonly HeldSecret[],
): Found | Refusal | undefined {
  const basic = readBasic(value)
  const secret =
    basic && all.find(({ placeholder }) => basic.password === placeholder || (basic.user === placeholder && isNoPassword(basic.password)))
  if (basic === undefined || secret === undefined) {
    const holder = basic && holderOf(`${basic.user}:${basic.password}`, all)
    if (holder !== undefined) return refuseUnbound(holder, request) ?? oddPlace(holder, 'a part of Basic authorization')
    return bound.length === 0 ? undefined : foreignCredential(bound, request.target, 'Basic authorization')
  }
  const refusal = refuseUse(secret, 'basic', request)
  if (refusal !== undefined) return refusal
  if (basic.user === secret.placeholder)
    return { secret, place: 'basic', write: (real) => writeBasic({ user: real, password: basic.password }) }
  const named = holderOf(basic.user, all)
  if (named !== undefined) return oddPlace(named, 'the user name of Basic authorization')
  if (!isPlainUser(basic.user)) return foreignCredential(bound, request.target, 'the user name of Basic authorization')
  return { secret, place: 'basic', write: (real) => writeBasic({ user: basic.user, password: real }) }
}

function readParameter(
  parameter: string,
  request: StepRequest,
  bound: readonly HeldSecret[],
  all: readonly HeldSecret[],
): Found | Refusal | undefined {
  if (parameter === '') return undefined
  const equals = parameter.indexOf('=')
  const name = formDecoded(equals === -1 ? parameter : parameter.slice(0, equals))
  const value = equals === -1 ? '' : formDecoded(parameter.slice(equals + 1))
  const secret = holderOf(name, all) === undefined ? all.find(({ placeholder }) => placeholder === value) : undefined
  if (secret === undefined) {
    const holder = holderOf(`${name}=${value}`, all) ?? holderOf(decoded(value), all)
    if (holder !== undefined) return refuseUnbound(holder, request) ?? oddPlace(holder, 'a part of the query')
    return bound.length > 0 && isForeign(parameter, bound)
      ? foreignCredential(bound, request.target, 'a parameter of the query')
      : undefined
  }
  const refusal = refuseUse(secret, 'query', request)
  if (refusal !== undefined) return refusal
  return { secret, place: 'query', write: (real) => `${parameter.slice(0, equals + 1)}${encodeURIComponent(real)}` }
}

/** Where a request to a host of these secrets carries a credential of somebody else; for places whose own credential stands in none of these (AWS). */
export function findForeign({ fields, path }: Pick<StepRequest, 'fields' | 'path'>, bound: readonly HeldSecret[]): string | undefined {
  const field = fields.map(([name, value]) => [fieldKey(name), value] as const).find(([key, value]) => carries(key, value, bound))
  if (field !== undefined) return `the field ${field[0].slice(0, 40)}`
  const { path: pathname, query } = splitTarget(path)
  if (hasForeignParameter(pathname, bound)) return 'a parameter of the path'
  const parameters = query?.split('&') ?? []
  return parameters.some((parameter) => isForeign(parameter, bound)) ? 'a parameter of the query' : undefined
}

function carries(key: string, value: string, bound: readonly HeldSecret[]): boolean {
  return value.trim() !== '' && (isCredentialField(key) || holdsKnownKind(value)) && !passes(key, bound)
}

/** Parameters of a path segment (`/x;jsessionid=…`), as servers in Java read them. */
function hasForeignParameter(pathname: string, bound: readonly HeldSecret[]): boolean {
  return (
    pathname.includes(';') &&
    pathname.split('/').some((segment) =>
      segment
        .split(';')
        .slice(1)
        .some((parameter) => isForeign(parameter, bound)),
    )
  )
}

/** Whether a server could take it, or a part of it, for a credential: some end a parameter at `;` as well, some begin the query anew at `?`. */
function isForeign(parameter: string, bound: readonly HeldSecret[]): boolean {
  return parameter.split(/[;?]/).some((part) => {
    const equals = part.indexOf('=')
    const name = fullyDecoded(equals === -1 ? part : part.slice(0, equals))
    const value = equals === -1 ? '' : formDecoded(part.slice(equals + 1))
    return (isCredentialParameter(name, value) || holdsKnownKind(`${name} ${value}`)) && !passes(fieldKey(name), bound)
  })
}

/** Whether the policy lets a field or parameter of this name pass, whosever it is. */
function passes(key: string, bound: readonly HeldSecret[]): boolean {
  return bound.some(({ rule }) => rule.pass?.some((name) => fieldKey(name) === key) === true)
}

/** Why a placeholder has nothing to do at this host, which says more than where it stands. */
function refuseUnbound(secret: HeldSecret, request: StepRequest): Refusal | undefined {
  const refusal = refuseUse(secret, 'header', request, secret.rule.header)
  return refusal?.code === 'secret-host' || refusal?.code === 'secret-plain' ? refusal : undefined
}

function holderOf(text: string, secrets: readonly HeldSecret[]): HeldSecret | undefined {
  return secrets.find(({ placeholder }) => text.includes(placeholder))
}

function formDecoded(text: string): string {
  return decoded(text.replaceAll('+', ' '))
}

/** Some servers decode a second time. */
function fullyDecoded(name: string): string {
  return formDecoded(formDecoded(name))
}

/** Percent escapes taken out, byte by byte; what is no escape stays. */
function decoded(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function refuse(refusal: Refusal): Reading {
  return { kind: 'refuse', refusal }
}
