// Policy check: how hosts are reached: ports, plain HTTP, routes, what is passed through unread.
import type { Origin } from '../../model/policy.ts'
import { classifyAddress } from '../addresses.ts'
import { hostLoopbackName } from '../host-rule.ts'
import { matches } from '../judge.ts'
import { openPlacesOf } from '../open-hosts.ts'
import { openKinds } from '../open-places.ts'
import { passText } from '../pass-through.ts'
import type { CheckRule, Hit, Severity } from './types.ts'
import { nameOf, placeText, writtenAllows } from './written.ts'

/** Ports whose traffic is neither HTTP nor TLS from the start, or says nothing of who it is for. */
const tellingPorts: ReadonlyMap<number, { readonly means: string; readonly severity: Severity; readonly instead?: string }> = new Map([
  [21, { means: 'FTP: files and passwords go unread and in the clear.', severity: 'warning' }],
  [22, { means: 'SSH: what passes there cannot be read, so that a push cannot be told from a fetch.', severity: 'note' }],
  [23, { means: 'telnet: everything goes in the clear.', severity: 'warning' }],
  [25, { means: 'mail goes to anybody.', severity: 'warning' }],
  [53, { means: 'a resolver of its own: every question carries data to whoever owns the domain.', severity: 'warning' }],
  [465, { means: 'mail goes to anybody.', severity: 'warning' }],
  [587, { means: 'mail goes to anybody.', severity: 'warning' }],
  [853, { means: 'a resolver of its own: every question carries data to whoever owns the domain.', severity: 'warning' }],
  [6667, { means: 'chat, where anybody can listen.', severity: 'warning' }],
])

export const hostRules: readonly CheckRule[] = [
  {
    id: 'plain-http',
    severity: 'warning',
    title: 'a host in plain HTTP',
    source: 'attacks.md PRX-16; CWE-319',
    example: {
      has: 'network:\n  allow:\n    - docs.example.org:80 # here\n',
      mended: 'network:\n  allow:\n    - docs.example.org:443\n',
    },
    find: ({ policy }) =>
      writtenAllows(policy).flatMap((rule): readonly Hit[] => {
        const { pattern, ports, origin } = rule
        if (ports === 'all' || ports.length !== 1 || ports[0] !== 80) return []
        const routed = policy.network.routes.some(
          ({ host, port, to }) => port === 80 && matches(pattern, host) && classifyAddress(to.address).kind === 'loopback',
        )
        if (routed || (pattern.kind === 'host' && pattern.host === hostLoopbackName)) return []
        return [
          {
            subject: placeText(rule),
            origin,
            means: 'what passes is read and changed by whoever is on the way, so that the answer need not be from that host.',
            instead: `- ${quoted(`${nameOf(pattern)}:443`)}`,
          },
        ]
      }),
  },
  {
    id: 'also-plain-http',
    severity: 'note',
    title: 'hosts without a port, which are open at port 80 as well',
    source: 'CWE-319',
    example: {
      has: 'network:\n  allow:\n    - docs.example.org # here\n    - api.example.org\n',
      mended: 'network:\n  allow:\n    - docs.example.org:443\n    - api.example.org:443\n',
    },
    find: ({ policy }) => {
      const rules = writtenAllows(policy).filter(({ ports }) => ports !== 'all' && ports.join() === '80,443')
      const [first] = rules
      if (first === undefined) return []
      const others = rules.length - 1
      return [
        {
          subject: `${nameOf(first.pattern)}${others === 0 ? '' : ` and ${others} more`}`,
          origin: first.origin,
          means: 'without a port a host is open at 80 too, in plain HTTP.',
          instead: `- ${quoted(`${nameOf(first.pattern)}:443`)}`,
        },
      ]
    },
  },
  {
    id: 'telling-port',
    severity: 'note',
    title: 'a port whose traffic cannot be judged',
    source: 'attacks.md NET-25; ATT&CK T1048',
    example: {
      has: 'network:\n  allow:\n    - mail.example.org:587 # here\n',
      mended: 'network:\n  allow:\n    - mail.example.org:443\n',
    },
    find: ({ policy }) =>
      writtenAllows(policy).flatMap(({ pattern, ports, origin }) =>
        (ports === 'all' ? [] : ports).flatMap((port): readonly Hit[] => {
          const row = tellingPorts.get(port)
          return row === undefined ? [] : [{ subject: `${nameOf(pattern)}:${port}`, origin, ...row }]
        }),
      ),
  },
  {
    id: 'own-machine',
    severity: 'note',
    title: "a service of the machine's own",
    source: 'attacks.md NET-05, PRX-13',
    example: {
      has: 'network:\n  allow:\n    - host.anchorhold.internal:5432 # here\n',
      mended: 'network:\n  allow:\n    - db.example.org:5432\n',
    },
    find: ({ policy }) =>
      writtenAllows(policy).flatMap((rule): readonly Hit[] =>
        rule.pattern.kind === 'host' && rule.pattern.host === hostLoopbackName
          ? [
              {
                subject: placeText(rule),
                origin: rule.origin,
                means: 'that service takes the agent for a program of yours: what it can do outside, the agent can have done.',
              },
            ]
          : [],
      ),
  },
  {
    id: 'private-route',
    severity: 'warning',
    title: 'a route into a private network',
    source: 'RFC 1918, RFC 6890; attacks.md NET-05; CWE-918',
    example: {
      has: 'network:\n  routes:\n    wiki.example.org:443: 192.168.1.20:443 # here\n',
      mended: 'network:\n  routes:\n    wiki.example.org:443: 127.0.0.1:8443\n',
    },
    find: ({ policy }) =>
      policy.network.routes.flatMap(({ host, port, to, origin }): readonly Hit[] => {
        const { kind, label } = classifyAddress(to.address)
        if (kind === 'public' || kind === 'documentation' || kind === 'loopback') return []
        const metadata = kind === 'metadata' || kind === 'link-local'
        return [
          {
            subject: `${host}:${port} → ${to.address}:${to.port}`,
            origin,
            severity: metadata ? 'error' : 'warning',
            means: metadata
              ? `${label}: machines of a cloud hand out their credentials there.`
              : `${label}: the agent reaches a machine of your own network, which may trust everybody inside it.`,
            ...(metadata ? {} : { instead: `- { host: "${host}:${port}", methods: [GET, HEAD] }` }),
          },
        ]
      }),
  },
  {
    id: 'open-pass-through',
    severity: 'warning',
    title: 'TLS that is not read, to a host where anybody can publish or collect',
    source: 'attacks.md PRX-54; docs/tls.md',
    example: {
      has: 'network:\n  allow:\n    - docs.example.org:443\n  passThrough:\n    - storage.googleapis.com # here\n',
      mended: 'network:\n  allow:\n    - docs.example.org:443\n',
    },
    find: ({ policy: { network } }) =>
      (network.passThrough ?? []).flatMap((pass): readonly Hit[] => {
        const [place] = openPlacesOf(pass.pattern)
        return place === undefined ? [] : [passHit(passText(pass), pass.origin, openKinds[place.kind].means)]
      }),
  },
]

function passHit(subject: string, origin: Origin, means: string): Hit {
  return {
    subject,
    origin,
    means: `${means}, and what passes is not read: no rule about requests, no secret and no other host behind the same address is told apart.`,
  }
}

function quoted(host: string): string {
  return host.startsWith('*') ? `"${host}"` : host
}
