// Review: what opening the view costs, and reading ten changes, in a repository of a hundred thousand files; git inside against outside.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { anchorhold, git, manyFiles, type Ground } from './ground.ts'
import { takePacedTurns, type Place } from './paced.ts'
import { median, takeTurns, type Sample, type Subject } from './sample.ts'
import type { Row, Section } from './table.ts'

const rounds = 15
/** Of the slow ones. */
const few = 1

export async function review(ground: Ground): Promise<readonly Section[]> {
  const project = manyFiles(ground, 100_000)
  git(ground, project, 'config', 'gc.auto', '0') // packing in the background would take files away from under the copies
  git(ground, project, 'add', '.')
  git(ground, project, 'commit', '-q', '-m', 'start')
  return [opening(ground, project), reading(ground, project), ...(await working(ground, project))]
}

function opening(ground: Ground, cwd: string): Section {
  const { env } = ground
  const run = (name: string, workspace: string): Subject => ({
    name,
    cwd,
    env,
    argv: [anchorhold, 'run', '--quiet', '--workspace', workspace, '--', 'true'],
  })
  const runs = takeTurns([run('a live run', 'live'), run('a run on a view', 'review')], rounds)
  const copy = path.join(ground.folder, 'copy')
  const script = (name: string, text: string): Subject => ({ name, cwd, env, argv: ['sh', '-c', text] })
  const copies = takeTurns(
    [
      script(
        '`git worktree add`, and removed',
        `rm -rf '${copy}' && git worktree prune && git worktree add -q --detach '${copy}' && git worktree remove --force '${copy}'`,
      ),
      script('`cp -a --reflink=auto`, and removed', `rm -rf '${copy}' && cp -a --reflink=auto . '${copy}' && rm -rf '${copy}'`),
    ],
    few,
  )
  rmSync(copy, { recursive: true, force: true })
  const [live, view] = runs.map((sample) => median(sample.times))
  return {
    title: 'A view of 100,000 files',
    unit: 'milliseconds',
    how: `The whole of \`anchorhold run -- true\`, median of ${rounds} rounds, on the project itself and on a copy-on-write view; the usual ways to a copy, after two rounds to warm up, once.`,
    rows: [...runs, ...copies].map(rowOf),
    against: 'a live run',
    goals: [{ what: 'milliseconds that a view adds', reached: (view ?? Number.NaN) - (live ?? Number.NaN), atMost: 10 }],
  }
}

function reading(ground: Ground, cwd: string): Section {
  const { env } = ground
  const change = 'for n in 0 1 2 3 4 5 6 7 8 9; do echo changed >> part-0/folder-0/file-$n.txt; done'
  const [made] = takeTurns(
    [{ name: 'made', cwd, env, argv: [anchorhold, 'run', '--quiet', '--workspace', 'review', '--name', 'ten', '--', 'sh', '-c', change] }],
    1,
  )
  const samples = takeTurns(
    [
      { name: 'the bare start (`anchorhold --version`)', cwd, env, argv: [anchorhold, '--version'] },
      { name: '`anchorhold diff --stat` of 10 changes', cwd, env, argv: [anchorhold, 'diff', 'ten', '--stat'] },
      { name: '`git status && git diff`', cwd, env, argv: ['sh', '-c', 'git status --short && git diff --stat'] },
    ],
    rounds,
  )
  const [bare, diff] = samples.map((sample) => median(sample.times))
  return {
    title: 'Reading ten changes among 100,000 files',
    unit: 'milliseconds',
    how: `Median of ${rounds} rounds in which they take turns${made?.trouble === undefined ? '' : ` (${made.trouble})`}.`,
    rows: samples.map(rowOf),
    against: 'the bare start (`anchorhold --version`)',
    goals: [{ what: '`anchorhold diff --stat` against the bare start', reached: (diff ?? Number.NaN) / (bare ?? Number.NaN), atMost: 1.5 }],
  }
}

async function working(ground: Ground, cwd: string): Promise<readonly Section[]> {
  const { env } = ground
  const build = path.join(ground.folder, 'build')
  mkdirSync(build)
  const source = (file: number): string =>
    Array.from(
      { length: 60 },
      (_, n) => `int f${file}_${n}(int x) { int s = 0; for (int i = 0; i < x; i++) s += (i * ${n}) ^ (s >> 3); return s; }\n`,
    ).join('')
  for (let file = 0; file < 20; file++) writeFileSync(path.join(build, `part-${file}.c`), source(file))
  const wrap = [anchorhold, 'run', '--quiet', '--workspace', 'review', '--'] as const
  const both = (project: string): readonly Place[] => [
    { name: 'outside', wrap: [], cwd: project, env },
    { name: 'on a view', wrap, cwd: project, env },
  ]
  const section = async (title: string, what: string, project: string, command: string, count: number): Promise<Section> => {
    const samples = await takePacedTurns(both(project), command, count)
    const [outside, inside] = samples.map((sample) => median(sample.times))
    return {
      title,
      unit: 'milliseconds',
      how: `\`${command}\`, run again and again in a shell outside and in one inside, which take turns: median of ${count}, after three to warm up.`,
      rows: samples.map(rowOf),
      against: 'outside',
      goals: [{ what, reached: (inside ?? Number.NaN) / (outside ?? Number.NaN), atMost: 1.1 }],
    }
  }
  return [
    await section('`git status` on a view of 100,000 files', '`git status` on a view', cwd, 'git status --short', 21),
    await section('A build on a view', 'a build on a view', build, 'rm -f *.o all.a && cc -O1 -c *.c && ar rc all.a *.o', 7),
  ]
}

function rowOf({ name, times, trouble }: Sample): Row {
  return trouble === undefined ? { subject: name, value: median(times) } : { subject: name, trouble }
}
