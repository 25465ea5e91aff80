// Gateway, dial: the company's own proxy outside (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY of the caller). Its credentials stay out here.
import { Failure } from '../../errors/failure.ts'
import type { Target } from '../context.ts'
import { authorities } from './authorities.ts'

export interface Parent {
  /** Which requests it is for. */
  readonly use: 'tunnel' | 'request'
  readonly secure: boolean
  readonly host: string
  readonly port: number
  /** Value of Proxy-Authorization; never logged, never sent anywhere else. */
  readonly authorization?: string
  readonly except: readonly Exception[]
  /** PEM texts; with `secure` only. */
  readonly ca?: readonly string[]
}

interface Exception {
  /** '*' for every host; a suffix matches itself and what ends in `.suffix`, as curl reads NO_PROXY. */
  readonly suffix: string
  readonly port?: number
}

type Env = Readonly<Record<string, string | undefined>>

/** Throws Failure `gateway/bad-parent-proxy` where a variable is set and cannot be honoured: going around it would be the worse answer. */
export function readParents(env: Env): readonly Parent[] {
  const except = readExceptions(env['no_proxy'] ?? env['NO_PROXY'] ?? '')
  const parents: Parent[] = []
  for (const [use, names] of [
    ['tunnel', ['https_proxy', 'HTTPS_PROXY']],
    ['request', ['http_proxy', 'HTTP_PROXY']],
  ] as const) {
    const variable = [...names, 'all_proxy', 'ALL_PROXY'].find((name) => (env[name] ?? '') !== '')
    if (variable !== undefined) {
      const where = readUrl(variable, env[variable] ?? '')
      parents.push({ use, except, ...where, ...(where.secure ? { ca: authorities(env) } : {}) })
    }
  }
  return parents
}

/** The proxy for this target, unless NO_PROXY names it. */
export function parentFor(parents: readonly Parent[], target: Target, purpose: Parent['use']): Parent | undefined {
  const parent = parents.find((candidate) => candidate.use === purpose)
  return parent === undefined || parent.except.some((exception) => excepts(exception, target)) ? undefined : parent
}

function readUrl(variable: string, text: string): Pick<Parent, 'secure' | 'host' | 'port' | 'authorization'> {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '')
    throw new Failure('gateway/bad-parent-proxy', { variable })
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const where = { secure, host: url.hostname.replace(/^\[|\]$/g, ''), port }
  if (url.username === '' && url.password === '') return where
  const credentials = `${decodePart(variable, url.username)}:${decodePart(variable, url.password)}`
  return { ...where, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

function decodePart(variable: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new Failure('gateway/bad-parent-proxy', { variable }, { cause })
  }
}

function readExceptions(text: string): readonly Exception[] {
  return text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const [, name = part, port] = /^(.*?)(?::([0-9]+))?$/.exec(part) ?? []
      const suffix = name === '*' ? '*' : name.replace(/^\*?\./, '').replace(/\.$/, '')
      return { suffix, ...(port === undefined ? {} : { port: Number(port) }) }
    })
}

function excepts(exception: Exception, { host, port }: Target): boolean {
  if (exception.port !== undefined && exception.port !== port) return false
  return exception.suffix === '*' || host === exception.suffix || host.endsWith(`.${exception.suffix}`)
}
