// anchorhold is killed at every single step of an apply and of an undo: each file is as it was or as it shall be, and the next command finishes it (TRM-28).
import { execFileSync, spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { finishPending, lastApply, takeBack } from '../../src/review/apply/apply.ts'
import { makeLayer, snapshot, type Layer } from './support/layer.ts'
import { playing } from './support/steps.ts'

const root = path.resolve(import.meta.dirname, '../..')
const script = `
  import { applyChosen, lastApply, takeBack } from '${root}/src/review/apply/apply.ts'
  import { openReview } from '${root}/src/review/open-review.ts'
  import { readProposal } from '${root}/src/review/record.ts'
  const [folder, what] = process.argv.slice(1)
  if (what === 'undo') await takeBack(folder, lastApply(folder))
  else {
    using review = await openReview({ proposal: readProposal(folder), folder }, { lines: false, settle: true })
    await applyChosen(review, review.changes.map((change) => ({ change })))
  }
`

/** @returns false where it was killed, at its Nth change to a disk */
function killed(layer: Layer, what: 'apply' | 'undo', count: number): boolean {
  const args = [
    '--require',
    path.join(import.meta.dirname, 'fixtures/kill-at.cjs'),
    '--input-type=module',
    '-e',
    script,
    layer.proposal().folder,
    what,
  ]
  const done = spawnSync(process.execPath, args, { env: { ...process.env, KILL_AT: String(count) }, encoding: 'utf8' })
  if (done.signal !== 'SIGKILL') expect(done.stderr).toBe('')
  return done.signal === 'SIGKILL'
}

async function undo(layer: Layer): Promise<void> {
  const { folder } = layer.proposal()
  const last = lastApply(folder)
  if (last !== undefined) expect((await takeBack(folder, last)).left).toEqual([])
}

function prepared(): {
  readonly layer: Layer
  readonly before: Readonly<Record<string, string>>
  readonly after: Readonly<Record<string, string>>
} {
  const layer = makeLayer()
  playing(layer.project, [
    { kind: 'write', path: 'edit', content: 'one\ntwo\n' },
    { kind: 'write', path: 'gone', content: 'gone\n' },
    { kind: 'write', path: 'kind/inner', content: 'x' },
  ])
  layer.inView(
    'echo three >> edit; rm gone; rm -r kind; echo file > kind; mkdir -p new/deep; echo n > new/deep/n; ln -s edit link; chmod 755 edit',
  )
  return { layer, before: snapshot(layer.project), after: snapshot(layer.copyOfView()) }
}

/** Every file is one of the two, and nothing else lies there but temporary files that say whose they are. */
function eachIsEither(layer: Layer, before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): void {
  for (const [name, is] of Object.entries(snapshot(layer.project))) {
    if (name.includes('.anchorhold-')) continue
    expect([before[name], after[name]]).toContain(is)
  }
  for (const name of Object.keys(before)) {
    const now = snapshot(layer.project)
    if (!(name in now)) expect(after[name]).toBeUndefined()
  }
}

describe('a disk that refuses', () => {
  it('one change: everything is as it was, whichever it is (TRM-28)', () => {
    const { layer, before, after } = prepared()
    let refused = 0
    for (let count = 1; ; count += 4) {
      const args = [
        '--require',
        path.join(import.meta.dirname, 'fixtures/kill-at.cjs'),
        '--input-type=module',
        '-e',
        script,
        layer.proposal().folder,
        'apply',
      ]
      const done = spawnSync(process.execPath, args, { env: { ...process.env, KILL_AT: String(count), FAIL: 'yes' }, encoding: 'utf8' })
      const now = snapshot(layer.project)
      if (done.status === 0) {
        expect(now).toEqual(after)
        break
      }
      refused += 1
      expect(done.stderr).toMatch(/ENOSPC/)
      expect(done.stderr).not.toMatch(/Applying stopped at .*\/proc\/self/)
      expect(now).toEqual(before)
      execFileSync('rm', ['-rf', layer.proposal().folder])
    }
    expect(refused).toBeGreaterThan(8)
  }, 300_000)
})

describe('killed', () => {
  it('while applying, at any change to the disk: each file is as before or as after, and can be finished or taken back', async () => {
    const { layer, before, after } = prepared()
    let count = 1
    while (killed(layer, 'apply', count)) {
      eachIsEither(layer, before, after)
      if (count % 2 === 0) {
        await finishPending(layer.proposal().folder)
        expect([before, after]).toContainEqual(snapshot(layer.project))
      }
      await undo(layer)
      expect(snapshot(layer.project)).toEqual(before)
      execFileSync('rm', ['-rf', layer.proposal().folder])
      count += 1
    }
    expect(count).toBeGreaterThan(40) // the hook did count
    expect(snapshot(layer.project)).toEqual(after)
  }, 600_000)

  it('while applying many, which come to the disk together', async () => {
    const layer = makeLayer()
    playing(layer.project, [{ kind: 'write', path: 'edit', content: 'one\n' }])
    layer.inView('echo two >> edit; mkdir many; i=0; while [ $i -lt 120 ]; do echo $i > many/$i; i=$((i+1)); done')
    const before = snapshot(layer.project)
    const after = snapshot(layer.copyOfView())
    let kills = 0
    for (let count = 150; killed(layer, 'apply', count); count += 170) {
      kills += 1
      eachIsEither(layer, before, after)
      if (kills % 2 === 0) await finishPending(layer.proposal().folder)
      await undo(layer)
      expect(snapshot(layer.project)).toEqual(before)
      execFileSync('rm', ['-rf', layer.proposal().folder])
    }
    expect(kills).toBeGreaterThan(3)
    expect(snapshot(layer.project)).toEqual(after)
  }, 300_000)

  it('while taking back: the next command goes on with that', async () => {
    const { layer, before, after } = prepared()
    killed(layer, 'apply', 0)
    expect(snapshot(layer.project)).toEqual(after)
    for (let count = 1; killed(layer, 'undo', count); count += 3) {
      eachIsEither(layer, before, after)
      await finishPending(layer.proposal().folder)
      await undo(layer)
      expect(snapshot(layer.project)).toEqual(before)
      killed(layer, 'apply', 0)
    }
    expect(snapshot(layer.project)).toEqual(before)
  }, 600_000)
})
