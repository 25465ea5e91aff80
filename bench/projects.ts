// Start in big projects: protection must not cost what the project's size would suggest.
import { anchorhold, manyFiles, nestedRepositories, smallProject, type Ground } from './ground.ts'
import { median, takeTurns, type Subject } from './sample.ts'
import type { Section } from './table.ts'

export function projects(ground: Ground): Promise<readonly Section[]> {
  const folders = [
    ['a small project', smallProject(ground)],
    ['90,000 files', manyFiles(ground, 90_000)],
    ['1,000 nested repositories', nestedRepositories(ground, 1000)],
  ] as const
  const subjects = folders.map(([name, cwd]): Subject => ({
    name,
    cwd,
    env: ground.env,
    argv: [anchorhold, 'run', '--quiet', '--', 'true'],
  }))
  const rows = takeTurns(subjects, 20).map(({ name, times, trouble }) =>
    trouble === undefined ? { subject: name, value: median(times) } : { subject: name, trouble },
  )
  const small = rows[0]?.value ?? Number.NaN
  return Promise.resolve([
    {
      title: 'Start in big projects',
      unit: 'milliseconds',
      how: '`anchorhold run -- true`, median of 20 rounds in which the projects take turns.',
      rows,
      against: 'a small project',
      goals: rows.slice(1).map((row) => ({ what: row.subject, reached: (row.value ?? Number.NaN) / small, atMost: 1.2 })),
    },
  ])
}
