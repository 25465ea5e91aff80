// What the tests of review look at from outside: a fingerprint of a folder, and the proposal that a run left.
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { listProposals, type FoundProposal } from '../../src/review/find.ts'
import { settleProposal, type Settled } from '../../src/review/settle.ts'
import type { World } from '../support/anchorhold.ts'

export function stateOf(world: World): string {
  return path.join(world.home, '.local/state/anchorhold')
}

/** Everything below a folder that a program could tell apart: names, kinds, modes, owners, times, inodes, contents, targets. */
export function fingerprint(folder: string): string {
  const hash = createHash('sha256')
  const visit = (place: string) => {
    const stat = lstatSync(place, { bigint: true })
    hash.update([path.relative(folder, place), stat.mode, stat.uid, stat.gid, stat.ino, stat.nlink, stat.mtimeNs, stat.ctimeNs].join('\0'))
    if (stat.isSymbolicLink()) hash.update(readlinkSync(place, { encoding: 'buffer' }))
    else if (stat.isFile()) hash.update(readFileSync(place))
    else if (stat.isDirectory()) for (const name of readdirSync(place).sort()) visit(path.join(place, name))
  }
  visit(folder)
  return hash.digest('hex')
}

/** The newest proposal of the project. */
export function newest(world: World): FoundProposal {
  const [found] = listProposals(stateOf(world), world.project)
  if (found === undefined) throw new Error('no proposal')
  return found
}

export async function settled(world: World): Promise<Settled> {
  const { proposal, folder } = newest(world)
  return settleProposal(proposal, folder)
}

/** Changed paths in one line each: `path` for what is there now, `-path` for what was deleted, `/` after a folder. */
export function changedIn({ upper, base }: Settled, below?: RegExp): readonly string[] {
  return upper
    .filter(
      (entry) =>
        entry.path !== '' && (entry.facts.type !== 'd' || entry.opaque || base.get(`${entry.root}:${entry.path}`)?.state === 'absent'),
    )
    .map((entry) => (entry.kind === 'whiteout' ? `-${entry.path}` : entry.facts.type === 'd' ? `${entry.path}/` : entry.path))
    .filter((line) => below === undefined || below.test(line))
}
