// Policy: what a project's policy would widen, compared with what the user allows. A project can only narrow; load.ts asks.
import type { HostRule, Origin } from '../model/policy.ts'
import type { SecretRule } from '../model/secret.ts'
import { amountText } from './budget.ts'
import { ruleText } from './judge.ts'
import { imageText } from './image.ts'
import type { Layer } from './layer.ts'
import { showLimit, standardLimits } from './limits.ts'
import { placesText, sourceText } from './secret.ts'
import { secretHostText } from './secret-hosts.ts'
import { patternContains } from './path-pattern.ts'
import { passText } from './pass-through.ts'
import { show } from './show.ts'
import { isWithin } from '../host/paths.ts'

export interface Widening {
  /** In words: "allows docs.example.org". */
  readonly what: string
  readonly origin: Origin
}

const workspaceOrder = ['readonly', 'review', 'live']
const modeOrder = ['ask', 'allow-listed', 'auto']

/**
 * Every line of `project` that gives more than `user` does. `user` is the user's file, agent presets included; `flags` are this run's.
 * What a flag says wins over the project anyway, so it does not count. Pure.
 */
export function widenings(project: Layer, user: Layer, flags: Layer): readonly Widening[] {
  const found: Widening[] = []
  const add = (what: string, origin: Origin): void => void found.push({ what: show(what, 200), origin })
  const given = {
    presets: [...user.presets, ...flags.presets],
    rules: [...user.rules, ...flags.rules],
    mount: [...user.mount, ...flags.mount],
    env: [...user.env, ...flags.env],
  }

  const { engine, agent, workspace, mode } = project
  if (engine !== undefined && flags.engine === undefined && engine.value !== (user.engine?.value ?? 'auto'))
    add(`chooses the engine ${engine.value}`, engine.origin)
  if (agent !== undefined && flags.agent === undefined && agent.value !== user.agent?.value)
    add(`chooses the agent ${agent.value}`, agent.origin)
  const image = project.image === undefined ? '' : imageText(project.image)
  if (project.image !== undefined && flags.image === undefined && (user.image === undefined || image !== imageText(user.image)))
    add(`chooses the image: ${image}`, project.image.origin)
  if (
    workspace !== undefined &&
    flags.workspace === undefined &&
    higher(workspaceOrder, workspace.value, user.workspace?.value ?? 'live')
  ) {
    add(`makes the workspace ${workspace.value}`, workspace.origin)
  }
  if (mode !== undefined && flags.mode === undefined && higher(modeOrder, mode.value, user.mode?.value ?? 'ask'))
    add(`sets the permission mode ${mode.value}`, mode.origin)
  const tools = (user.tools ?? []).map((tool) => tool.value)
  for (const tool of project.tools ?? []) if (!tools.includes(tool.value)) add(`lets ${tool.value} pass without a question`, tool.origin)

  for (const preset of project.presets)
    if (!given.presets.some(({ value }) => value === preset.value || value === wholeOf(preset.value)))
      add(`allows the preset ${preset.value}`, preset.origin)
  for (const rule of project.rules) if (rule.effect === 'allow' && !covered(rule, given.rules)) add(`allows ${ruleText(rule)}`, rule.origin)
  for (const mount of project.mount) {
    const seen = given.mount.some((own) => isWithin(mount.path, own.path) && (mount.mode === 'ro' || own.mode === 'rw'))
    if (!seen) add(`mounts ${mount.path} (${mount.mode})`, mount.origin)
  }
  for (const rule of project.unprotect)
    if (!user.unprotect.some(({ glob }) => glob === rule.glob)) add(`lifts the protection of ${rule.glob}`, rule.origin)
  for (const rule of project.env) {
    const own = given.env.findLast(({ name }) => name === rule.name) // of several, the last one holds
    if (own === undefined || own.value !== rule.value) add(`sets the variable ${rule.name}`, rule.origin)
  }
  for (const pass of project.passThrough) {
    const own = user.passThrough.some(
      ({ pattern, ports }) =>
        contains(pattern, pass.pattern) && (ports === 'all' || (pass.ports !== 'all' && pass.ports.every((port) => ports.includes(port)))),
    )
    if (!own) add(`lets what passes to ${passText(pass)} go unread`, pass.origin)
  }
  for (const secret of project.secrets) {
    if (flags.secrets.some(({ name }) => name === secret.name)) continue
    const own = user.secrets.find(({ name }) => name === secret.name)
    if (own !== undefined && narrows(secret, own)) continue
    add(
      `binds the secret ${secret.name} (${sourceText(secret.from)}) to ${secret.hosts.map(secretHostText).join(', ')} (${placesText(secret)})`,
      secret.origin,
    )
  }
  for (const limit of project.limits) {
    if (flags.limits.some(({ name }) => name === limit.name)) continue
    const own = user.limits.findLast(({ name }) => name === limit.name)?.value ?? standardLimits[limit.name] ?? 'none'
    if (own === 'none' || (limit.value !== 'none' && limit.value <= own)) continue
    add(`raises the limit ${limit.name} to ${limit.value === 'none' ? 'none' : showLimit(limit.name, limit.value)}`, limit.origin)
  }
  for (const rule of project.budget) {
    const same = (other: typeof rule): boolean => other.scope === rule.scope && other.unit === rule.unit
    if (flags.budget.some(same)) continue
    const own = user.budget.find(same)
    if (own !== undefined && rule.amount > own.amount) add(`raises the budget of a ${rule.scope} to ${amountText(rule)}`, rule.origin)
  }
  return found
}

