// Any change that a cell can make, as a patch: plain `git apply` on a copy of the original gives the view again, byte for byte.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { patchOf } from '../../src/review/patch/patch.ts'
import { bin, inCell } from '../support/anchorhold.ts'
import { gitWorld } from '../support/repository.ts'
import { makeLayer, snapshot } from './support/layer.ts'
import { playing, scriptOf, steps, type Step } from './support/steps.ts'

async function reproduce(first: readonly Step[], second: readonly Step[]): Promise<{ readonly want: unknown; readonly got: unknown }> {
  const layer = makeLayer()
  playing(layer.project, first)
  const target = path.join(layer.root, 'target')
  execFileSync('cp', ['-a', layer.project, target])
  layer.inView(scriptOf(second))
  const { changes, sides } = await layer.collect()
  const patch = Buffer.concat(changes.map((change) => patchOf(change, sides) ?? Buffer.alloc(0)))
  const file = path.join(layer.root, 'all.patch')
  writeFileSync(file, patch)
  if (patch.length > 0)
    execFileSync('git', ['apply', '--whitespace=nowarn', file], {
      cwd: target,
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CEILING_DIRECTORIES: layer.root },
    })
  return { want: snapshot(layer.copyOfView(), 'git-modes'), got: snapshot(target, 'git-modes') }
}

describe('patches', () => {
  it('any random change is reproduced by git apply', async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, async (first, second) => {
        const { want, got } = await reproduce(first, second)
        expect(got).toEqual(want)
      }),
      { numRuns: 40 },
    )
  }, 240_000)

  it('binary content, links, modes, renames with edits, empty files, no line feed at the end', async () => {
    const layer = makeLayer()
    mkdirSync(path.join(layer.project, 'd'))
    writeFileSync(path.join(layer.project, 'bin'), Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256)))
    writeFileSync(path.join(layer.project, 'text'), Array.from({ length: 50 }, (_, line) => `line ${line}\n`).join(''))
    writeFileSync(path.join(layer.project, 'd/f'), 'no end')
    const target = path.join(layer.root, 'target')
    execFileSync('cp', ['-a', layer.project, target])
    layer.inView(
      `head -c 999 bin > b2; mv b2 bin; sed -i 's/line 7$/seven/' text; mv text 'moved here'; chmod 755 'moved here'; : > empty;
       ln -s 'd/f' "$(printf 'l\\nink')"; printf 'no end\\nmore' > d/f; printf '\\0\\1' > new.bin; printf 'x' > "a b"`,
    )
    const { changes, sides } = await layer.collect()
    writeFileSync(path.join(layer.root, 'p'), Buffer.concat(changes.map((change) => patchOf(change, sides) ?? Buffer.alloc(0))))
    execFileSync('git', ['apply', path.join(layer.root, 'p')], {
      cwd: target,
      env: { PATH: process.env['PATH'], GIT_CEILING_DIRECTORIES: layer.root },
    })
    expect(snapshot(target, 'git-modes')).toEqual(snapshot(layer.copyOfView(), 'git-modes'))
  })
})

it('long output reaches a slow reader whole, in every form', async () => {
  const world = gitWorld()
  const { code } = await inCell(world, 'i=0; while [ $i -lt 1500 ]; do seq 1 40 > file-$i; i=$((i+1)); done', ['--workspace', 'review'])
  expect(code).toBe(0)
  const slow = (flag: string): string =>
    execFileSync('sh', ['-c', '"$0" diff "$1" | { sleep 1; cat; }', bin, flag], {
      cwd: world.project,
      env: world.env,
      maxBuffer: 2 ** 28,
    }).toString()
  expect(slow('--stat')).toMatch(/1500 files changed/)
  expect((JSON.parse(slow('--json')) as { changes: unknown[] }).changes.length).toBe(1500)
  expect(slow('--name-only').split('\n').length).toBe(1501)
  const patch = path.join(world.home, 'p')
  writeFileSync(patch, slow('--patch'))
  execFileSync('git', ['apply', patch], { cwd: world.project, env: world.env })
  expect(readFileSync(path.join(world.project, 'file-1499'), 'utf8').split('\n').length).toBe(41)
}, 120_000)
