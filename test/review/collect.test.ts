// What a cell may leave in the upper layer, made by a real overlay, and what is read from it.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Change } from '../../src/model/change.ts'
import { openReview } from '../../src/review/open-review.ts'
import { makeLayer, type Layer } from './support/layer.ts'

function original(layer: Layer, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(layer.project, name)), { recursive: true })
    writeFileSync(path.join(layer.project, name), text)
  }
}

function told(changes: readonly Change[]): readonly string[] {
  return changes.map(({ action, path: name, from }) => (from === undefined ? `${action} ${name}` : `${action} ${from} > ${name}`))
}

describe('changes of an upper layer', () => {
  it('are told by content: edits, new files, deletions, modes, links, types', async () => {
    const layer = makeLayer()
    original(layer, {
      'edit.txt': 'a\n',
      'gone.txt': 'x',
      'mode.sh': '#!/bin/sh\n',
      'same.txt': 's',
      kind: 'file',
      'dir/inner': 'i',
      'dir/two': '2',
    })
    symlinkSync('edit.txt', path.join(layer.project, 'link'))
    layer.inView(
      `echo b >> edit.txt; echo new > new.txt; rm gone.txt; chmod 755 mode.sh; cp -p same.txt t; cat t > same.txt; rm t;
       ln -sfn same.txt link; rm kind; mkdir kind; echo k > kind/file; rm -r dir; echo now-a-file > dir; mkfifo pipe; mkdir -p empty/folder`,
    )
    const { changes } = await layer.collect()
    expect(told(changes)).toEqual([
      'type dir',
      'deleted dir/inner',
      'deleted dir/two',
      'modified edit.txt',
      'added empty/folder',
      'deleted gone.txt',
      'type kind',
      'added kind/file',
      'modified link',
      'mode mode.sh',
      'added new.txt',
      'added pipe',
    ])
  })

  it('what was touched but is as before is no change, also after a rename there and back', async () => {
    const layer = makeLayer()
    original(layer, { a: 'text', 'd/b': 'text' })
    layer.inView('touch a; chmod 600 a; chmod 644 a; mv a z; mv z a; mv d e 2>/dev/null || { cp -a d e; rm -r d; }; cp -a e d; rm -r e')
    expect(told((await layer.collect()).changes)).toEqual([])
  })

  it('a folder made anew hides what was in it', async () => {
    const layer = makeLayer()
    original(layer, { 'd/one': '1', 'd/sub/two': '2', 'd/three': '3' })
    layer.inView('rm -r d; mkdir -p d/sub; echo 3 > d/sub/new; printf 3 > d/three')
    expect(told((await layer.collect()).changes)).toEqual(['deleted d/one', 'added d/sub/new', 'deleted d/sub/two'])
  })

  it('a deleted folder whose name is no UTF-8 goes with all that was in it', async () => {
    const layer = makeLayer()
    execFileSync('sh', ['-c', 'd=$(printf "b\\351d"); mkdir -p "$d/in"; echo 1 > "$d/in/f"; echo 2 > "$d/g"'], { cwd: layer.project })
    layer.inView('rm -r "$(printf "b\\351d")"')
    using review = await openReview(layer.proposal(), { lines: false, settle: true })
    expect(told(review.changes)).toEqual(['deleted b\udce9d', 'deleted b\udce9d/g', 'deleted b\udce9d/in', 'deleted b\udce9d/in/f'])
  })

  it('renames are found by content and by lines in common', async () => {
    const layer = makeLayer()
    const text = Array.from({ length: 20 }, (_, line) => `line ${line}\n`).join('')
    original(layer, { 'old/exact.txt': 'the same', 'old/near.txt': text, 'old/other.txt': 'nothing alike\n' })
    layer.inView(
      'mkdir new; mv old/exact.txt new/moved.txt; sed "s/line 3/changed/" old/near.txt > new/near.txt; rm old/near.txt; rm old/other.txt; echo else > new/x',
    )
    expect(told((await layer.collect()).changes)).toEqual([
      'renamed old/exact.txt > new/moved.txt',
      'renamed old/near.txt > new/near.txt',
      'added new/x',
      'deleted old/other.txt',
    ])
  })

  it('names of any bytes, hard links, and what the agent locked', async () => {
    const layer = makeLayer()
    original(layer, { a: 'x' })
    layer.inView(
      `printf 1 > "$(printf 'n\\nl')"; printf 2 > "$(printf 'b\\377d')"; printf 3 > "$(printf 'e\\033[31m')"; printf 4 > ./-rf;
       echo h > h1; ln h1 h2; mkdir locked; echo s > locked/secret; chmod 000 locked/secret; chmod 000 locked`,
    )
    const { changes } = await layer.collect()
    expect(changes.map(({ path: name }) => name)).toEqual(['-rf', 'b\udcffd', 'e\u001b[31m', 'h1', 'h2', 'locked/secret', 'n\nl'])
    expect(changes.find(({ path: name }) => name === 'h2')?.linkedTo).toBe('h1')
    expect(changes.find(({ path: name }) => name === 'locked/secret')?.after).toMatchObject({ kind: 'file', mode: 0, size: 2 })
  })

  it("git's own files are told apart", async () => {
    const layer = makeLayer()
    layer.inView(
      'git init -q -b main . && git -c user.name=t -c user.email=t@t.test commit -q --allow-empty -m x; echo evil > .git/hooks/pre-commit',
    )
    const byPart = new Map((await layer.collect()).changes.map(({ path: name, git }) => [name, git]))
    expect(byPart.get('.git/hooks/pre-commit')).toBe('hooks')
    expect(byPart.get('.git/config')).toBe('config')
    expect(byPart.get('.git/HEAD')).toBe('history')
    expect(byPart.get('.git/refs/heads/main')).toBe('history')
  })

  it('nothing in the upper layer is changed by reading it', async () => {
    const layer = makeLayer()
    layer.inView('mkdir locked; echo s > locked/secret; chmod 000 locked/secret; chmod 000 locked')
    const first = (await layer.collect()).changes
    expect((await layer.collect()).changes).toEqual(first)
    expect(readFileSync('/proc/self/stat', 'utf8')).not.toBe('')
  })
})
