// The images that anchorhold built, told by their labels; which of them are in use; taking away the rest.
import type { ContainerProgram } from '../model/image.ts'
import { ask, inspectImages, lastSentence, lines, mustAsk, type Inspected } from './program.ts'
import { forget, recordedIds, stateLabel } from './record.ts'

export interface OwnImage {
  readonly reference: string
  readonly id: string
  /** Absent where there is no agent in it. */
  readonly agent?: string
  readonly version?: string
  /** Of what it was built from. */
  readonly hash: string
  readonly bytes: number
  /** ISO 8601. */
  readonly created: string
  /** Names of containers, running or not. */
  readonly containers: readonly string[]
  /** Whether a next run would take it, or what it lies on. */
  readonly current: boolean
}

/** Those of this state folder, newest first. */
export async function listImages(program: ContainerProgram, stateDir: string): Promise<readonly OwnImage[]> {
  const filter = ['--filter', `label=anchorhold.state=${stateLabel(stateDir)}`]
  const ids = [...new Set(lines(await mustAsk(program, ['images', '--quiet', '--no-trunc', ...filter])).map((id) => id.trim()))]
  const [images, current] = await Promise.all([inspectImages(program, ids), recordedIds(stateDir)])
  const found = images.filter((image): image is Inspected => image?.labels['anchorhold.image'] !== undefined)
  const listed = await Promise.all(
    found.map(async (image) => ownImage(image, await containersOf(program, image.id), current.has(image.id))),
  )
  return listed.toSorted((a, b) => (a.created < b.created ? 1 : -1))
}

/** What lies on an image counts as well: an engine tells containers of images below theirs. */
async function containersOf(program: ContainerProgram, id: string): Promise<readonly string[]> {
  const told = await mustAsk(program, ['ps', '--all', '--filter', `ancestor=${id}`, '--format', '{{.Names}}'])
  return lines(told).map((name) => name.trim())
}

function ownImage({ id, tags, labels, bytes, created }: Inspected, containers: readonly string[], current: boolean): OwnImage {
  const agent = labels['anchorhold.agent']
  const version = labels['anchorhold.version']
  return {
    reference: tags[0] ?? id,
    id,
    ...(agent === undefined ? {} : { agent }),
    ...(version === undefined ? {} : { version }),
    hash: labels['anchorhold.image'] ?? '',
    bytes,
    created,
    containers,
    current,
  }
}

export interface Pruned {
  readonly removed: readonly OwnImage[]
  readonly kept: readonly { readonly image: OwnImage; readonly why: string }[]
}

/** Removes what no container uses and, unless `all`, no next run would take. Nothing of anybody else's is touched. */
export async function pruneImages(
  program: ContainerProgram,
  stateDir: string,
  { all, dryRun }: { all: boolean; dryRun: boolean },
): Promise<Pruned> {
  const images = await listImages(program, stateDir)
  const reason = ({ containers, current }: OwnImage): string | undefined =>
    containers.length > 0 ? `used by ${containers.join(', ')}` : current && !all ? 'the next run takes it' : undefined
  const kept = images.flatMap((image) => {
    const why = reason(image)
    return why === undefined ? [] : [{ image, why }]
  })
  const removed: OwnImage[] = []
  // Newest first: what lies on another image goes before it.
  for (const image of images.filter((each) => reason(each) === undefined)) {
    const answer = dryRun ? undefined : await ask(program, ['rmi', image.reference])
    // An engine that was disturbed may have done it all the same.
    if (answer === undefined || answer.code === 0 || (await inspectImages(program, [image.id]))[0] === undefined) removed.push(image)
    else kept.push({ image, why: lastSentence(answer.stderr) })
  }
  if (!dryRun) await forget(stateDir, new Set(removed.map(({ id }) => id)))
  return { removed, kept }
}
