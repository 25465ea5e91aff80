// Policy: the loader of `anchorhold policy check`: what is there is looked at, approved or not. Nothing is run with what comes out of it.
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { isApproved, listApprovals } from './approval.ts'
import type { Seen } from './check/types.ts'
import { silentLayer } from './layer.ts'
import { layerOfFile } from './layer-of-file.ts'
import { layerOfFlags } from './layer-of-flags.ts'
import { assemble, ownFolders, projectPolicyName, readLayers, refuseInProject, type LoadedPolicy, type LoadInput } from './load.ts'
import type { Registry } from './presets.ts'
import { readProjectPolicy } from './read-file.ts'
import { servicePresets } from './service-presets.ts'
import { show } from './show.ts'

export interface ToCheck {
  readonly loaded: LoadedPolicy
  /** Set where no run would use the project's file as it is. */
  readonly approval?: NonNullable<Seen['approval']>
}

/**
 * The effective policy; what a project's file widens is in it, approved or not. Of a file that is not, no package manager is asked. Throws as
 * loadPolicy does for what cannot be read.
 */
export async function loadToCheck(given: LoadInput): Promise<ToCheck> {
  const input = { ...given, registries: given.registries.map(forgiving) }
  const layers = await readLayers(input)
  const file = layers.sources.find((source) => source.kind === 'project')
  if (file === undefined || layers.widens.length === 0 || (await isApproved(input.stateDir, file.file, file.digest)))
    return { loaded: await assemble(input, layers) }
  const presets = layers.project.presets.filter(({ value }) => Object.hasOwn(servicePresets, value))
  const loaded = await assemble(input, { ...layers, project: { ...layers.project, presets } })
  const known = (await listApprovals(input.stateDir)).some((approval) => approval.file === file.file)
  return {
    loaded: { ...loaded, presets: [...new Set([...loaded.presets, ...layers.project.presets])] },
    approval: { state: known ? 'changed' : 'missing', file: file.file, widens: layers.widens.map(({ what }) => what) },
  }
}

/** One file by itself, wherever it lies: as a user's, or for an `anchorhold.yaml` as a project's. Flags count; no other file is read. */
export async function loadFileToCheck(given: string, whole: LoadInput): Promise<ToCheck> {
  const input = { ...whole, registries: whole.registries.map(forgiving) }
  const file = path.resolve(given)
  const read = await readProjectPolicy(file)
  if (read === undefined) throw new Failure('policy/unreadable', { file: show(file, 300), reason: 'it does not exist' })
  const kind = path.basename(file) === projectPolicyName ? 'project' : 'user'
  const folders = { home: input.hostHome, base: path.dirname(file), own: ownFolders(input) }
  const layer = await layerOfFile({ kind, file, bytes: read.bytes }, folders, input.registries)
  if (kind === 'project') refuseInProject(layer)
  const flags = await layerOfFlags(input.options, { ...folders, base: process.cwd() }, input.registries)
  const loaded = await assemble(input, {
    user: kind === 'user' ? layer : silentLayer,
    project: kind === 'project' ? layer : silentLayer,
    flags,
    sources: [{ kind, file, digest: read.digest }],
    widens: [],
  })
  return { loaded }
}

/** A manager that is not installed here may well be where the policy is used: its registries are left out, and that is said. */
function forgiving(registry: Registry): Registry {
  return {
    name: registry.name,
    derive: async (context) => {
      try {
        return await registry.derive(context)
      } catch (error) {
        if (error instanceof Failure && error.code.startsWith('policy/manager-')) return { hosts: [], notes: [error.message] }
        throw error
      }
    },
  }
}
