// Whatever a cell may have done to any tree: applying it gives the view again, names, bytes, modes and links; taking it back gives the original (TRM-26).
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyChosen, lastApply, takeBack } from '../../src/review/apply/apply.ts'
import { openReview } from '../../src/review/open-review.ts'
import { makeLayer, snapshot, type Layer } from './support/layer.ts'
import { playing, scriptOf, steps } from './support/steps.ts'

async function applyAll(layer: Layer): Promise<void> {
  using review = await openReview(layer.proposal(), { lines: false, settle: true })
  const chosen = review.changes.filter(({ after }) => after === undefined || ['file', 'link', 'folder'].includes(after.kind))
  const { left } = await applyChosen(
    review,
    chosen.map((change) => ({ change })),
  )
  expect(left).toEqual([])
}

describe('apply', () => {
  it('reproduces any random change exactly, and undo the original', async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, async (first, second) => {
        const layer = makeLayer()
        playing(layer.project, first)
        const before = snapshot(layer.project)
        layer.inView(scriptOf(second))
        const want = snapshot(layer.copyOfView())
        await applyAll(layer)
        expect(snapshot(layer.project)).toEqual(want)
        using rest = await openReview(layer.proposal(), { lines: false, settle: true })
        expect(rest.changes).toEqual([])
        const last = lastApply(layer.proposal().folder)
        if (last === undefined) return
        await takeBack(layer.proposal().folder, last)
        expect(snapshot(layer.project)).toEqual(before)
      }),
      { numRuns: 40 },
    )
  }, 240_000)

  it('hard links made in the view are hard links afterwards', async () => {
    const layer = makeLayer()
    layer.inView('echo one > a; ln a b; mkdir d; ln a d/c')
    await applyAll(layer)
    expect(execFileSync('find', ['.', '-links', '3', '-type', 'f'], { cwd: layer.project }).toString().split('\n').toSorted()).toEqual([
      '',
      './a',
      './b',
      './d/c',
    ])
  })

  it("a file's owner and time: the owner stays, the time is now, so that make and git see it", async () => {
    const layer = makeLayer()
    playing(layer.project, [{ kind: 'write', path: 'a', content: 'x' }])
    layer.inView('echo y > a; touch -d 2001-01-01 a; echo n > n; touch -d 2099-01-01 n')
    const began = Date.now() - 1000
    await applyAll(layer)
    const times = execFileSync('stat', ['-c', '%Y', 'a', 'n'], { cwd: layer.project }).toString().trim().split('\n').map(Number)
    expect(times.every((seconds) => seconds * 1000 > began - 1000 && seconds * 1000 < Date.now() + 1000)).toBe(true)
  })
})
