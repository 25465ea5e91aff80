// Policy check: hosts at which strangers can publish, collect or stand themselves.
import { parse } from 'tldts'
import type { HostRule } from '../../model/policy.ts'
import { installSuffix } from '../presets.ts'
import { openPlacesOf } from '../open-hosts.ts'
import { openKinds, type OpenKind } from '../open-places.ts'
import { servicePresets } from '../service-presets.ts'
import type { CheckRule, Hit, Severity } from './types.ts'
import { nameOf, placeText, readsOnly, writtenAllows } from './written.ts'

/** What has hardly a use in the work on a project. */
const worst: ReadonlySet<OpenKind> = new Set(['bin', 'paste', 'tunnel'])
/** Where a reader gives nothing away: what is asked for is seen by the service alone. */
const closedToReaders: ReadonlySet<OpenKind> = new Set(['forge', 'chat', 'webhook', 'paste', 'mail', 'share'])
const readings = Object.keys(servicePresets).filter((name) => name.endsWith('-read'))

export const openRules: readonly CheckRule[] = [
  {
    id: 'open-host',
    severity: 'warning',
    title: 'a host at which anybody can publish or collect',
    source: 'attacks.md PRX-54; ATT&CK T1567, T1102',
    example: {
      has: 'network:\n  allow:\n    - "*.amazonaws.com" # here\n',
      mended: 'network:\n  allow:\n    - my-bucket.example.org\n',
    },
    find: ({ policy }) => writtenAllows(policy).flatMap(openHost),
  },
  {
    id: 'rented-name',
    severity: 'note',
    title: 'a name that is lent to whoever asks for it first',
    source: 'publicsuffix.org, private section; ATT&CK T1584.001',
    example: {
      has: 'network:\n  allow:\n    - someone.github.io # here\n',
      mended: 'network:\n  allow:\n    - { host: someone.github.io, methods: [GET, HEAD] }\n',
    },
    find: ({ policy }) =>
      writtenAllows(policy).flatMap((rule): readonly Hit[] => {
        const host = rule.pattern.kind === 'host' ? rule.pattern.host : rule.pattern.suffix
        const { isPrivate, publicSuffix } = parse(host, { allowPrivateDomains: true, extractHostname: false })
        if (isPrivate !== true || publicSuffix === host || readsOnly(rule) || openPlacesOf(rule.pattern).length > 0) return []
        return [
          {
            subject: nameOf(rule.pattern),
            origin: rule.origin,
            means: `names below ${publicSuffix} go to whoever asks for them; once this one is given up, it is somebody else who receives what is sent.`,
            instead: reading(rule),
          },
        ]
      }),
  },
  {
    id: 'wide-star',
    severity: 'warning',
    title: 'a star over a whole domain',
    source: 'attacks.md PRX-54, CFG-14',
    example: {
      has: 'network:\n  allow:\n    - "*.example.org" # here\n',
      mended: 'network:\n  allow:\n    - docs.example.org\n    - api.example.org\n',
    },
    find: ({ policy }) =>
      writtenAllows(policy).flatMap(({ pattern, ports, origin }): readonly Hit[] => {
        if (pattern.kind !== 'subdomains' || openPlacesOf(pattern).length > 0) return []
        const whole = parse(pattern.suffix, { allowPrivateDomains: true, extractHostname: false }).domain === pattern.suffix
        return [
          {
            subject: placeText({ pattern, ports }),
            origin,
            severity: whole ? 'warning' : 'note',
            means: `every name below ${pattern.suffix} is open, those of guests, forgotten services and names that do not exist yet included; a name that is looked up carries data by itself.`,
            instead: `- NAME.${pattern.suffix}`,
          },
        ]
      }),
  },
  {
    id: 'whole-host',
    severity: 'warning',
    title: 'a host allowed as a whole, for which there is a preset that only reads',
    source: 'docs/rules.md; ATT&CK T1567.001',
    example: {
      has: 'network:\n  allow:\n    - api.github.com # here\n',
      mended: 'network:\n  allow:\n    - github-read\n',
    },
    find: ({ policy }) =>
      writtenAllows(policy).flatMap((rule): readonly Hit[] => {
        const preset = readings.find((name) =>
          (servicePresets[name] ?? []).some(({ host }) => rule.pattern.kind === 'host' && rule.pattern.host === host),
        )
        if (preset === undefined || readsOnly(rule) || rule.paths !== undefined) return []
        return [
          {
            subject: placeText(rule),
            origin: rule.origin,
            means: 'what can be read there can also be changed and published: repositories, issues, comments, gists.',
            instead: `- ${preset}`,
          },
        ]
      }),
  },
  {
    id: 'whole-preset',
    severity: 'warning',
    title: 'a preset that can publish, of which there is one that only reads',
    source: 'docs/rules.md; ATT&CK T1195.002, T1567',
    example: {
      has: 'network:\n  allow:\n    - github # here\n',
      mended: 'network:\n  allow:\n    - github-read\n',
    },
    find: ({ presets = [] }) =>
      presets.flatMap(({ value, origin }): readonly Hit[] => {
        // A preset that nobody wrote is the agent's own.
        if (origin.kind === 'preset' || !Object.hasOwn(servicePresets, `${value}-read`)) return []
        return [
          {
            subject: value,
            origin,
            means: 'whoever has an account can change things there, or publish: repositories, issues, comments, gists.',
            instead: `- ${value}-read`,
          },
        ]
      }),
  },
  {
    id: 'registry-publish',
    severity: 'note',
    title: 'a package registry to which packages can be published',
    source: 'ATT&CK T1195.002; docs/rules.md',
    example: {
      has: 'network:\n  allow:\n    - npm # here\n',
      mended: 'network:\n  allow:\n    - npm-install\n',
    },
    find: ({ presets = [], policy }) => [
      ...presets.flatMap(({ value, origin }): readonly Hit[] => {
        if (origin.kind === 'preset' || Object.hasOwn(servicePresets, value) || value.endsWith(installSuffix)) return []
        return [
          {
            subject: value,
            origin,
            means: 'with a token, packages can be published there and taken back, and not only installed.',
            instead: `- ${value}${installSuffix}`,
          },
        ]
      }),
      ...writtenAllows(policy).flatMap((rule): readonly Hit[] => {
        const named = rule.pattern.kind === 'host' && registryNames.has(rule.pattern.host.split('.')[0] ?? '')
        if (!named || readsOnly(rule)) return []
        return [
          {
            subject: placeText(rule),
            origin: rule.origin,
            means: 'its name is that of a package registry, where packages can be published with a token, and not only installed.',
            instead: reading(rule),
          },
        ]
      }),
    ],
  },
]

