// `anchorhold cost` against ccusage, the usual reader of these logs, on the same corpora in the same run: as its users start it (npm's launcher) and
// its native program alone.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { anchorhold, bundledNode, peerCache, type Ground } from './ground.ts'
import { logCorpus } from './log-corpus.ts'
import { median, takeTurns, type Subject } from './sample.ts'
import type { Goal, Row, Section } from './table.ts'

/** The newest of which the native program is on the registry. */
const version = '20.0.24'

export async function cost(ground: Ground): Promise<readonly Section[]> {
  const ccusage = installed()
  const large = logCorpus(peerCache, 'logs-1gb', 1e9, 2000)
  const small = logCorpus(peerCache, 'logs-20mb', 2e7, 60)
  return [await measure(ground, '1 GB', large, ccusage, 5), await measure(ground, '20 MB', small, ccusage, 15), await memory(ground, large)]
}

/** Its launcher and its native program; undefined where npm cannot bring them. */
function installed(): { readonly launcher: string; readonly native: string } | undefined {
  const folder = path.join(peerCache, 'ccusage')
  const modules = path.join(folder, 'node_modules')
  const found = {
    launcher: path.join(modules, 'ccusage/src/cli.js'),
    native: path.join(modules, `@ccusage/ccusage-linux-${process.arch}/bin/ccusage`),
  }
  if (!existsSync(found.native)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
    spawnSync('npm', ['install', '--no-audit', '--no-fund', '--include=optional', `ccusage@${version}`], { cwd: folder })
  }
  return existsSync(found.native) ? found : undefined
}

const own = {
  fresh: 'anchorhold cost --no-index',
  indexed: 'anchorhold cost, from the index',
  one: 'anchorhold cost --session ID',
  bare: 'anchorhold cost --help',
} as const
const theirs = { launcher: `ccusage ${version} (npm)`, native: `ccusage ${version} (native program)` } as const

async function measure(
  ground: Ground,
  size: string,
  corpus: string,
  ccusage: ReturnType<typeof installed>,
  rounds: number,
): Promise<Section> {
  const env = { ...ground.env, CLAUDE_CONFIG_DIR: corpus }
  const session = anySession(corpus)
  const args = ['session', '--json', '--offline'] as const
  const subjects: Subject[] = [
    { name: own.fresh, argv: [anchorhold, 'cost', '--json', '--no-index'], env },
    { name: own.indexed, argv: [anchorhold, 'cost', '--json'], env },
    { name: own.one, argv: [anchorhold, 'cost', '--json', '--session', session], env },
    { name: own.bare, argv: [anchorhold, 'cost', '--help'], env },
  ]
  if (ccusage !== undefined)
    subjects.push(
      { name: theirs.launcher, argv: [bundledNode, ccusage.launcher, ...args], env },
      { name: theirs.native, argv: [ccusage.native, ...args], env },
    )
  const rows = takeTurns(subjects, rounds).map(({ name, times, trouble }): Row =>
    trouble === undefined ? { subject: name, value: median(times) } : { subject: name, trouble },
  )
  const value = (name: string): number => rows.find((row) => row.subject === name)?.value ?? Number.NaN
  const goals: Goal[] =
    size === '1 GB'
      ? [
          { what: 'times ccusage (npm), without an index', reached: value(theirs.launcher) / value(own.fresh), atLeast: 3 },
          { what: 'times ccusage (native), without an index', reached: value(theirs.native) / value(own.fresh), atLeast: 3 },
          { what: 'times ccusage (npm), from the index', reached: value(theirs.launcher) / value(own.indexed), atLeast: 8 },
          { what: 'times ccusage (native), from the index', reached: value(theirs.native) / value(own.indexed), atLeast: 8 },
        ]
      : [
          { what: 'milliseconds, without an index', reached: value(own.fresh), atMost: 75 },
          { what: 'one session, to the bare start', reached: value(own.one) / value(own.bare), atMost: 1.5 },
        ]
  if (ccusage === undefined) rows.push({ subject: theirs.launcher, trouble: 'npm could not install it' })
  return {
    title: `Costs of ${size} of session logs`,
    unit: 'milliseconds',
    how: `Every session as JSON, files in the page cache; median of ${rounds} rounds in which the subjects take turns.`,
    rows,
    against: own.fresh,
    goals,
  }
}

function anySession(corpus: string): string {
  const projects = path.join(corpus, 'projects')
  const [first = ''] = readdirSync(projects)
  const [file = ''] = readdirSync(path.join(projects, first))
  return path.basename(file, '.jsonl')
}

async function memory(ground: Ground, corpus: string): Promise<Section> {
  const env = { ...ground.env, CLAUDE_CONFIG_DIR: corpus }
  const fresh = await peak(['cost', '--json', '--no-index'], env)
  const indexed = await peak(['cost', '--json'], env)
  return {
    title: 'Costs of 1 GB of session logs: memory',
    unit: 'MB at most',
    how: 'The largest resident set of the process, all of its threads.',
    rows: [
      { subject: own.fresh, value: fresh },
      { subject: own.indexed, value: indexed },
    ],
    against: own.fresh,
    goals: [{ what: 'MB', reached: Math.max(fresh, indexed), atMost: 145 }],
  }
}

/** Looked at every few milliseconds until it ends: the kernel's mark only rises. */
function peak(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(anchorhold, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    let most = Number.NaN
    const timer = setInterval(() => {
      const status = existsSync(`/proc/${child.pid}/status`) ? readFileSync(`/proc/${child.pid}/status`, 'utf8') : ''
      const seen = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]
      if (seen !== undefined) most = Number(seen) / 1000
    }, 3)
    child.once('error', reject)
    child.once('close', () => {
      clearInterval(timer)
      resolve(most)
    })
  })
}
