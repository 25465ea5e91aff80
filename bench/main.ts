// `npm run bench [-- --write] [-- NAME…]`: measures, prints the tables, and with --write renews docs/benchmarks.md.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import path from 'node:path'
import { cost } from './cost.ts'
import { ended } from './ended.ts'
import { fifty } from './fifty.ts'
import { gateway } from './gateway.ts'
import { makeGround, root, type Ground } from './ground.ts'
import { inside } from './inside.ts'
import { memory } from './memory.ts'
import { projects } from './projects.ts'
import { review } from './review.ts'
import { start } from './start.ts'
import { markdown, met, type Section } from './table.ts'

const measurements: Readonly<Record<string, (ground: Ground) => Promise<readonly Section[]>>> = {
  start,
  projects,
  review,
  gateway,
  ended,
  inside,
  memory,
  fifty,
  cost,
}

function machine(): string {
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux'
  const bwrap = execFileSync('bwrap', ['--version'], { encoding: 'utf8' }).trim()
  const processors = cpus()
  return [
    `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${system}, kernel ${release()}, ${bwrap}, Node ${process.version}`,
    `${process.getuid?.() === 0 ? 'as root' : 'as an ordinary user'}, ${new Date().toISOString().slice(0, 10)}`,
  ].join('; ')
}

const words = process.argv.slice(2)
const chosen = words.filter((word) => !word.startsWith('-'))
const unknown = chosen.filter((name) => !(name in measurements))
if (unknown.length > 0) {
  process.stderr.write(`bench: no measurement ${unknown.join(', ')}; there are: ${Object.keys(measurements).join(', ')}\n`)
  process.exit(2)
}

const sections: Section[] = []
for (const [name, measure] of Object.entries(measurements)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  process.stderr.write(`bench: ${name} …\n`)
  const ground = makeGround()
  try {
    const measured = await measure(ground)
    sections.push(...measured)
    process.stdout.write(`${measured.map(markdown).join('\n')}\n`)
  } finally {
    ground.remove()
  }
}
const goals = sections.flatMap((section) => section.goals)
const verdict = `${goals.filter(met).length} of ${goals.length} goals reached`
process.stdout.write(`${machine()}\n${verdict}\n`)

if (words.includes('--write')) {
  const head = [
    '# Benchmarks',
    '',
    'Written by `npm run bench -- --write`. The figures are of one run on one machine; compare the ratios, not the numbers. Timings are never tests.',
    '',
    `Measured on: ${machine()}. ${verdict}.`,
    '',
  ]
  writeFileSync(path.join(root, 'docs/benchmarks.md'), [...head, ...sections.map(markdown)].join('\n'))
}
