// `anchorhold discard`: drops a proposal. It lies in a trash for a week, from which it can be restored; then the next discard or prune removes it.
import type { Command } from 'commander'
import { Failure } from '../errors/failure.ts'
import { printLines } from '../report/output.ts'
import { emptyTrash, trash, untrash } from '../review/trash.ts'
import { findProposal } from '../review/find.ts'
import { holdProposal } from '../review/lock.ts'
import { processContext } from '../run/context.ts'
import { projectOf } from './proposal-words.ts'

interface Flags {
  readonly restore?: boolean
}

/** Adds `discard` to the program. */
export function register(program: Command): void {
  program
    .command('discard')
    .summary('drop what the agent proposes')
    .description(
      'Drops a proposal; the project stays as it is. For a week it can be had back with --restore. Without an id, the newest open one.',
    )
    .argument('[id]', 'a session by id, the beginning of one, or name')
    .option('--restore', 'have a discarded proposal back')
    .action((id: string | undefined, flags: Flags) => discard(id, flags))
}

async function discard(text: string | undefined, flags: Flags): Promise<void> {
  const { folders, cwd } = processContext()
  if (flags.restore === true && text === undefined)
    throw new Failure('command/usage', {
      what: 'Which proposal is to be restored?',
      hint: 'anchorhold sessions lists them; then: anchorhold discard --restore ID',
    })
  const found = findProposal(folders.state, text, projectOf(folders.state, cwd))
  const { id, state } = found.proposal
  using _held = holdProposal(found.folder, id)
  if (flags.restore === true) {
    if (state !== 'discarded')
      throw new Failure('apply/not-open', { id, state: `${state}, not discarded`, remedy: `Read it: anchorhold diff ${id}` })
    await untrash(found)
    return printLines([`${id} waits again: anchorhold diff ${id}`])
  }
  if (state === 'discarded')
    throw new Failure('apply/not-open', { id, state: 'discarded already', remedy: `Bring it back: anchorhold discard --restore ${id}` })
  trash(found)
  printLines([`${id} is discarded; for a week you can have it back: anchorhold discard --restore ${id}`])
  await emptyTrash(folders.state)
}
