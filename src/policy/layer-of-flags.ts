// Policy: the flags of one run become a layer. No schema library: flags must not slow a start down.
import { Failure } from '../errors/failure.ts'
import type { EnvRule, HostRule, Origin, Route } from '../model/policy.ts'
import type { RunOptions } from '../model/run-options.ts'
import { amountText, parseBudget } from './budget.ts'
import { parseHostRule } from './host-rule.ts'
import type { Layer, Said } from './layer.ts'
import { parseImage } from './image.ts'
import { limitName, limitTable, parseLimit } from './limits.ts'
import { nearest } from './nearest.ts'
import { parseGlob, parseMount, type HostFolders } from './paths.ts'
import { checkPreset, isPresetWord, type Registry } from './presets.ts'
import { parseRouteFlag } from './route.ts'
import { parseSecretFlag, refuseTwice } from './secret.ts'
import { show } from './show.ts'

/** Throws the Failure of whichever flag can't be read. */
export async function layerOfFlags(options: RunOptions, folders: HostFolders, registries: readonly Registry[]): Promise<Layer> {
  const { presets, rules } = await hosts(options, registries)
  const layer: Layer = {
    ...(options.engine === undefined ? {} : { engine: { value: options.engine, origin: flag(`--engine ${options.engine}`) } }),
    ...(options.agent === undefined ? {} : { agent: { value: options.agent, origin: flag(`run ${options.agent}`) } }),
    ...(options.image === undefined ? {} : { image: parseImage(options.image, flag(`--image ${options.image}`), folders) }),
    ...(options.workspace === undefined
      ? {}
      : { workspace: { value: options.workspace, origin: flag(`--workspace ${options.workspace}`) } }),
    ...(options.mode === undefined ? {} : { mode: { value: options.mode, origin: flag(`--mode ${options.mode}`) } }),
    mount: await Promise.all(
      (options.mount ?? []).map(({ path, mode }) => parseMount(path, mode, flag(`--mount ${path}:${mode}`), folders)),
    ),
    hide: (options.hide ?? []).map((glob) => parseGlob(glob, flag(`--hide ${glob}`))),
    protect: [],
    unprotect: [],
    env: (options.env ?? []).map(envOfFlag),
    presets,
    rules,
    passThrough: [],
    routes: (options.route ?? []).flatMap((text): readonly Route[] => parseRouteFlag(text, flag(`--route ${text}`))),
    secrets: await Promise.all((options.secret ?? []).map((text) => parseSecretFlag(text, flag(`--secret ${text}`)))),
    budget: (options.budget ?? []).map((text) => ({ ...parseBudget(text, '--budget'), origin: flag(`--budget ${text}`) })),
    limits: (options.limit ?? []).map(limitOfFlag),
  }
  refuseContradictions(layer)
  return layer
}

/** One thing said in two ways: whichever of them won, somebody would be surprised by what the wall lets through. */
function refuseContradictions({ budget, env, limits, mount, routes, secrets }: Layer): void {
  refuseTwice(secrets)
  const both = env.find(({ name }) => secrets.some((secret) => secret.name === name))
  if (both !== undefined) throw new Failure('command/contradiction', { one: show(both.origin.source), two: `--secret ${both.name}@…` })
  const sayings = [
    ...env.map(({ name, value, origin }) => ({ about: `env ${name}`, value, origin })),
    ...limits.map(({ name, value, origin }) => ({ about: `limit ${name}`, value, origin })),
    ...budget.map((rule) => ({ about: `budget ${rule.scope} ${rule.unit}`, value: amountText(rule), origin: rule.origin })),
    ...mount.map(({ path, mode, origin }) => ({ about: `mount ${path}`, value: mode, origin })),
    ...routes.map(({ host, port, to, origin }) => ({
      about: `route ${host}:${port}`,
      value: `${to.scheme} ${to.address} ${to.port}`,
      origin,
    })),
  ]
  const first = new Map<string, (typeof sayings)[number]>()
  for (const saying of sayings) {
    const before = first.get(saying.about) ?? saying
    if (before.value !== saying.value) {
      const two = before.origin.source === saying.origin.source ? `a different ${saying.origin.source}` : saying.origin.source
      throw new Failure('command/contradiction', { one: show(before.origin.source), two: show(two) })
    }
    first.set(saying.about, saying)
  }
}

/** Refuses names that no environment has, and values that can't be in one (Failure `policy/bad-env`). */
export function envRule(name: string, value: string | undefined, origin: Origin): EnvRule {
  const refuse = (reason: string): never => {
    throw new Failure('policy/bad-env', { name: show(name), reason, where: show(origin.source, 300) })
  }
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return refuse('a name has letters, digits and _ only')
  if (value?.includes('\0') === true) return refuse('its value has a NUL')
  return { name, ...(value === undefined ? {} : { value }), origin }
}

async function hosts(options: RunOptions, registries: readonly Registry[]): Promise<{ presets: Said<string>[]; rules: HostRule[] }> {
  const presets: Said<string>[] = []
  const rules: HostRule[] = []
  for (const text of options.allow ?? []) {
    const origin = flag(`--allow ${text}`)
    if (isPresetWord(text)) {
      checkPreset(text, origin, registries)
      presets.push({ value: text, origin })
    } else rules.push(await parseHostRule(text, 'allow', origin))
  }
  for (const text of options.deny ?? []) rules.push(await parseHostRule(text, 'deny', flag(`--deny ${text}`)))
  return { presets, rules }
}

function envOfFlag(text: string): EnvRule {
  const equals = text.indexOf('=')
  const name = equals === -1 ? text : text.slice(0, equals)
  // The value is not part of the origin: origins are printed and journalled.
  return envRule(name, equals === -1 ? undefined : text.slice(equals + 1), flag(`--env ${name}`))
}

function limitOfFlag(text: string): Layer['limits'][number] {
  const origin = flag(`--limit ${text}`)
  const equals = text.indexOf('=')
  const written = equals === -1 ? text : text.slice(0, equals)
  const name = limitName(written)
  if (name === undefined || equals === -1) {
    const known = Object.keys(limitTable)
    const meant = name ?? nearest(written, known)
    const hint = meant === undefined ? `There are: ${known.join(', ')}` : `Write --limit ${meant}=VALUE`
    throw new Failure('policy/unknown-limit', { name: show(text), where: show(origin.source), hint })
  }
  return { name, value: parseLimit(name, text.slice(equals + 1), show(origin.source)), origin }
}

function flag(source: string): Origin {
  return { kind: 'flag', source }
}
