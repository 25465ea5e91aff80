// From what a policy says to what the agent's layer is put on: a name to be had as it is, or files to build from, read once and copied, so
// that what was approved is what is built.
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { isWithin } from '../host/paths.ts'
import type { ImageRule } from '../model/image.ts'
import { whereOf } from '../policy/host-rule.ts'
import { show } from '../policy/show.ts'
import { readDevcontainer, type Devcontainer } from './devcontainer.ts'
import { defaultBase } from './dockerfile.ts'
import { digestOfFiles, takeFiles } from './snapshot.ts'

/** An image by its name. */
export interface NamedBase {
  readonly kind: 'named'
  readonly name: string
  readonly complete: boolean
  /** Files of the host that decided on it, by their digest; a devcontainer.json has one. */
  readonly files?: DecidingFiles
}
/** Something to build first. Disposing takes the copies away. */
export interface BuiltBase extends AsyncDisposable {
  readonly kind: 'built'
  readonly files: DecidingFiles
  /** Folder with `Dockerfile` and `context/`, or with `.devcontainer/` where features are wanted. */
  readonly folder: string
  readonly args: Readonly<Record<string, string>>
  readonly target?: string
  readonly features: boolean
}
export interface DecidingFiles {
  /** The file that is named to people and approved: the Dockerfile or devcontainer.json. */
  readonly file: string
  /** sha-256 (hex) of it and of everything that a build from it can read. */
  readonly digest: string
}

/**
 * What a file of the project decides stays in the project: neither its Dockerfile nor its context can be a folder beside it.
 * @throws Failure 'image/unreadable', 'image/devcontainer', 'image/context-too-large'
 */
export async function resolveSource(rule: ImageRule | undefined, project: string): Promise<NamedBase | BuiltBase> {
  const source = rule?.source ?? { kind: 'shipped' }
  if (source.kind === 'shipped') return { kind: 'named', name: source.base ?? defaultBase, complete: true }
  if (source.kind === 'name') return { kind: 'named', name: source.name, complete: false }
  const where = rule === undefined ? '' : whereOf(rule.origin)
  const asked = source.file
  const real = async (place: string): Promise<string> => {
    const found = await realpath(place).catch((error: unknown) => {
      throw new Failure('image/unreadable', { file: show(place, 300), reason: reasonOf(error), where })
    })
    if ((rule?.origin.kind === 'project' || isWithin(asked, project)) && !isWithin(found, project))
      throw new Failure('image/unreadable', { file: show(place, 300), reason: 'it lies outside the project', where })
    return found
  }
  const file = await real(asked)
  if (source.kind === 'dockerfile')
    return fromDockerfile(file, source.context === undefined ? undefined : await real(source.context), {}, undefined)
  const wanted = await readDevcontainer(file)
  const { dockerfile, context } = wanted
  return fromDevcontainer(file, {
    ...wanted,
    ...(dockerfile === undefined ? {} : { dockerfile: await real(dockerfile) }),
    ...(context === undefined ? {} : { context: await real(context) }),
  })
}

async function fromDevcontainer(file: string, wanted: Devcontainer): Promise<NamedBase | BuiltBase> {
  if (!wanted.features && wanted.image !== undefined)
    return { kind: 'named', name: wanted.image, complete: false, files: { file, digest: digestOfFiles([['', await readFile(file)]]) } }
  if (!wanted.features && wanted.dockerfile !== undefined) {
    const built = await fromDockerfile(wanted.dockerfile, wanted.context, wanted.args, wanted.target)
    return {
      ...built,
      files: {
        file,
        digest: digestOfFiles([
          ['', await readFile(file)],
          [built.files.digest, ''],
        ]),
      },
    }
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'anchorhold-image-'))
  const place = path.join(folder, '.devcontainer')
  const taken = await takeFiles(path.dirname(file), place)
  // Only what decides on the image: a command in it would be run on the host.
  await rm(path.join(place, path.basename(file)))
  await writeFile(path.join(place, 'devcontainer.json'), JSON.stringify(wanted.deciding))
  return built({ file, digest: taken }, folder, { args: {}, features: true })
}

async function fromDockerfile(
  file: string,
  context: string | undefined,
  args: BuiltBase['args'],
  target: string | undefined,
): Promise<BuiltBase> {
  const folder = await mkdtemp(path.join(tmpdir(), 'anchorhold-image-'))
  const text = await takeFiles(file, path.join(folder, 'Dockerfile'))
  const rest = await takeFiles(context, path.join(folder, 'context'))
  const digest = digestOfFiles([
    [text, rest],
    ['args', JSON.stringify([args, target ?? null])],
  ])
  return built({ file, digest }, folder, { args, features: false, ...(target === undefined ? {} : { target }) })
}

function built(files: DecidingFiles, folder: string, rest: Pick<BuiltBase, 'args' | 'target' | 'features'>): BuiltBase {
  return { kind: 'built', files, folder, ...rest, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
