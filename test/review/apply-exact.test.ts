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

  it("a file's access list and extended attributes stay what they were, through apply and undo; what the agent set is told, not applied", async () => {
    const layer = makeLayer()
    playing(layer.project, [
      { kind: 'write', path: 'edited', content: 'x' },
      { kind: 'write', path: 'gone', content: 'x' },
      { kind: 'write', path: 'moved', content: 'a line to be known by' },
      { kind: 'write', path: 'd/\xff', content: 'x' },
    ])
    const python = (script: string, cwd: string): string =>
      execFileSync('python3', ['-c', `import os, struct\n${script}`], {
        cwd,
        env: { ...process.env, PYTHONIOENCODING: 'utf8:surrogateescape' },
      }).toString()
    const list = `
def acl(*entries): return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *each) for each in entries)
def tell(*names):
    for name in names: print(name.encode('utf8', 'backslashreplace').decode(), oct(os.stat(name).st_mode), {each: os.getxattr(name, each).hex() for each in sorted(os.listxattr(name)) if each.startswith(('user.', 'system.'))})
none = 0xffffffff
`
    const before = `tell('edited', 'gone', 'moved', os.fsdecode(b'd/\\xff'))`
    python(
      `${list}
for name in ['edited', 'gone', 'moved', os.fsdecode(b'd/\\xff')]:
    os.setxattr(name, 'user.note', b'mine\\0too'); os.setxattr(name, 'system.posix_acl_access', acl((1, 6, none), (2, 4, 4711), (4, 4, none), (0x10, 4, none), (0x20, 0, none)))
`,
      layer.project,
    )
    const was = python(list + before, layer.project)
    expect(was.match(/system\.posix_acl_access/g)).toHaveLength(4)
    layer.inView(`echo y > edited; rm gone; mv moved there; printf z >> "d/$(printf '\\377')"
      python3 -c "import os; os.setxattr('edited', 'user.agent', b'x'); open('new', 'w').close(); os.setxattr('new', 'user.agent', b'x')"`)
    const { changes } = await layer.collect()
    expect(Object.fromEntries(changes.map(({ path, dropped }) => [path, dropped]))).toEqual({
      edited: ['user.agent'],
      gone: undefined,
      new: ['user.agent'],
      // Of a moved file its own come along; there is nothing at its new name to compare them with.
      there: expect.arrayContaining(['user.note']),
      'd/\udcff': undefined,
    })
    await applyAll(layer)
    const now = python(`${list}tell('edited', 'there', 'new', os.fsdecode(b'd/\\xff'))`, layer.project)
    const of = (text: string, name: string): string | undefined =>
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length)
    expect(of(now, 'edited')).toBe(of(was, 'edited'))
    expect(of(now, 'there')).toBe(of(was, 'moved'))
    expect(now).toMatch(/^new 0o\d+ \{\}$/m)
    const last = lastApply(layer.proposal().folder)
    if (last !== undefined) await takeBack(layer.proposal().folder, last)
    expect(python(list + before, layer.project)).toBe(was)
  })
})
