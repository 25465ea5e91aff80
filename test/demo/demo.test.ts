// The whole demo: the real agent, a real cell, the pipeline. Everything it says was looked at again here.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Installation } from '../../src/agents/installation.ts'
import { openShow, verdictLines } from '../../src/demo/show.ts'
import { playDemo, type Step } from '../../src/demo/play.ts'
import { requireStanding } from '../../src/prove/require.ts'
import { unstyled } from '../../src/report/style.ts'
import { processContext } from '../../src/run/context.ts'
import { cachedClaude } from '../agents/claude-cache.ts'

const cache: { agent?: Installation } = {}
beforeAll(async () => {
  cache.agent = await cachedClaude()
}, 600_000)

async function playOnce(keep: boolean) {
  const steps: Step[] = []
  const agent = cache.agent ?? (await cachedClaude())
  const context = { ...processContext(), standing: requireStanding }
  const result = await playDemo({ agent, context, keep, onStep: (step) => steps.push(step) })
  return { steps, result }
}

test('the wall holds, the work gets done, and what is kept says the same', async () => {
  const { steps, result } = await playOnce(true)
  const root = result.root ?? ''
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  expect(result.findings.filter(({ ok }) => !ok)).toEqual([])
  expect(result).toMatchObject({ ok: true, exitCode: 0 })
  const work = path.join(root, 'home/you/work')
  expect(readFileSync(`${work}/thesis/chapter-2.md`, 'utf8')).toContain('The only copy.')
  expect(readFileSync(`${work}/shop/price.sh`, 'utf8')).toContain('$1 * $2 / 100')
  expect(existsSync(`${work}/shop/owned.txt`)).toBe(false)
  expect(steps.filter(({ kind }) => kind === 'act')).toHaveLength(7)
  const answers = steps.flatMap((step) => (step.kind === 'answer' && step.id === 'theft' ? [step.text] : []))
  expect(answers.join('')).toContain('No such file')

  const show = openShow(unstyled)
  const text = [...steps.flatMap((step) => show(step)), ...verdictLines(result, unstyled)].join('\n')
  expect(text).toContain('refused evil.test')
  expect(text).toContain('The wall held and the work got done')
  expect(text).not.toMatch(/[^\n\P{Cc}]/u)
})

test('nothing is left behind', async () => {
  const { steps, result } = await playOnce(false)
  expect(result).toMatchObject({ ok: true })
  const stage = steps.find((step) => step.kind === 'stage')
  expect(stage?.kind === 'stage' ? existsSync(stage.root) : true).toBe(false)
})
