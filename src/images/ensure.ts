// The image of a run: found by one question to the engine where it was built before, else built, once for each content.
import { createHash } from 'node:crypto'
import path from 'node:path'
import { installCopy } from '../agents/own-copy.ts'
import { platformName, type Platform } from '../agents/installation.ts'
import { Failure } from '../errors/failure.ts'
import { isWithin } from '../host/paths.ts'
import type { ContainerProgram, Image } from '../model/image.ts'
import { isApproved } from '../policy/approval.ts'
import { show } from '../policy/show.ts'
import { checkIntegrity } from './integrity.ts'
import { buildBase } from './build-base.ts'
import { buildFiles } from './build-files.ts'
import { ask, buildFailure, buildImage, inspectImages, lastSentence, mustAsk, work, type Inspected } from './program.ts'
import { readRecord, recordFile, stateLabel, writeRecord } from './record.ts'
import { recipe, type ImageInput } from './recipe.ts'
import type { BuiltBase, NamedBase } from './source.ts'

/**
 * What a run starts from. Begin it early: where the image is there it costs one question to the engine, and nothing is said.
 * @throws Failure of the group `image`, and those of `installCopy`
 */
export async function ensureImage(input: ImageInput): Promise<Image> {
  const { program, agent, stateDir } = input
  await using made = await recipe(input)
  const { text, base, complete, version, source } = made
  await refuseUnapproved(source, input)
  const record = recordFile(stateDir, [program.name, JSON.stringify(program.env), text])
  const known = await readRecord(record)
  if (known !== undefined) {
    const [below, image] = await inspectImages(program, [known.base, known.reference])
    if (below?.id === known.baseId && image?.id === known.id) return { reference: known.reference, id: known.id }
  }
  const below = await haveBase(base, source, input)
  refuseBase(base, below)
  // An image of somebody's, without an agent, is the image.
  const image =
    agent !== undefined || complete ? await haveImage({ text, complete, base, below, version, input }) : { reference: base, id: below.id }
  await writeRecord(record, { ...image, base, baseId: below.id })
  return image
}

/** What lies in the project can be changed by whoever works there, so each content of it is approved by itself. */
async function refuseUnapproved(source: NamedBase | BuiltBase, { project, stateDir }: ImageInput): Promise<void> {
  const { files } = source
  if (files === undefined || !isWithin(files.file, project)) return
  if (!(await isApproved(stateDir, files.file, files.digest))) throw new Failure('image/not-approved', { file: show(files.file, 300) })
}

async function haveBase(base: string, source: NamedBase | BuiltBase, input: ImageInput): Promise<Inspected> {
  const { program, onStep, onLine, signal } = input
  const [there] = await inspectImages(program, [base])
  if (there !== undefined && (source.kind === 'named' || there.labels['anchorhold.image'] === source.files.digest)) return there
  if (source.kind === 'built') return buildBase(base, source, input)
  onStep?.(`Fetching the base image ${base}`)
  const pulled = await work(program, ['pull', base], { onLine, signal })
  if (pulled.code !== 0) {
    const reason = lastSentence(pulled.last.join('\n'))
    throw new Failure('image/base-missing', { base: show(base, 200), program: program.name, reason })
  }
  const [made] = await inspectImages(program, [base])
  if (made === undefined) throw new Failure('image/engine', { program: program.name, reason: `it does not have ${base} after all` })
  return made
}

/** Instructions that an image left for whoever builds on it would be run by our build, which adds one file. */
function refuseBase(base: string, { onBuild, os }: Inspected): void {
  const why =
    onBuild.length > 0
      ? `it has instructions for builds on top of it (${onBuild.join('; ')})`
      : os === 'linux'
        ? undefined
        : `it is for ${os}`
  if (why !== undefined) throw new Failure('image/bad-base', { base: show(base, 200), why: show(why, 300) })
}

interface Wanted {
  readonly text: string
  readonly complete: boolean
  readonly base: string
  readonly below: Inspected
  readonly version: string
  readonly input: ImageInput
}

async function haveImage({ text, complete, base, below, version, input }: Wanted): Promise<Image> {
  const { program, agent, onStep, onLine, signal } = input
  // An engine can serve several users, and each takes away only what is theirs: the same image for two of them has two names.
  const owner = stateLabel(input.stateDir)
  const hash = createHash('sha256')
    .update(JSON.stringify([text, below.id, owner]))
    .digest('hex')
  const reference = `localhost/anchorhold/${agent?.distribution.program ?? 'plain'}:${hash.slice(0, 12)}`
  const [there] = await inspectImages(program, [reference])
  if (there?.labels['anchorhold.image'] === hash) return { reference, id: there.id }
  await using files = await buildFiles(text)
  const context = agent === undefined ? files.empty : await agentFolder(base, below, version, input)
  onStep?.(`Building the image ${reference} with ${program.name} (once; the next start finds it)`)
  const labels = [`anchorhold.image=${hash}`, `anchorhold.state=${owner}`].flatMap((label) => ['--label', label])
  // Only the shipped Dockerfile fetches anything; on an image that somebody chose, one file is added, and nothing runs.
  const network = complete ? [] : ['--network', 'none']
  const args = ['--file', files.dockerfile, ...network, ...labels, context] as const
  const { image, last } = await buildImage(program, reference, args, { onLine, signal })
  if (image === undefined) throw buildFailure(program, reference, last)
  const added = image.layers.length - below.layers.length
  const onTop = below.layers.every((layer, at) => image.layers[at] === layer)
  if (!onTop || (!complete && added !== 1))
    throw new Failure('image/engine', {
      program: program.name,
      reason: `what it built as ${reference} is not ${base} with the agent on top`,
    })
  return { reference, id: image.id }
}

/** The folder of the agent's package for the image's platform, fetched on the host as npm is set up there, so that no login is needed in a build. */
async function agentFolder(base: string, below: Inspected, version: string, input: ImageInput): Promise<string> {
  const { agent, hostEnv, hostHome, project, onStep } = input
  if (agent === undefined) throw new Failure('command/internal', { message: 'no agent to put into an image' })
  const { distribution, title } = agent
  const platform = await platformOf(base, below, input.program)
  const copy = await installCopy(distribution, title, {
    hostEnv,
    hostHome,
    project,
    version,
    platform,
    onStart: () => onStep?.(`Fetching ${distribution.package}@${version} for ${platformName(platform)} with npm`),
  })
  const folder = path.dirname(copy.path)
  await checkIntegrity({ folder, distribution, version, platform })
  return folder
}

/** Its processor as the image says it, its C library by whose loader it has. Nothing of the image is run. */
async function platformOf(base: string, { architecture }: Inspected, program: ContainerProgram): Promise<Platform> {
  const arch = ({ amd64: 'x64', arm64: 'arm64' } as const)[architecture]
  if (arch === undefined) throw new Failure('image/bad-base', { base: show(base, 200), why: `its processor is ${show(architecture)}` })
  const container = (await mustAsk(program, ['create', '--network', 'none', '--pull', 'never', '--entrypoint', '/none', base])).trim()
  try {
    const loader = `/lib/ld-musl-${arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`
    const { code } = await ask(program, ['cp', `${container}:${loader}`, '-'])
    return { arch, libc: code === 0 ? 'musl' : 'glibc' }
  } finally {
    await ask(program, ['rm', '--force', container])
  }
}
