// Policy: `HOST[:PORT]=ADDRESS[:PORT]` becomes routes: a name that is dialled elsewhere. Only the user's own policy and flags have them.
import { isIPv6 } from 'node:net'
import { Failure } from '../errors/failure.ts'
import type { HostRule, Origin, Route } from '../model/policy.ts'
import { classifyAddress } from './addresses.ts'
import { whereOf } from './host-rule.ts'
import { tryWrittenHost } from './host-name.ts'
import { parsePort } from './ports.ts'
import { show } from './show.ts'

/** A flag's text. Throws Failure `policy/bad-route`. */
export function parseRouteFlag(text: string, origin: Origin): readonly Route[] {
  const equals = text.indexOf('=')
  if (equals === -1) throw new Failure('policy/bad-route', { route: show(text), reason: 'it has no =', where: whereOf(origin) })
  return parseRoute(text.slice(0, equals), text.slice(equals + 1), origin)
}

/**
 * One route, or two where HOST has no port (80 and 443). ADDRESS is an IP address or `localhost` (127.0.0.1), so that no second resolution
 * decides; without a port it keeps the host's. `http://ADDRESS[:PORT]` (80): TLS is ended by the gateway, plain HTTP from there.
 */
export function parseRoute(from: string, to: string, origin: Origin): readonly Route[] {
  const refuse = (reason: string): never => {
    throw new Failure('policy/bad-route', { route: show(`${from}=${to}`), reason, where: whereOf(origin) })
  }
  const scheme = to.startsWith('http://') ? 'http' : 'tcp'
  const place = scheme === 'http' ? to.slice('http://'.length) : to
  if (place.includes('//')) return refuse('its target has a scheme that is not known')
  if (place.includes('/')) return refuse('its target has a path; a route leads to an address and port alone')
  const [name = '', portText, ...more] = from.split(':')
  if (more.length > 0) return refuse('what it routes is an address, not a name')
  const host = tryWrittenHost(name)
  if (!host.ok) return refuse(name.includes('*') ? 'a route is for one host, without a star' : host.reason)
  const port =
    portText === undefined ? undefined : (parsePort(portText) ?? refuse(`the port of ${show(name)} is not a number from 1 to 65535`))
  const target = parseTarget(place, refuse)
  const ports = port === undefined ? [80, 443] : [port]
  return ports.map((own) => ({
    host: host.host,
    port: own,
    to: { address: target.address, port: target.port ?? (scheme === 'http' ? 80 : own), scheme },
    origin,
  }))
}

/** The allow that a route implies: exactly its host and port. A deny still beats it. */
export function ruleOfRoute(route: Route): HostRule {
  const reason = `routed to ${isIPv6(route.to.address) ? `[${route.to.address}]` : route.to.address}:${route.to.port}`
  return { effect: 'allow', pattern: { kind: 'host', host: route.host }, ports: [route.port], reason, origin: route.origin }
}

function parseTarget(text: string, refuse: (reason: string) => never): { address: string; port: number | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text)
  const plain = isIPv6(text) ? [text, undefined] : splitOnce(text)
  const [written = '', portText] = bracketed === null ? plain : [bracketed[1], bracketed[2]]
  const address = written === 'localhost' ? '127.0.0.1' : written
  const { kind, label } = classifyAddress(address)
  if (kind === 'invalid' || (bracketed !== null && !isIPv6(address)))
    return refuse('its target is not an IP address; a name would be resolved a second time')
  if (kind === 'unspecified' || kind === 'multicast' || kind === 'broadcast')
    return refuse(`its target is ${label}, which names no machine`)
  const port =
    portText === undefined ? undefined : (parsePort(portText) ?? refuse('the port of its target is not a number from 1 to 65535'))
  return { address, port }
}

function splitOnce(text: string): readonly [string, string | undefined] {
  const colon = text.indexOf(':')
  return colon === -1 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)]
}
