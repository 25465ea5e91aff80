// A devcontainer.json, read for the one thing that is taken from it: which image, or how it is built. Commands, mounts and ports in it are not.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { show } from '../policy/show.ts'

export interface Devcontainer {
  readonly image?: string
  /** Absolute. */
  readonly dockerfile?: string
  readonly context?: string
  readonly args: Readonly<Record<string, string>>
  readonly target?: string
  /** Whether it wants features, which its own command line adds. */
  readonly features: boolean
  /** The keys of it that decide on the image, for its own command line. */
  readonly deciding: Readonly<Record<string, unknown>>
}

/** @throws Failure 'image/unreadable', 'image/devcontainer' */
export async function readDevcontainer(file: string): Promise<Devcontainer> {
  const refuse = (reason: string): never => {
    throw new Failure('image/devcontainer', { file: show(file, 300), reason })
  }
  const written = await readFile(file, 'utf8').catch((error: unknown) => refuse(error instanceof Error ? error.message : String(error)))
  const tree = parse(written) ?? refuse('it is not JSON with comments')
  const folder = path.dirname(file)
  const build = object(tree['build'])
  const text = (value: unknown, name: string): string | undefined => {
    if (value === undefined) return undefined
    if (typeof value !== 'string' || value === '') return refuse(`"${name}" is not a text`)
    if (value.includes('${')) return refuse(`"${name}" has a variable (${value}); write it out`)
    return value
  }
  if (tree['dockerComposeFile'] !== undefined) refuse('it names a compose project, which is more than one image')
  const image = text(tree['image'], 'image')
  const dockerfile = text(build['dockerfile'] ?? tree['dockerFile'], 'build.dockerfile')
  if ((image === undefined) === (dockerfile === undefined)) refuse('it names neither an image nor a Dockerfile, or both')
  const context = text(build['context'] ?? tree['context'], 'build.context') ?? '.'
  const target = text(build['target'], 'build.target')
  const args = Object.entries(object(build['args'])).map(([name, value]) => [name, text(value, `build.args.${name}`) ?? ''] as const)
  return {
    ...(image === undefined ? {} : { image }),
    ...(dockerfile === undefined ? {} : { dockerfile: path.resolve(folder, dockerfile), context: path.resolve(folder, context) }),
    args: Object.fromEntries(args),
    ...(target === undefined ? {} : { target }),
    features: Object.keys(object(tree['features'])).length > 0,
    deciding: Object.fromEntries(
      ['image', 'build', 'dockerFile', 'context', 'features'].flatMap((key) => (key in tree ? [[key, tree[key]]] : [])),
    ),
  }
}

/** JSON with comments and trailing commas, as editors write it. Undefined where it is something else. */
function parse(written: string): Readonly<Record<string, unknown>> | undefined {
  // Strings first, so that what looks like a comment in one stays.
  const plain = written
    .replace(/("(?:[^"\\\n]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_whole, string: string | undefined) => string ?? '')
    .replace(/("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])/g, (_whole, string: string | undefined) => string ?? '')
  try {
    const value: unknown = JSON.parse(plain)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {}
}
