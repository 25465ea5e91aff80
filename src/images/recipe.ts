// What an image is made of, as text: the policy's choice, the agent and its version become one Dockerfile.
import { compareVersions } from '../agents/version.ts'
import { Failure } from '../errors/failure.ts'
import type { Distribution } from '../model/agent.ts'
import type { ContainerProgram, ImageRule } from '../model/image.ts'
import { dockerfile } from './dockerfile.ts'
import { stateLabel } from './record.ts'
import { digestOfFiles } from './snapshot.ts'
import { resolveSource, type BuiltBase, type NamedBase } from './source.ts'

export interface ImageInput {
  readonly program: ContainerProgram
  /** `image` of the policy; absent: the shipped Dockerfile. */
  readonly rule: ImageRule | undefined
  /** Absent for a plain command. */
  readonly agent: { readonly title: string; readonly distribution: Distribution } | undefined
  /** Canonical path of the project. */
  readonly project: string
  readonly stateDir: string
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly hostHome: string
  /** Told what is being done while something is being made; never where the image is there. */
  readonly onStep?: (step: string) => void
  /** Every line that the engine writes meanwhile. */
  readonly onLine?: (line: string) => void
  readonly signal?: AbortSignal
}

export interface Recipe extends AsyncDisposable {
  /** The Dockerfile. */
  readonly text: string
  /** Its `FROM`. */
  readonly base: string
  /** Whether the base is completed by what the shipped Dockerfile runs. */
  readonly complete: boolean
  /** Of the agent; empty where there is none. */
  readonly version: string
  readonly source: NamedBase | BuiltBase
}

/** @throws Failure of the group `image` for files that cannot be built from, and an agent that is too old */
export async function recipe({
  rule,
  agent,
  project,
  stateDir,
}: Pick<ImageInput, 'rule' | 'agent' | 'project' | 'stateDir'>): Promise<Recipe> {
  const version = rule?.version ?? agent?.distribution.pinned ?? ''
  if (agent !== undefined) refuseOld(agent, version)
  const source = await resolveSource(rule, project)
  const base = source.kind === 'named' ? source.name : projectImage(source.files.digest, stateDir)
  const complete = source.kind === 'named' && source.complete
  const text = dockerfile({ base, complete, ...(agent === undefined ? {} : { agent: { distribution: agent.distribution, version } }) })
  return {
    text,
    base,
    complete,
    version,
    source,
    [Symbol.asyncDispose]: async () => {
      if (source.kind === 'built') await source[Symbol.asyncDispose]()
    },
  }
}

/** What a project's files are built to, by their digest and whose it is: others of the same engine build and remove their own. */
function projectImage(digest: string, stateDir: string): string {
  const tag = digestOfFiles([[digest, stateLabel(stateDir)]]).slice(0, 12)
  return `localhost/anchorhold/project:${tag}`
}

function refuseOld({ title, distribution: { floor, package: name } }: NonNullable<ImageInput['agent']>, version: string): void {
  if (compareVersions(version, floor.version) >= 0) return
  throw new Failure('image/old-agent', { title, package: name, version, floor: floor.version, why: floor.why })
}
