// Proof: what a run in `auto` asks: the proof that stands, or else the quick set, now. What leaks, or could not be shown, starts nothing.
import { takeEngine } from '../engines/list.ts'
import { Failure } from '../errors/failure.ts'
import type { Proof, Standing } from '../model/proof.ts'
import type { ProofAsked } from '../run/context.ts'
import { proveCommand } from './command-line.ts'
import { prove } from './prove.ts'
import { readStanding, subjectOf } from './standing.ts'

export interface Requirement extends ProofAsked {
  /** Told before the probes start, where there are any to be tried. */
  readonly onProgress?: (text: string) => void
}

/** @throws Failure 'prove/auto-leaks', 'prove/auto-not-shown', and those of a cell that cannot be made */
export async function requireStanding({ policy, project, options, context, onProgress }: Requirement): Promise<Standing> {
  const engine = await takeEngine(policy.engine)
  const subject = await subjectOf(engine, { version: context.version, policyDigest: policy.digest, project })
  const standing = await readStanding(context.folders.state, subject)
  if (standing !== undefined) return standing
  onProgress?.('mode auto, and no proof stands for this policy here: trying the wall')
  const once = (): Promise<Proof> => prove({ policy, project, context, set: 'quick' })
  const first = await once()
  // A machine with much else to do may have kept an attempt from being made at all.
  const proof = first.verdict === 'could-not-run' ? await once() : first
  if (proof.verdict === 'holds')
    return { date: proof.date, probes: proof.probes.filter(({ result }) => result === 'holds').length, fresh: true }
  const wanted = proof.verdict === 'leaks' ? 'leaks' : 'could-not-run'
  const named = proof.probes.filter(({ result }) => result === wanted).map(({ id, says, why }) => `${id} (${says} ${why})`)
  throw new Failure(proof.verdict === 'leaks' ? 'prove/auto-leaks' : 'prove/auto-not-shown', {
    probes: named.join(', ') || 'no probe was tried',
    command: proveCommand(options),
  })
}
