// Policy: a parsed policy file becomes a layer; every line keeps its origin. Loaded only where a file is.
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { EnvRule, FileMount, HostRule, Origin, PathRule } from '../model/policy.ts'
import { budgetOfFile } from './budget.ts'
import { parseHostEntry, type RequestsEntry } from './host-entry.ts'
import type { Layer, Said } from './layer.ts'
import { envRule } from './layer-of-flags.ts'
import { parseImage } from './image.ts'
import { limitName, parseLimit } from './limits.ts'
import { parseGlob, parseMount, type HostFolders } from './paths.ts'
import { parsePassThrough } from './pass-through.ts'
import { checkPreset, isPresetWord, type Registry } from './presets.ts'
import { parseRoute } from './route.ts'
import { parseSecret, refuseSecret, refuseTwice } from './secret.ts'
import type { HostEntry, HostMap } from './schema.ts'
import { show } from './show.ts'
import { parsePolicy, type ParsedPolicy } from './yaml.ts'
import { isWithin } from '../host/paths.ts'

export interface FileSource {
  readonly kind: 'user' | 'project'
  readonly file: string
  readonly bytes: Uint8Array
}

/** Throws the Failure of the first line that can't be read, with its place. */
export async function layerOfFile(source: FileSource, folders: HostFolders, registries: readonly Registry[]): Promise<Layer> {
  const parsed = parsePolicy(source.bytes, source.file)
  const { tree } = parsed
  const from = (...steps: readonly (string | number)[]): Origin => ({ kind: source.kind, source: source.file, ...parsed.at(steps) })
  const said = <T>(value: T, ...steps: readonly string[]): Said<T> => ({ value, origin: from(...steps) })
  const globs = (list: 'hide' | 'protect' | 'unprotect'): readonly PathRule[] =>
    (tree.files?.[list] ?? []).map((glob, index) => parseGlob(glob, from('files', list, index)))
  const { presets, rules } = await hosts(parsed, from, registries)
  return {
    ...(tree.engine === undefined ? {} : { engine: said(tree.engine, 'engine') }),
    ...(tree.agent === undefined ? {} : { agent: said(tree.agent, 'agent') }),
    ...(tree.image === undefined ? {} : { image: parseImage(tree.image, from('image'), folders) }),
    ...(tree.workspace?.mode === undefined ? {} : { workspace: said(tree.workspace.mode, 'workspace', 'mode') }),
    ...(tree.permissions?.mode === undefined ? {} : { mode: said(tree.permissions.mode, 'permissions', 'mode') }),
    ...(tree.permissions?.allow === undefined
      ? {}
      : { tools: tree.permissions.allow.map((tool, index) => ({ value: tool, origin: from('permissions', 'allow', index) })) }),
    mount: await mounts(source, parsed, from, folders),
    hide: globs('hide'),
    protect: globs('protect'),
    unprotect: globs('unprotect'),
    env: environment(parsed, from),
    presets,
    rules,
    routes: Object.entries(tree.network?.routes ?? {}).flatMap(([host, to]) => parseRoute(host, to, from('network', 'routes', host))),
    passThrough: await Promise.all(
      (tree.network?.passThrough ?? []).map((text, index) => parsePassThrough(text, from('network', 'passThrough', index))),
    ),
    secrets: await secrets(parsed, from, folders),
    budget: budgetOfFile(tree.budget, from),
    limits: limits(parsed, from),
  }
}

type From = (...steps: readonly (string | number)[]) => Origin

async function hosts(
  { tree }: ParsedPolicy,
  from: From,
  registries: readonly Registry[],
): Promise<{ presets: Said<string>[]; rules: HostRule[] }> {
  const presets: Said<string>[] = []
  const rules: HostRule[] = []
  for (const effect of ['allow', 'deny'] as const) {
    for (const [index, written] of (tree.network?.[effect] ?? []).entries()) {
      const origin = from('network', effect, index)
      if (effect === 'allow' && typeof written === 'string' && isPresetWord(written)) {
        checkPreset(written, origin, registries)
        presets.push({ value: written, origin })
      } else {
        for (const [host, entry] of entriesOf(written)) rules.push(...(await parseHostEntry(host, entry, effect, origin)))
      }
    }
  }
  return { presets, rules }
}

async function secrets({ tree }: ParsedPolicy, from: From, folders: HostFolders): Promise<Layer['secrets']> {
  const rules = (await Promise.all((tree.secrets ?? []).map((entry, index) => parseSecret(entry, from('secrets', index), folders)))).flat()
  refuseTwice(rules)
  const both = rules.find(({ name }) => tree.env !== undefined && Object.hasOwn(tree.env, name))
  if (both !== undefined) refuseSecret(both.name, 'env sets the same variable; the secret already does', both.origin)
  return rules
}

/** `HOST`, `{ host: HOST, … }` and `HOST: { … }`, as host and what is said of it. */
function entriesOf(written: string | HostEntry | HostMap): readonly (readonly [string, RequestsEntry])[] {
  if (typeof written === 'string') return [[written, {}]]
  return isLongForm(written) ? [[written.host, written]] : Object.entries(written)
}

function isLongForm(written: HostEntry | HostMap): written is HostEntry {
  return typeof written['host'] === 'string'
}

function environment({ tree, source }: ParsedPolicy, from: From): readonly EnvRule[] {
  return Object.entries(tree.env ?? {}).map(([name, value]) => {
    const text = value === null ? undefined : typeof value === 'string' ? value : (source(['env', name]) ?? String(value))
    return envRule(name, text, from('env', name))
  })
}

function limits({ tree, source }: ParsedPolicy, from: From): Layer['limits'] {
  return Object.entries(tree.limits ?? {}).flatMap(([key, value]) => {
    const name = limitName(key)
    if (name === undefined || value === undefined) return []
    const origin = from('limits', key)
    const where = `${show(origin.source, 300)}:${origin.line}:${origin.column}`
    return [{ name, value: parseLimit(name, source(['limits', key]) ?? String(value), where), origin }]
  })
}

/** A project's mounts don't follow links of the project: what was approved must stay what it was, whatever the agent does to a link. */
async function mounts({ kind, file }: FileSource, { tree }: ParsedPolicy, from: From, folders: HostFolders): Promise<readonly FileMount[]> {
  const project = path.dirname(file)
  return Promise.all(
    (tree.files?.mount ?? []).map(async (written, index) => {
      const origin = from('files', 'mount', index)
      const mount = await parseMount(written.path, written.mode ?? 'ro', origin, folders)
      const lexical = path.resolve(folders.base, written.path)
      if (kind === 'project' && !written.path.startsWith('~') && isWithin(lexical, project) && lexical !== mount.path) {
        const facts = {
          path: show(written.path),
          reason: 'it goes through a symbolic link of the project',
          where: `${file}:${origin.line ?? 1}`,
        }
        throw new Failure('policy/mount-refused', facts)
      }
      return mount
    }),
  )
}
