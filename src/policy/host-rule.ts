// Policy: `host[:port]` and `*.host[:port]` as they stand in a file or behind a flag become rules. Asked by the loader and its layers.
import { Failure } from '../errors/failure.ts'
import type { CanonicalHost, HostPattern, HostRule, Origin } from '../model/policy.ts'
import { tryWrittenHost } from './host-name.ts'
import { parsePort } from './ports.ts'
import { show } from './show.ts'

/** The name under which a cell reaches its host's own loopback, where a rule names it with its port. */
export const hostLoopbackName = 'host.anchorhold.internal'

/**
 * Reads one rule. Without a port an allow means 80 and 443, a deny every port. Throws Failure `policy/bad-rule` for anything else, and for an
 * allow whose star covers a public suffix: names below it belong to whoever registers them (publicsuffix.org, private section included).
 */
export async function parseHostRule(text: string, effect: HostRule['effect'], origin: Origin, reason?: string): Promise<HostRule> {
  const refuse = (why: string): never => {
    throw new Failure('policy/bad-rule', { rule: show(text), reason: why, where: whereOf(origin) })
  }
  const { name, port } = splitPort(text, refuse)
  const pattern = parsePattern(name, refuse)
  if (effect === 'allow') {
    if (pattern.kind === 'subdomains') await refuseOpenStar(pattern.suffix, refuse)
    else refuseLoopbackNames(pattern.host, port, refuse)
  }
  const ports = port !== undefined ? [port] : effect === 'allow' ? [80, 443] : 'all'
  return { effect, pattern, ports, ...(reason === undefined ? {} : { reason }), origin }
}

/** Where a rule was written, for messages: ` (FILE:LINE:COLUMN)`, ` (--allow x)`. */
export function whereOf(origin: Origin): string {
  const position = origin.line === undefined ? '' : `:${origin.line}${origin.column === undefined ? '' : `:${origin.column}`}`
  return `${show(origin.source, 300)}${position}`
}

type Refuse = (why: string) => never

function splitPort(text: string, refuse: Refuse): { name: string; port: number | undefined } {
  if (text.includes('://')) return refuse('a rule has no scheme: write the host alone')
  if (text.startsWith('[') || text.split(':').length > 2) return refuse('it is an address; rules are by name')
  if (text.includes('/')) return refuse('a rule has no path and no network mask: write the host alone')
  const colon = text.indexOf(':')
  if (colon === -1) return { name: text, port: undefined }
  const port = parsePort(text.slice(colon + 1))
  return port === undefined ? refuse('its port is not a number from 1 to 65535') : { name: text.slice(0, colon), port }
}

function parsePattern(name: string, refuse: Refuse): HostPattern {
  if (name === '*' || name === '*.') return refuse('a star alone would name every host; name the hosts that are needed')
  const star = name.startsWith('*.')
  const rest = star ? name.slice(2) : name
  if (rest.includes('*')) return refuse('a star stands only in front, as a whole label: *.example.org')
  const answer = tryWrittenHost(rest)
  if (!answer.ok) return refuse(answer.reason)
  return star ? { kind: 'subdomains', suffix: answer.host } : { kind: 'host', host: answer.host }
}

async function refuseOpenStar(suffix: CanonicalHost, refuse: Refuse): Promise<void> {
  if (!suffix.includes('.')) return refuse('a star over a top-level domain would name hosts of strangers; name the hosts that are needed')
  if (suffix === 'anchorhold.internal') return refuse(`it would cover ${hostLoopbackName}, which is named with its port only`)
  const { parse } = await import('tldts')
  const below = parse(`a.${suffix}`, { allowPrivateDomains: true, extractHostname: false })
  const open = below.publicSuffix === suffix || below.publicSuffix === `a.${suffix}`
  if (open) return refuse(`anybody can register names below ${suffix} (public suffix list); name the hosts that are needed`)
}

function refuseLoopbackNames(host: CanonicalHost, port: number | undefined, refuse: Refuse): void {
  if (host === 'localhost' || host.endsWith('.localhost')) {
    refuse(`inside the cell that is the cell itself; for a service of this machine write ${hostLoopbackName}:PORT`)
  }
  if (host === hostLoopbackName && port === undefined) refuse('it needs its port: every service of this machine is named on its own')
}
