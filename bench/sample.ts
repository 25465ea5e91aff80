// Timing loops. Subjects take turns within a round, so that a slow moment of the machine meets all of them.
import { spawnSync } from 'node:child_process'

export interface Subject {
  readonly name: string
  readonly argv: readonly [string, ...string[]]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Sample {
  readonly name: string
  /** Milliseconds of wall time, one per round. */
  readonly times: readonly number[]
  /** Why it could not be measured. */
  readonly trouble?: string
}

/** Runs every subject `rounds` times after two warm-up rounds. A subject that fails once is left out from then on. */
export function takeTurns(subjects: readonly Subject[], rounds: number): readonly Sample[] {
  const times = new Map<string, number[]>()
  const troubles = new Map<string, string>()
  for (let round = -2; round < rounds; round++) {
    for (const subject of subjects) {
      if (troubles.has(subject.name)) continue
      const { milliseconds, trouble } = once(subject)
      if (trouble !== undefined) troubles.set(subject.name, trouble)
      else if (round >= 0) times.set(subject.name, [...(times.get(subject.name) ?? []), milliseconds])
    }
  }
  return subjects.map(({ name }) => {
    const trouble = troubles.get(name)
    return { name, times: times.get(name) ?? [], ...(trouble === undefined ? {} : { trouble }) }
  })
}

function once(subject: Subject): { readonly milliseconds: number; readonly trouble?: string } {
  const [file, ...args] = subject.argv
  const began = process.hrtime.bigint()
  const { status, error, stderr } = spawnSync(file, args, {
    cwd: subject.cwd,
    env: subject.env ?? process.env,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 60_000,
  })
  const milliseconds = Number(process.hrtime.bigint() - began) / 1e6
  if (status === 0) return { milliseconds }
  const said = stderr?.toString().trim().split('\n').slice(-2).join(' ')
  return { milliseconds, trouble: error?.message ?? `exit code ${status}${said ? `: ${said}` : ''}` }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}
