// Proof: what of a proof is kept, so that a run in `auto` need not try the wall again: one small file per policy, project, engine and kernel.
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { release } from 'node:os'
import path from 'node:path'
import { nativePath, packageRoot } from '../host/paths.ts'
import { readOwnRecord, writeOwnRecord } from '../host/own-record.ts'
import type { Engine } from '../model/engine.ts'
import type { Proof, Standing } from '../model/proof.ts'

/** What a proof is about. Where one of these is another, it is another proof. */
export interface ProofSubject {
  readonly anchorhold: string
  /** Of the programs that make the wall: another build is another wall. */
  readonly build: string
  readonly engine: string
  /** What the engine's own examination says, since every engine has versions of other parts. */
  readonly engineVersion: string
  readonly kernel: string
  readonly policyDigest: string
  /** Its place decides what lies beside it. */
  readonly project: string
}

export async function subjectOf(
  engine: Engine,
  about: { readonly version: string; readonly policyDigest: string; readonly project: string },
): Promise<ProofSubject> {
  return {
    anchorhold: about.version,
    build: buildMark(),
    engine: engine.traits.name,
    engineVersion: (await engine.examine()).map(({ what }) => what).join('; '),
    kernel: release(),
    policyDigest: about.policyDigest,
    project: about.project,
  }
}

function buildMark(): string {
  const files = [path.join(packageRoot(), 'dist', 'program.cjs'), nativePath('anchorhold-cell'), nativePath('anchorhold-enter')]
  const facts = files.map((file) => lstatSync(file, { throwIfNoEntry: false })).map((stat) => [stat?.size ?? 0, stat?.mtimeMs ?? 0])
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16)
}

/** The proof that stands for it. A file that is damaged, not the user's own, or about something else is none. */
export async function readStanding(stateDir: string, subject: ProofSubject): Promise<Standing | undefined> {
  const kept = await readOwnRecord(fileOf(stateDir, subject))
  if (typeof kept !== 'object' || kept === null) return undefined
  const { version, verdict, date, probes, subject: about } = kept as Partial<Record<string, unknown>>
  if (version !== 1 || verdict !== 'holds' || canonical(about) !== canonical(subject)) return undefined
  if (typeof date !== 'string' || !(Date.parse(date) <= Date.now())) return undefined
  return typeof probes === 'number' && Number.isSafeInteger(probes) && probes > 0 ? { date, probes, fresh: false } : undefined
}

/** Keeps it where everything held; anything else takes an older one away. */
export async function keepStanding(
  stateDir: string,
  subject: ProofSubject,
  { verdict, date, probes }: Pick<Proof, 'verdict' | 'date' | 'probes'>,
): Promise<void> {
  const file = fileOf(stateDir, subject)
  if (verdict !== 'holds') return rmSync(file, { force: true })
  const held = probes.filter(({ result }) => result === 'holds').length
  await writeOwnRecord(file, { version: 1, verdict, date, probes: held, subject })
  forgetOldest(path.dirname(file))
}

/** Proofs of policies that have changed since are of no use to anybody. */
function forgetOldest(folder: string, most = 100): void {
  const files = readdirSync(folder).map((name) => path.join(folder, name))
  if (files.length <= most) return
  const age = (file: string): number => lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  for (const file of files.toSorted((a, b) => age(b) - age(a)).slice(most)) rmSync(file, { force: true })
}

function fileOf(stateDir: string, subject: ProofSubject): string {
  return path.join(stateDir, 'prove', 'standing', `${createHash('sha256').update(canonical(subject)).digest('hex')}.json`)
}

/** Sorted, so that two of the same are the same text. */
function canonical(subject: unknown): string {
  return typeof subject === 'object' && subject !== null
    ? JSON.stringify(Object.entries(subject).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : ''
}