const registryNames: ReadonlySet<string> = new Set(['registry', 'npm', 'pypi', 'upload', 'packages', 'crates', 'nexus', 'artifactory'])

/** The same host, for reading alone. */
function reading(rule: HostRule): string {
  return `- { host: "${placeText(rule)}", methods: [GET, HEAD] }`
}

function openHost(rule: HostRule): readonly Hit[] {
  const places = openPlacesOf(rule.pattern)
  const [place] = places.toSorted((a, b) => Number(worst.has(b.kind)) - Number(worst.has(a.kind)))
  if (place === undefined || hasReadingPreset(rule)) return []
  const { kind } = place
  const star = rule.pattern.kind === 'subdomains'
  if (!star && readsOnly(rule) && closedToReaders.has(kind)) return []
  const which = star && place.host !== rule.pattern.suffix ? `it covers ${place.host}: ` : ''
  const severity: Severity = worst.has(kind) ? 'error' : !star && readsOnly(rule) ? 'note' : 'warning'
  const instead = insteadOf(rule, kind)
  return [
    {
      subject: placeText(rule),
      origin: rule.origin,
      severity,
      means: `${which}${openKinds[kind].means}.`,
      ...(instead === undefined ? {} : { instead }),
    },
  ]
}

function hasReadingPreset({ pattern, methods, paths }: HostRule): boolean {
  return (
    pattern.kind === 'host' &&
    paths === undefined &&
    methods === undefined &&
    readings.some((name) => servicePresets[name]?.some(({ host }) => host === pattern.host))
  )
}

/** Nothing to copy where the line had better go. */
function insteadOf(rule: HostRule, kind: OpenKind): string | undefined {
  if (worst.has(kind) || kind === 'dns') return undefined
  if (rule.pattern.kind === 'subdomains') return `- { host: NAME.${rule.pattern.suffix}, methods: [GET, HEAD] }`
  if (kind === 'webhook' || kind === 'chat' || kind === 'mail') return `- { host: ${rule.pattern.host}, paths: ["/YOUR/OWN/PATH"] }`
  return `- { host: ${rule.pattern.host}, methods: [GET, HEAD], paths: ["/YOUR/OWN/**"] }`
}
