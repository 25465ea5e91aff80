// The same command in several places that stay open, so that no start is measured: each place is a shell that runs it once for every line it is
// sent. The places take turns, command by command: a slow moment of the machine meets all of them.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Sample } from './sample.ts'

export interface Place {
  readonly name: string
  /** What a shell's argv is put behind. */
  readonly wrap: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

const warmUp = 3

/** Milliseconds of wall time of each run of `command`, a line of sh. */
export async function takePacedTurns(places: readonly Place[], command: string, rounds: number): Promise<readonly Sample[]> {
  const script = `while read -r _; do { ${command}; } >/dev/null 2>&1 && echo ok || echo failed; done`
  const open = places.map(({ wrap, cwd, env }) => {
    const [file, ...args] = [...wrap, 'sh', '-c', script]
    const child = spawn(file, args, { cwd, env, stdio: ['pipe', 'pipe', 'ignore'] })
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    return { child, lines, times: [] as number[], trouble: '' }
  })
  try {
    for (let round = -warmUp; round < rounds; round++)
      for (const place of open) {
        if (place.trouble !== '') continue
        const began = process.hrtime.bigint()
        place.child.stdin.write('\n')
        const { value } = await place.lines.next()
        if (value !== 'ok') place.trouble = `\`${command}\` failed`
        else if (round >= 0) place.times.push(Number(process.hrtime.bigint() - began) / 1e6)
      }
  } finally {
    for (const { child } of open) await ended(child)
  }
  return open.map(({ times, trouble }, index) => ({ name: places[index]?.name ?? '', times, ...(trouble === '' ? {} : { trouble }) }))
}

async function ended(child: ChildProcess): Promise<void> {
  child.stdin?.end()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
