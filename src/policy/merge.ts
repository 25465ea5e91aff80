// Policy: layers become the effective policy. Flags win, then the project (which only narrows, or was approved), then the user, then built in.
import { createHash } from 'node:crypto'
import type { EnvRule, HostRule, Limits, Origin, Policy } from '../model/policy.ts'
import { isAboutRequests, matches } from './judge.ts'
import { mergeBudgets } from './budget.ts'
import type { Layer, Said } from './layer.ts'
import { limitTable, type LimitName } from './limits.ts'
import { ruleOfRoute } from './route.ts'
import { rulesOfSecrets } from './secret-hosts.ts'

export interface Layers {
  readonly user: Layer
  readonly project: Layer
  readonly flags: Layer
}

export interface Merged {
  readonly policy: Policy
  /** Where each single value comes from: `engine`, `workspace.mode`, `permissions.mode`, `limits.memory`, `permissions.allow[TOOL]`, …; other lists carry their own origins. */
  readonly origins: Readonly<Record<string, Origin>>
}

const builtIn: Origin = { kind: 'built-in', source: 'default' }

/**
 * Pure. `presetRules` and `presetEnv` are the expanded presets of all layers, `found` the credentials of the agent; what a layer says of a variable
 * outweighs them.
 */
export function merge(
  { user, project, flags }: Layers,
  presetRules: readonly HostRule[],
  presetEnv: readonly EnvRule[] = [],
  found: Policy['secrets'] = [],
): Merged {
  const layers = [user, project, flags]
  const last = <T>(pick: (layer: Layer) => Said<T> | undefined, fallback: T): Said<T> =>
    pick(flags) ?? pick(project) ?? pick(user) ?? { value: fallback, origin: builtIn }
  const engine = last((layer) => layer.engine, 'auto' as const)
  const agent = flags.agent ?? project.agent ?? user.agent
  const image = flags.image ?? project.image ?? user.image
  const workspace = last((layer) => layer.workspace, 'live' as const)
  const mode = last((layer) => layer.mode, 'ask' as const)
  const limits = mergeLimits(layers)
  // Routes are the user's and the flags' alone; the loader refuses a project that has one.
  const routes = dedupeRoutes([...flags.routes, ...user.routes])
  const rules = withRoutes([...layers.flatMap((layer) => layer.rules), ...presetRules], routes)
  const secrets = mergeSecrets([{ secrets: found }, ...layers])
  const budget = mergeBudgets(layers.map((layer) => layer.budget))
  const passThrough = layers.flatMap((layer) => layer.passThrough)
  const effective: Omit<Policy, 'digest'> = {
    engine: engine.value,
    agent: agent?.value,
    ...(image === undefined ? {} : { image }),
    workspace: { mode: workspace.value },
    files: {
      mount: mergeMounts(layers),
      hide: layers.flatMap((layer) => layer.hide),
      protect: layers.flatMap((layer) => layer.protect),
      unprotect: layers.flatMap((layer) => layer.unprotect),
    },
    env: mergeEnv(layers, presetEnv),
    network: { rules: [...rules, ...rulesOfSecrets(secrets, rules)], routes, ...(passThrough.length === 0 ? {} : { passThrough }) },
    secrets,
    permissions: { mode: mode.value, allow: mergeTools(user, project) },
    limits: Object.fromEntries(
      Object.entries(limits).flatMap(([name, said]) => (said.value === 'none' ? [] : [[name, said.value]])),
    ) as Limits,
    ...(budget.length === 0 ? {} : { budget }),
  }
  const origins = {
    engine: engine.origin,
    ...(agent === undefined ? {} : { agent: agent.origin }),
    ...(image === undefined ? {} : { image: image.origin }),
    'workspace.mode': workspace.origin,
    'permissions.mode': mode.origin,
    ...Object.fromEntries(Object.entries(limits).map(([name, said]) => [`limits.${name}`, said.origin])),
    ...Object.fromEntries(
      [user, project].flatMap(({ tools = [] }) => tools.map((tool) => [`permissions.allow[${tool.value}]`, tool.origin])),
    ),
  }
  let digest: string | undefined
  // Hashed when somebody asks: loading node:crypto for it would hold up every start.
  const policy = {
    ...effective,
    get digest(): string {
      return (digest ??= digestOf(effective))
    },
  }
  return { policy, origins }
}

/** sha-256 (hex) over JSON with sorted keys: the same policy gives the same digest on every machine. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

function mergeLimits(layers: readonly Layer[]): Record<string, Said<number | 'none'>> {
  const merged: Record<string, Said<number | 'none'>> = {}
  for (const [name, { standard }] of Object.entries(limitTable) as [LimitName, { standard?: number }][]) {
    if (standard !== undefined) merged[name] = { value: standard, origin: builtIn }
  }
  for (const { name, value, origin } of layers.flatMap((layer) => layer.limits)) merged[name] = { value, origin }
  return merged
}

function mergeEnv(layers: readonly Layer[], presets: readonly EnvRule[]): readonly EnvRule[] {
  return [...new Map([...presets, ...layers.flatMap((layer) => layer.env)].map((rule) => [rule.name, rule])).values()]
}

/** By name: the last layer that names a secret binds it. */
function mergeSecrets(layers: readonly Pick<Layer, 'secrets'>[]): Policy['secrets'] {
  return [...new Map(layers.flatMap((layer) => layer.secrets).map((secret) => [secret.name, secret])).values()]
}

function mergeMounts(layers: readonly Layer[]): Policy['files']['mount'] {
  return [...new Map(layers.flatMap((layer) => layer.mount).map((mount) => [mount.path, mount])).values()]
}

/** A project that lists fewer tools than the user narrows; one that lists others was approved, and adds. */
function mergeTools(user: Layer, project: Layer): readonly string[] {
  const own = (user.tools ?? []).map((tool) => tool.value)
  const theirs = project.tools?.map((tool) => tool.value)
  if (theirs === undefined) return own
  return theirs.every((tool) => own.includes(tool)) ? theirs : [...new Set([...own, ...theirs])]
}

/** A route allows its host and port; where another rule speaks of them already, that rule's methods and paths are not lifted by it. */
function withRoutes(rules: readonly HostRule[], routes: Policy['network']['routes']): readonly HostRule[] {
  const named = ({ host, port }: Policy['network']['routes'][number]): boolean =>
    rules.some(
      (rule) =>
        rule.effect === 'allow' &&
        isAboutRequests(rule) &&
        matches(rule.pattern, host) &&
        (rule.ports === 'all' || rule.ports.includes(port)),
    )
  return [...rules, ...routes.filter((route) => !named(route)).map(ruleOfRoute)]
}

/** The first route of a host and port counts: flags come before the file. */
function dedupeRoutes(routes: Policy['network']['routes']): Policy['network']['routes'] {
  return [...new Map(routes.toReversed().map((route) => [`${route.host}:${route.port}`, route])).values()].reverse()
}
