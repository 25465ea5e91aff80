// Whatever the upper layer holds, and whatever becomes of the project meanwhile: not one byte outside the project is touched
// (TRM-14, 23, 27).
import { execFileSync } from 'node:child_process'
import fs, { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { applyChosen } from '../../src/review/apply/apply.ts'
import { perform } from '../../src/review/apply/perform.ts'
import { choose } from '../../src/review/apply/choose.ts'
import { stage } from '../../src/review/apply/stage.ts'
import { openReview } from '../../src/review/open-review.ts'
import { openBelow, partsOf } from '../../src/review/below.ts'
import { makeLayer, snapshot } from './support/layer.ts'
import { playing } from './support/steps.ts'

function outside(layer: { readonly root: string }): string {
  const folder = path.join(layer.root, 'outside')
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'secret'), 'untouched')
  return folder
}

describe('a hostile layer', () => {
  it('links, pipes and names that lead out: applied as what they are, or left', async () => {
    const layer = makeLayer()
    const target = outside(layer)
    const before = snapshot(target)
    playing(layer.project, [{ kind: 'write', path: 'dir/file', content: 'x' }])
    layer.inView(
      `rm -r dir; ln -s '${target}' dir; ln -s '${target}/secret' abs; ln -s ../../outside/secret rel; mkfifo pipe; mkdir '..x' '...'; echo 1 > '..x/..y'; echo 2 > '.../f'
       printf 3 > "$(printf 'a\\n..\\n')"; ln -s loop loop; mkdir -p deep; i=0; while [ $i -lt 200 ]; do mkdir d 2>/dev/null; cd d; i=$((i+1)); done; echo deep > f`,
    )
    using review = await openReview(layer.proposal(), { lines: true, settle: true })
    expect(review.changes.filter(({ risks }) => risks.some(({ kind }) => kind === 'escapes')).map(({ path: name }) => name)).toEqual([
      'abs',
      'dir',
      'pipe',
      'rel',
    ])
    const choice = choose(review, { changes: review.changes, named: new Set(review.changes) }, { merge: true })
    expect(choice.leftOut.map(({ change, kind }) => [change.path, kind])).toEqual([['pipe', 'refused']])
    await applyChosen(review, choice.chosen)
    expect(snapshot(target)).toEqual(before)
    expect(snapshot(layer.project)['dir']).toBe(`-> ${target}`)
    expect(snapshot(layer.project)[`${'d/'.repeat(200)}f`]).toContain('deep')
  })

  it('a folder of the project that becomes a link while it is applied is not followed', async () => {
    const layer = makeLayer()
    const target = outside(layer)
    playing(layer.project, [
      { kind: 'write', path: 'dir/secret', content: 'old' },
      { kind: 'write', path: 'dir/gone', content: 'old' },
      { kind: 'write', path: 'ok', content: 'old' },
    ])
    writeFileSync(path.join(target, 'gone'), 'untouched')
    const before = snapshot(target)
    layer.inView('echo new > dir/secret; rm dir/gone; echo new > dir/fresh; mkdir dir/sub; echo s > dir/sub/s; echo new > ok')
    using review = await openReview(layer.proposal(), { lines: false, settle: true })
    const { folder, record } = await stage(
      review,
      review.changes.map((change) => ({ change })),
    )
    renameSync(path.join(layer.project, 'dir'), path.join(layer.project, 'dir-was'))
    symlinkSync(target, path.join(layer.project, 'dir'))
    const { left } = await perform(record, folder, 'forward')
    expect(left.map(({ operation }) => operation.path)).toEqual(expect.arrayContaining(['dir/secret', 'dir/fresh', 'dir/sub/s']))
    expect(snapshot(target)).toEqual(before)
    expect(snapshot(layer.project)['ok']).toContain('new')
  })

  it('what the agent put below a link of the project is never compared with what lies behind the link', async () => {
    const layer = makeLayer()
    const target = outside(layer)
    symlinkSync(target, path.join(layer.project, 'l'))
    layer.inView('rm l; mkdir l; echo mine > l/secret')
    using review = await openReview(layer.proposal(), { lines: true, settle: true })
    expect(review.changes.map(({ path: name, action, before }) => [name, action, before?.kind])).toEqual([
      ['l', 'type', 'link'],
      ['l/secret', 'added', undefined],
    ])
    await applyChosen(
      review,
      review.changes.map((change) => ({ change })),
    )
    expect(snapshot(target)).toEqual({ secret: expect.stringContaining('untouched') })
    expect(snapshot(layer.project)['l/secret']).toContain('mine')
  })

  it('a second name of a file outside is not written through', async () => {
    const layer = makeLayer()
    const target = outside(layer)
    execFileSync('ln', [path.join(target, 'secret'), path.join(layer.project, 'twin')])
    layer.inView('echo changed >> twin; chmod 755 twin')
    using review = await openReview(layer.proposal(), { lines: false, settle: true })
    await applyChosen(
      review,
      review.changes.map((change) => ({ change })),
    )
    expect(snapshot(target)).toEqual({ secret: '644 untouched' })
    expect(snapshot(layer.project)['twin']).toContain('changed')
  })

  it('paths that are none are refused', () => {
    const layer = makeLayer()
    using below = openBelow(layer.project)
    for (const bad of ['', '..', '../x', 'a/../b', '/abs', 'a//b', './a', 'a/.', 'a\0b']) {
      expect(() => partsOf(bad)).toThrow()
      expect(() => below.at(bad)).toThrow()
    }
  })

  it('what the user saves between the question and the write stays, and is told', async () => {
    const layer = makeLayer()
    playing(layer.project, [
      { kind: 'write', path: 'saved', content: 'old' },
      { kind: 'write', path: 'removed', content: 'old' },
      { kind: 'write', path: 'moved', content: 'a line to be known by' },
      { kind: 'write', path: 'ok', content: 'old' },
    ])
    layer.inView('echo new > saved; rm removed; echo new > fresh; mv moved there; echo new > ok')
    using review = await openReview(layer.proposal(), { lines: false, settle: true })
    const { chosen } = choose(review, { changes: review.changes, named: new Set() }, { merge: false })
    expect(chosen).toHaveLength(5)
    for (const name of ['saved', 'removed', 'fresh', 'there']) writeFileSync(path.join(layer.project, name), 'mine')
    const { left } = await applyChosen(review, chosen)
    expect(left.map(({ operation }) => operation.path).toSorted()).toEqual(['fresh', 'removed', 'saved', 'there'])
    const now = snapshot(layer.project)
    for (const name of ['saved', 'removed', 'fresh', 'there']) expect(now[name]).toContain('mine')
    expect([now['moved'], now['ok']]).toEqual([expect.stringContaining('a line'), expect.stringContaining('new')])
  })

  it('a deep tree costs what it holds: folders on the way stay open, a bounded number of them', () => {
    const layer = makeLayer()
    const depth = 1500
    execFileSync('python3', ['-c', `import os\nfor _ in range(${depth}):\n os.mkdir("d"); os.chdir("d"); open("f","w").close()`], {
      cwd: layer.project,
    })
    using below = openBelow(layer.project)
    const opens = vi.spyOn(fs, 'openSync')
    onTestFinished(() => {
      opens.mockRestore()
      syncBuiltinESMExports()
    })
    syncBuiltinESMExports()
    for (let level = 1; level <= depth; level += 1) expect(below.facts(`${'d/'.repeat(level)}f`)?.type).toBe('f')
    for (let level = depth; level >= 1; level -= 1) expect(below.facts(`${'d/'.repeat(level)}f`)?.type).toBe('f')
    expect(opens.mock.calls.length).toBeGreaterThan(depth)
    expect(opens.mock.calls.length).toBeLessThan(40 * depth)
    const held = fs.readdirSync('/proc/self/fd').filter((fd) => pathOfFd(fd).startsWith(layer.project))
    expect(held.length).toBeLessThan(80)
    below.forget()
    fs.rmSync(path.join(layer.project, 'd', 'f'))
    expect(below.facts('d/f')).toBeUndefined()
  })
})

function pathOfFd(fd: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}
