// A run's copy-on-write view: which proposal it goes on with, and its opening, whose code is loaded only by runs that have one.
import { realpathSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { Policy } from '../model/policy.ts'
import type { RunOptions } from '../model/run-options.ts'
import type { FoundProposal } from '../review/find.ts'
import { findProposal } from '../review/find.ts'
import type { View } from '../review/view.ts'
import type { Session } from '../session/open.ts'
import type { RunContext } from './context.ts'

/** @throws Failure `review/none`, `review/not-open`, `review/other-project`, `review/other-mode`, and those of findSession */
export function findContinued(options: RunOptions, { folders, cwd }: RunContext): FoundProposal {
  const found = findProposal(folders.state, options.continue, cwd)
  const { id, state, project } = found.proposal
  if (state !== 'open') throw new Failure('review/not-open', { id, state })
  const asked = options.project === undefined ? undefined : real(path.resolve(cwd, options.project))
  if (asked !== undefined && asked !== project) throw new Failure('review/other-project', { id, project, asked })
  if (options.workspace !== undefined && options.workspace !== 'review')
    throw new Failure('review/other-mode', { id, mode: options.workspace })
  return found
}

function real(folder: string): string {
  try {
    return realpathSync(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return folder // openProject says what is wrong with it
    throw error
  }
}

interface ReviewInput {
  readonly policy: Policy
  readonly project: string
  readonly session: Session
  readonly context: RunContext
  readonly continued: FoundProposal | undefined
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

export async function openReview({ policy, project, session, context, continued, dryRun, signal }: ReviewInput): Promise<View> {
  const { openView } = await import('../review/view.ts')
  return openView({
    stateDir: context.folders.state,
    dataDir: context.folders.data,
    session,
    project,
    mounts: policy.files.mount.filter((mount) => mount.mode === 'rw').map((mount) => mount.path),
    ...(continued === undefined ? {} : { continued }),
    disk: policy.limits.disk,
    dryRun,
    emit: session.emit,
    mine: async () => (await import('./known-values.ts')).knownValues(policy.secrets, context),
    signal,
  })
}
