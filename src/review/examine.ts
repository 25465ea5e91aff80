// What a review would be made of here, for doctor: an overlay with the kernel's own choice of options, or a copy and why.
import { constants, existsSync, writeFileSync } from 'node:fs'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Finding } from '../model/engine.ts'
import { candidates, tryView } from './places.ts'

export interface ExamineInput {
  readonly stateDir: string
  readonly dataDir: string
  /** The folder that a review would show. */
  readonly lower: string
}

/** What follows from an option of overlayfs that user namespaces can't have. */
const meanings: readonly (readonly [option: string, text: string])[] = [
  ['userxattr', 'userxattr: marks are attributes that ordinary users may write'],
  ['redirect_dir', 'redirect_dir off (the kernel refuses it with userxattr): a folder of the project is renamed by copying it'],
  ['metacopy', 'metacopy off (likewise): chmod of a large file copies it'],
  [
    'index',
    'index off (needs rights over the whole machine): names that are hard links to one file of the project come apart when one is written',
  ],
  ['xino', 'xino off: a file gets another inode number when it is first changed'],
]

/** Each place that exists is tried for real. */
export async function examineReview(input: ExamineInput): Promise<readonly Finding[]> {
  const reasons: string[] = []
  for (const place of candidates(input).filter((folder) => existsSync(folder))) {
    const answer = await tryView(place, input.lower).catch((error: unknown) => ({ ok: false, reason: String(error) }) as const)
    if (!answer.ok) reasons.push(`${place}: ${answer.reason}`)
    else return [{ id: 'review/view', level: 'ok', what: `changes go to an overlay below ${place}` }, options(answer.options ?? '')]
  }
  if (reasons.length === 0)
    return [{ id: 'review/view', level: 'ok', what: 'nothing was kept here yet: the first review tries where an overlay can be mounted' }]
  const shares = await canShare(input.stateDir)
  return [
    {
      id: 'review/view',
      level: 'warning',
      what: `no overlay can be mounted here (${reasons.join('; ')}): a review works on a copy of the project${shares ? ', which shares its blocks where both lie on one disk' : ''}`,
      remedy: 'XDG_STATE_HOME=DIR anchorhold … with a DIR on ext4, xfs or btrfs (of a container: on a volume)',
    },
  ]
}

function options(text: string): Finding {
  const on = text.split(' ').filter((word) => word !== '' && word !== 'none' && word !== 'rw' && word !== 'ro')
  const told = meanings.filter(([name]) => name === 'userxattr' || !on.some((word) => word === `${name}=on` || word === `${name}=auto`))
  return {
    id: 'review/options',
    level: 'ok',
    what: `the kernel mounts it with ${on.join(', ')}; ${told.map(([, meaning]) => meaning).join('; ')}`,
  }
}

async function canShare(folder: string): Promise<boolean> {
  const room = await mkdtemp(path.join(folder, '.share-'))
  try {
    writeFileSync(path.join(room, 'a'), 'a')
    return await copyFile(path.join(room, 'a'), path.join(room, 'b'), constants.COPYFILE_FICLONE_FORCE).then(
      () => true,
      () => false,
    )
  } finally {
    await rm(room, { recursive: true, force: true })
  }
}
