// Daily work inside the wall against the same work outside: the file system and the processes, not the start.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { anchorhold, bundledNode, git, manyFiles, root, type Ground } from './ground.ts'
import { median } from './sample.ts'
import type { Row, Section } from './table.ts'

interface Work {
  readonly name: string
  readonly project: string
  readonly command: readonly string[]
  readonly times: number
  readonly remove?: string
  /** What the cell must see beside the project. */
  readonly mounts: readonly string[]
}

export function inside(ground: Ground): Promise<readonly Section[]> {
  const work = [status(ground), install(ground), compile(ground)]
  return Promise.resolve(work.map((one) => section(one, measure(one, ground))))
}

function status(ground: Ground): Work {
  const project = manyFiles(ground, 30_000)
  git(ground, project, 'add', '.')
  git(ground, project, 'commit', '-q', '-m', 'start')
  return { name: '`git status` in 30,000 files', project, command: ['git', 'status'], times: 5, mounts: [] }
}

/** From a cache inside the project, so that the network has no part in it. */
function install(ground: Ground): Work {
  const project = path.join(ground.folder, 'install')
  mkdirSync(project)
  writeFileSync(
    path.join(project, 'package.json'),
    '{ "private": true, "dependencies": { "yaml": "2.9.1", "zod": "4.6.7", "commander": "15.1.0", "tldts": "7.5.5" } }\n',
  )
  const cli = npmProgram()
  const npm = path.dirname(path.dirname(cli))
  // The machine's own set-up of npm decides where packages come from; inside, the same is said by arguments.
  const env = { ...process.env, PATH: machinePath().join(':') }
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { env, encoding: 'utf8' }).stdout.trim()
  const common = [
    '--registry',
    registry,
    '--cache',
    path.join(project, '.npm-cache'),
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--ignore-scripts',
  ]
  spawnSync('npm', ['install', '--omit-lockfile-registry-resolved=false', ...common], { cwd: project, env, stdio: 'ignore' })
  return {
    name: '`npm ci`',
    project,
    command: [bundledNode, cli, 'ci', '--offline', ...common],
    times: 5,
    remove: 'node_modules',
    mounts: npm.startsWith('/usr/') ? [] : [npm],
  }
}

function machinePath(): readonly string[] {
  return (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'))
}

/** The machine's own npm, as a file that Node can run. */
function npmProgram(): string {
  const found = machinePath()
    .map((folder) => path.join(folder, 'npm'))
    .find((file) => existsSync(file))
  if (found === undefined) throw new Error('bench: npm is not in PATH')
  return realpathSync(found)
}

function compile(ground: Ground): Work {
  const project = path.join(ground.folder, 'compile')
  mkdirSync(project)
  const functions = Array.from(
    { length: 400 },
    (_, n) => `int f${n}(int x) { int s = 0; for (int i = 0; i < x; i++) s += (i * ${n}) ^ (s >> 3); return s; }`,
  )
  writeFileSync(path.join(project, 'a.c'), `${functions.join('\n')}\n`)
  return { name: 'a compile (`gcc -O2`)', project, command: ['gcc', '-O2', '-c', 'a.c', '-o', 'a.o'], times: 3, mounts: [] }
}

function measure(work: Work, ground: Ground): readonly Row[] {
  const repeat = path.join(work.project, '.repeat.mts')
  copyFileSync(path.join(import.meta.dirname, 'load/repeat.ts'), repeat)
  const timed = [bundledNode, repeat, String(work.times), work.remove ?? '-', ...work.command]
  const mounts = [path.join(root, 'node_modules/node'), ...work.mounts].flatMap((folder) => ['--mount', `${folder}:ro`])
  const places = { outside: timed, inside: [anchorhold, 'run', '--quiet', ...mounts, '--', ...timed] }
  const values: Record<keyof typeof places, number[]> = { outside: [], inside: [] }
  for (let round = 0; round < 3; round++) {
    for (const place of ['outside', 'inside'] as const) {
      const [file = '', ...args] = places[place]
      const result = spawnSync(file, args, {
        cwd: work.project,
        env: ground.env,
        encoding: 'utf8',
        timeout: 120_000,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      if (result.status !== 0) return [{ subject: place, trouble: result.stderr.trim().split('\n').slice(-2).join(' ') }]
      values[place].push(Number(result.stdout))
    }
  }
  return [
    { subject: 'outside', value: median(values.outside) },
    { subject: 'inside', value: median(values.inside) },
  ]
}

function section(work: Work, rows: readonly Row[]): Section {
  const value = (name: string): number => rows.find((row) => row.subject === name)?.value ?? Number.NaN
  return {
    title: `Inside and outside: ${work.name}`,
    unit: 'milliseconds',
    how: `The command times itself where it runs; median of 3 rounds of ${work.times}.`,
    rows,
    against: 'outside',
    goals: [{ what: 'inside to outside', reached: value('inside') / value('outside'), atMost: 1.05 }],
  }
}
