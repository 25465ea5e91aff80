// Holds a proposal while a command reads it, so that no run goes on in it meanwhile; where a run is at it, it is read as it stands.
import { Failure } from '../errors/failure.ts'
import type { FoundProposal } from './find.ts'
import { holdProposal } from './lock.ts'

export interface Held extends Disposable {
  /** False: a cell or another command uses it, and what is read may change. */
  readonly whole: boolean
}

export function holdForReading({ proposal, folder }: FoundProposal): Held {
  try {
    const held = holdProposal(folder, proposal.id)
    return { whole: true, [Symbol.dispose]: () => held[Symbol.dispose]() }
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'review/busy') throw error
    return { whole: false, [Symbol.dispose]: () => undefined }
  }
}
