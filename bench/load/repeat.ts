// Times a command from within the place it runs in: `repeat.ts TIMES REMOVE|- COMMAND…` prints the median in milliseconds; REMOVE goes first each time.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'

const [times = '1', remove = '-', ...command] = process.argv.slice(2)
const [file = 'false', ...args] = command
const taken: number[] = []
for (let round = 0; round < Number(times); round++) {
  if (remove !== '-') rmSync(remove, { recursive: true, force: true })
  const began = process.hrtime.bigint()
  const { status, stderr } = spawnSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  taken.push(Number(process.hrtime.bigint() - began) / 1e6)
  if (status !== 0) {
    process.stderr.write(stderr)
    process.exit(1)
  }
}
const sorted = taken.toSorted((a, b) => a - b)
process.stdout.write(`${sorted[sorted.length >> 1] ?? 0}\n`)
