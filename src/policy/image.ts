// Policy: what a container's cell starts from, as it is written in a file or a flag.
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { ImageRule, ImageSource } from '../model/image.ts'
import type { Origin } from '../model/policy.ts'
import { whereOf } from './host-rule.ts'
import type { HostFolders } from './paths.ts'
import type { ImageEntry } from './schema.ts'
import { show } from './show.ts'

/** @throws Failure 'policy/bad-image' */
export function parseImage(written: string | ImageEntry, origin: Origin, folders: Pick<HostFolders, 'home' | 'base'>): ImageRule {
  const refuse = (reason: string): never => {
    throw new Failure('policy/bad-image', { reason, where: whereOf(origin) })
  }
  const entry = typeof written === 'string' ? { name: written } : written
  const file = (text: string): string => {
    if (/[\0-\x1f\x7f]/.test(text)) return refuse(`${show(text)} has a control character`)
    if (text === '~' || text.startsWith('~/')) return path.join(folders.home, text.slice(1))
    return text.startsWith('~') ? refuse(`${show(text)}: ~NAME is not expanded`) : path.resolve(folders.base, text)
  }
  const { name, base, dockerfile, devcontainer, context, network, version } = entry
  const said = Object.entries({ name, base, dockerfile, devcontainer }).flatMap(([key, value]) => (value === undefined ? [] : [key]))
  if (said.length > 1) return refuse(`${said.join(' and ')} are two answers to one question; keep one`)
  if (context !== undefined && dockerfile === undefined) return refuse('context goes with dockerfile')
  if (network !== undefined && dockerfile === undefined && devcontainer === undefined)
    return refuse('network goes with dockerfile or devcontainer')
  if (version !== undefined && !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
    return refuse(`${show(version)} is not a version: three numbers, in full`)
  for (const reference of [name, base])
    if (reference !== undefined && !isReference(reference)) return refuse(`${show(reference)} is not the name of an image`)
  const source: ImageSource =
    name !== undefined
      ? { kind: 'name', name }
      : dockerfile !== undefined
        ? { kind: 'dockerfile', file: file(dockerfile), ...(context === undefined ? {} : { context: file(context) }) }
        : devcontainer !== undefined
          ? { kind: 'devcontainer', file: file(devcontainer) }
          : { kind: 'shipped', ...(base === undefined ? {} : { base }) }
  return { source, network: network ?? false, origin, ...(version === undefined ? {} : { version }) }
}

/** A name with an optional registry, tag and digest. It goes into a Dockerfile and an argument list, so nothing else may. */
function isReference(text: string): boolean {
  return text.length < 300 && /^[a-z0-9][\w.-]*(?::\d+)?(?:\/[a-z0-9][\w.-]*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/.test(text)
}

/** In words, for people. */
export function imageText({ source, network, version }: Pick<ImageRule, 'source' | 'network' | 'version'>): string {
  const what = {
    shipped: () => (source.kind === 'shipped' && source.base !== undefined ? `anchorhold's, on ${source.base}` : "anchorhold's"),
    name: () => (source.kind === 'name' ? source.name : ''),
    dockerfile: () =>
      source.kind === 'dockerfile'
        ? `built from ${source.file}${source.context === undefined ? '' : ` with the files of ${source.context}`}`
        : '',
    devcontainer: () => (source.kind === 'devcontainer' ? `that of ${source.file}` : ''),
  }[source.kind]()
  return `${what}${network ? ', with a network while it is built' : ''}${version === undefined ? '' : `, agent ${version}`}`
}
