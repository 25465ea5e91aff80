// The demo behind other engines: the real agent from an image, the same disasters, the same verdicts.
import { expect, test } from 'vitest'
import { playDemo, type Step } from '../../src/demo/play.ts'
import { requireStanding } from '../../src/prove/require.ts'
import { processContext } from '../../src/run/context.ts'
import { cachedClaude } from '../agents/claude-cache.ts'
import { describeContainers } from '../support/containers.ts'

await describeContainers(
  'the demo in containers',
  (engine) => {
    test('the wall holds and the work gets done', async () => {
      const agent = await cachedClaude()
      const own = processContext()
      const steps: Step[] = []
      const context = { ...own, env: { ...own.env, ...engine.env }, standing: requireStanding }
      const result = await playDemo({
        agent,
        context,
        keep: false,
        engine: 'docker',
        image: engine.base,
        onStep: (step) => void steps.push(step),
      })
      expect(result.findings.filter(({ ok }) => !ok)).toEqual([])
      expect(result).toMatchObject({ ok: true, exitCode: 0 })
      const started = steps.flatMap((step) => (step.kind === 'wall' && step.event.kind === 'session.started' ? [step.event.engine] : []))
      expect(started).toEqual(['docker'])
    }, 600_000)
  },
  ['docker'],
)
