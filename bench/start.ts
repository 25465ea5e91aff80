// Start: how long `true` takes behind each wall, from the first exec to the exit code.
import { anchorhold, bundledNode, smallProject, type Ground } from './ground.ts'
import { dockerPeer, srtPeer } from './peers.ts'
import { median, takeTurns, type Subject } from './sample.ts'
import type { Row, Section } from './table.ts'

export const bareBwrap: readonly [string, ...string[]] = [
  'bwrap',
  '--unshare-all',
  '--ro-bind',
  '/',
  '/',
  '--dev',
  '/dev',
  '--proc',
  '/proc',
  'true',
]

export async function start(ground: Ground): Promise<readonly Section[]> {
  const cwd = smallProject(ground)
  const { env } = ground
  const srt = await srtPeer(ground)
  const docker = await dockerPeer(ground)
  try {
    const subjects: Subject[] = [
      { name: 'anchorhold run -- true', argv: [anchorhold, 'run', '--quiet', '--', 'true'], cwd, env },
      { name: 'node -e 0', argv: [bundledNode, '-e', '0'], cwd, env },
      { name: 'bwrap … true', argv: bareBwrap, cwd, env },
    ]
    if (srt.kind === 'ready') subjects.push({ name: 'srt true', argv: srt.argv(['true']), cwd, env })
    const samples = takeTurns(subjects, 30)
    const slow = docker.kind === 'ready' ? takeTurns([{ name: dockerName, argv: docker.argv(['true']), cwd, env }], 10) : []
    const rows: Row[] = [...samples, ...slow].map(({ name, times, trouble }) =>
      trouble === undefined ? { subject: name, value: median(times) } : { subject: name, trouble },
    )
    if (srt.kind === 'missing') rows.push({ subject: 'srt true', trouble: srt.why })
    if (docker.kind === 'missing') rows.push({ subject: dockerName, trouble: docker.why })
    const value = (name: string): number => rows.find((row) => row.subject === name)?.value ?? Number.NaN
    const own = value('anchorhold run -- true')
    return [
      {
        title: 'Start',
        unit: 'milliseconds',
        how: 'Wall time of one start and end, median of 30 rounds in which the subjects take turns (docker: 10, an image of one static file, no network).',
        rows,
        against: 'anchorhold run -- true',
        goals: [
          { what: 'of `srt true`', reached: own / value('srt true'), atMost: 0.35 },
          { what: 'of `node -e 0` plus bare `bwrap … true`', reached: own / (value('node -e 0') + value('bwrap … true')), atMost: 2.5 },
        ],
      },
    ]
  } finally {
    if (docker.kind === 'ready') await docker.stop()
  }
}
const dockerName = 'docker run --rm --network none … true'