/** Whether the user's allows already give everything that a rule gives: at each port, with each method, at each path. */
export function covered(rule: HostRule, own: readonly HostRule[]): boolean {
  const allows = own.filter((other) => other.effect === 'allow' && contains(other.pattern, rule.pattern))
  const ports = rule.ports === 'all' ? (['all'] as const) : rule.ports
  return ports.every((port) => {
    const here = allows.filter((other) => other.ports === 'all' || (port !== 'all' && other.ports.includes(port)))
    return (rule.methods ?? [undefined]).every((method) =>
      (rule.paths ?? [undefined]).every((path) => here.some((other) => gives(other, rule, method, path))),
    )
  })
}

/** `method` or `path` undefined: every one. */
function gives(other: HostRule, rule: HostRule, method: string | undefined, path: string | undefined): boolean {
  if (other.graphql !== undefined && rule.graphql === undefined) return false
  if (other.methods !== undefined && (method === undefined || !other.methods.includes(method))) return false
  return other.paths === undefined || (path !== undefined && other.paths.some((pattern) => patternContains(pattern, path)))
}

/** The preset of which this one is the reading part: `npm` of `npm-install`, `github` of `github-read`. */
function wholeOf(preset: string): string {
  return preset.replace(/-(?:install|read)$/, '')
}

/** Whether a project's line for a secret gives no more than the user's own line: the same value, to some of its hosts, places and requests. */
function narrows(secret: SecretRule, own: SecretRule): boolean {
  const within = (some: readonly string[] | undefined, all: readonly string[] | undefined): boolean =>
    all === undefined || (some !== undefined && some.every((each) => all.includes(each)))
  return (
    JSON.stringify(secret.from) === JSON.stringify(own.from) &&
    secret.hosts.every(({ pattern, port }) => own.hosts.some((bound) => bound.port === port && contains(bound.pattern, pattern))) &&
    within(secret.where, own.where) &&
    secret.header === own.header &&
    within(secret.methods, own.methods) &&
    within(secret.paths, own.paths) &&
    (secret.pass ?? []).every((name) => own.pass?.includes(name) === true) &&
    (secret.websocket !== true || own.websocket === true) &&
    (own.git === undefined || JSON.stringify(secret.git) === JSON.stringify(own.git)) &&
    (own.aws === undefined || JSON.stringify(secret.aws) === JSON.stringify(own.aws))
  )
}

/** Whether every name of `inner` is one of `outer`. */
export function contains(outer: HostRule['pattern'], inner: HostRule['pattern']): boolean {
  if (outer.kind === 'host') return inner.kind === 'host' && inner.host === outer.host
  const name = inner.kind === 'host' ? inner.host : inner.suffix
  return name.endsWith(`.${outer.suffix}`) || (inner.kind === 'subdomains' && name === outer.suffix)
}

function higher(order: readonly string[], wanted: string, own: string): boolean {
  return order.indexOf(wanted) > order.indexOf(own)
}
