// Policy: presets. Services are data here; package managers' registries are derived on this machine by registries/ and handed in by the caller.
import { tryWrittenHost } from './host-name.ts'
import type { Said } from './layer.ts'
import { nearest } from './nearest.ts'
import { servicePresets } from './service-presets.ts'
import { Failure } from '../errors/failure.ts'
import type { EnvRule, HostRule, Origin } from '../model/policy.ts'
import { hostLoopbackName, whereOf } from './host-rule.ts'
import { show } from './show.ts'

/** One host that a package manager would contact, and how that was found out. */
export interface FoundHost {
  readonly host: string
  readonly port: number
  /** In words: "npm config get registry". */
  readonly from: string
}

export interface RegistryContext {
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly hostHome: string
  readonly stateDir: string
  /** Never read, and never a place where a program is looked up. */
  readonly project: string
}

export interface Derived {
  readonly hosts: readonly FoundHost[]
  /** What could not be found out, in words. */
  readonly notes: readonly string[]
  /** Variables with which the manager inside contacts the same registries, where they are not its built-in ones. Never a credential. */
  readonly env?: Readonly<Record<string, string>>
}

/** A derived preset: the registries one package manager is set up for on this machine. One file each in registries/. */
export interface Registry {
  readonly name: string
  /** Throws Failure `policy/manager-missing` or `policy/manager-unclear`. Never reads the project. */
  derive(context: RegistryContext): Promise<Derived>
}

/** `npm-install` and its like: the same registries for reading alone, so that nothing is published or taken back. */
export const installSuffix = '-install'

export interface Expanded {
  readonly rules: readonly HostRule[]
  readonly env: readonly EnvRule[]
  /** What could not become a rule, in words (a registry at an address, for example). */
  readonly notes: readonly string[]
}

/** Whether a word in an allow list is meant as a preset: no dot, no port, no star, and not the one name without a dot that has its own answer. */
export function isPresetWord(text: string): boolean {
  return /^[\w-]+$/.test(text) && text !== 'localhost'
}

/** Refuses a preset that nobody has, with the nearest one (Failure `policy/unknown-preset`). */
export function checkPreset(name: string, origin: Origin, registries: readonly Registry[]): void {
  const known = [
    ...Object.keys(servicePresets),
    ...registries.map((registry) => registry.name).flatMap((each) => [each, `${each}${installSuffix}`]),
  ]
  if (known.includes(name)) return
  const meant = nearest(name, known)
  const hint = meant === undefined ? `There are: ${known.join(', ')}` : `Did you mean "${meant}"?`
  throw new Failure('policy/unknown-preset', { name: show(name), where: whereOf(origin), hint })
}

/** The rules of presets, each preset once, all managers asked at the same time. */
export async function expandPresets(
  said: readonly Said<string>[],
  registries: readonly Registry[],
  context: RegistryContext,
): Promise<Expanded> {
  const names = [...new Set(said.map((preset) => preset.value))]
  const parts = await Promise.all(names.map((name) => expand(name, registries, context)))
  return {
    rules: parts.flatMap((part) => part.rules),
    env: parts.flatMap((part) => part.env),
    notes: parts.flatMap((part) => part.notes),
  }
}

async function expand(name: string, registries: readonly Registry[], context: RegistryContext): Promise<Expanded> {
  const origin: Origin = { kind: 'preset', source: name }
  const service = Object.hasOwn(servicePresets, name) ? servicePresets[name] : undefined
  if (service !== undefined)
    return rulesOf(
      service.map((row) => ({ ...row, ports: [443] })),
      origin,
    )
  const manager = name.endsWith(installSuffix) ? name.slice(0, -installSuffix.length) : name
  const registry = registries.find((candidate) => candidate.name === manager)
  if (registry === undefined) throw new Failure('policy/unknown-preset', { name, where: 'the agent', hint: '' })
  const derived = await registry.derive(context)
  const { rules, notes } = rulesOf(
    derived.hosts.flatMap(({ host, port, from }) => {
      const row = { host, ports: [port], reason: `${manager} is set up for it (${from})` }
      return manager === name ? [row] : readingOnly(manager).map((limits) => ({ ...row, ...limits }))
    }),
    origin,
  )
  return {
    rules: rules.map((rule) => ({ ...rule, mayBePrivate: true })),
    env: Object.entries(derived.env ?? {}).map(([variable, value]) => ({ name: variable, value, origin })),
    notes: [...derived.notes.map((note) => `preset ${name}: ${show(note, 300)}`), ...notes],
  }
}

/** What installing asks of a registry. npm's own clients also send the list of what is installed, to be told of known holes in it. */
function readingOnly(manager: string): readonly Limits[] {
  const reading = { methods: ['GET', 'HEAD'] }
  if (!['npm', 'pnpm', 'yarn'].includes(manager)) return [reading]
  return [
    reading,
    {
      methods: ['POST'],
      paths: ['/**/-/npm/v1/security/advisories/bulk', '/**/-/npm/v1/security/audits', '/**/-/npm/v1/security/audits/quick'],
    },
  ]
}

type Limits = Pick<HostRule, 'methods' | 'paths' | 'graphql'>

function rulesOf(rows: readonly (Limits & { host: string; ports: readonly number[]; reason: string })[], origin: Origin): Expanded {
  const rules: HostRule[] = []
  const notes: string[] = []
  for (const { host, ...row } of rows) {
    const answer = tryWrittenHost(host)
    if (!answer.ok || answer.host === 'localhost') {
      const why = answer.ok ? `inside the cell that is the cell itself; see ${hostLoopbackName}` : answer.reason
      notes.push(`preset ${origin.source}: ${show(host)} is not allowed: ${why}`)
    } else rules.push({ effect: 'allow', pattern: { kind: 'host', host: answer.host }, ...row, origin })
  }
  return { rules, env: [], notes }
}
