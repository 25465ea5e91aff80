// Covers: what lies over a path of a writable root can't be written, read, moved or linked away; thousands of them; late ones.
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Cell, TraitName } from '../../src/model/engine.ts'
import type { Cover, Mount } from '../../src/model/plan.ts'
import { makeMounts, makeScratch, runScript } from './support.ts'
import { testedEngines } from './tested.ts'

async function until(file: string): Promise<void> {
  for (let tries = 0; !existsSync(file); tries++) {
    if (tries > 1000) throw new Error(`never appeared: ${file}`)
    await sleep(10)
  }
}

describe.each(testedEngines.map((engine) => ({ name: engine.traits.name, engine })))('$name', ({ engine }) => {
  // Behaviours that an engine does not have are no tests of it; its reason is in the traits.
  const only = (trait: TraitName) => (name: string, body: () => Promise<void>) => {
    if (engine.traits.can[trait] === true) test(name, body)
    else test(`no: ${name}`, () => expect(engine.traits.can[trait]).toMatch(/\w+ \w+/))
  }
  const [inGit, whileRunning] = [only('git-config'), only('late-covers')]

  test('read-only files and folders stay as they are, and the project around them is writable', async () => {
    using scratch = makeScratch()
    const at = (name: string): string => path.join(scratch.project, name)
    mkdirSync(at('hooks/deep'), { recursive: true })
    writeFileSync(at('hooks/deep/one'), 'kept')
    writeFileSync(at('settings'), 'kept')
    writeFileSync(at('free'), 'before')
    symlinkSync('settings', at('link'))
    const script = `
      echo bad > settings; echo bad >> hooks/deep/one; touch hooks/new hooks/deep/new; rm -f settings; rm -rf hooks; mv settings moved; mv hooks moved
      ln settings alias && echo bad > alias; ln -f free settings; mv -f free settings; chmod 777 settings; touch -t 200001010000 settings
      rm link; ln -sf /tmp/x link; umount settings; mount -o remount,rw,bind settings
      cat settings hooks/deep/one; readlink link; echo after > free`
    const held = engine.traits.can['late-covers'] === true ? ['hooks', 'settings', 'link'] : ['hooks', 'settings']
    const covers: readonly Cover[] = held.map((name) => ({ kind: 'readonly', path: at(name) }))
    const { stdout, end } = await runScript(engine, scratch, script, { covers })
    expect(end).toMatchObject({ kind: 'exited', code: 0 })
    expect(stdout).toBe(held.includes('link') ? 'keptkeptsettings\n' : 'keptkept/tmp/x\n')
    expect([at('settings'), at('hooks/deep/one')].map((file) => readFileSync(file, 'utf8'))).toEqual(['kept', 'kept'])
    expect(readFileSync(at('free'), 'utf8')).toBe('after\n')
    for (const name of ['alias', 'moved', 'hooks/new', 'hooks/deep/new']) expect(existsSync(at(name)), name).toBe(false)
    if (held.includes('link')) expect(readFileSync(at('link'), 'utf8')).toBe('kept')
  })

  test("hidden files and folders are empty inside, and can't be linked or moved into view", async () => {
    using scratch = makeScratch()
    const at = (name: string): string => path.join(scratch.project, name)
    mkdirSync(at('keys'))
    writeFileSync(at('keys/canary'), 'secret-canary')
    writeFileSync(at('.env'), 'secret-canary')
    const covers: readonly Cover[] = [
      { kind: 'empty', path: at('.env'), what: 'file' },
      { kind: 'empty', path: at('keys'), what: 'directory' },
    ]
    const script =
      'cat .env; ls -A keys; ln .env seen; mv .env seen; mv keys seen; cat seen; echo x > .env; touch keys/x; wc -c < .env; grep -r secret . ; cp -r . /tmp/copy && echo copied'
    const { stdout } = await runScript(engine, scratch, script, { covers })
    expect(stdout).toBe('0\ncopied\n')
    expect(readFileSync(at('.env'), 'utf8')).toBe('secret-canary')
  })

  inGit('a link cover leads renames and writes to its target', async () => {
    using scratch = makeScratch()
    const file = path.join(scratch.project, 'config')
    writeFileSync(file, 'real')
    const covers: readonly Cover[] = [{ kind: 'link', path: file, target: '/tmp/view/config' }]
    const script =
      'mkdir /tmp/view; echo inside > /tmp/view/config; cat config; echo more >> config; cat /tmp/view/config; rm config; mv /tmp/view/config config; readlink config'
    const { stdout } = await runScript(engine, scratch, script, { covers })
    expect(stdout).toBe('inside\ninside\nmore\n/tmp/view/config\n')
    expect(readFileSync(file, 'utf8')).toBe('real')
  })

  test('a path that is gone covers nothing; one that is a link, or behind one, refuses the run', async () => {
    using scratch = makeScratch()
    mkdirSync(path.join(scratch.project, 'real'))
    writeFileSync(path.join(scratch.project, 'real/file'), '')
    symlinkSync('real', path.join(scratch.project, 'link'))
    const gone = await runScript(engine, scratch, 'exit 4', {
      covers: [{ kind: 'readonly', path: path.join(scratch.project, 'gone/file') }],
    })
    expect(gone.end).toMatchObject({ kind: 'exited', code: 4 })
    const held = engine.traits.can['late-covers'] === true
    for (const name of held ? ['link/file'] : ['link/file', 'link']) {
      const linked = runScript(engine, scratch, 'touch ran', { covers: [{ kind: 'readonly', path: path.join(scratch.project, name) }] })
      if (held) expect((await linked).end).toMatchObject({ kind: 'failed', code: 125 })
      else await expect(linked).rejects.toMatchObject({ code: 'engine/cannot' })
    }
    expect(existsSync(path.join(scratch.project, 'ran'))).toBe(false)
  })

  // A container engine makes each mount by itself.
  const many = engine.traits.system === 'host' ? 5000 : 500
  test(`${many} covers, all of which hold`, async () => {
    using scratch = makeScratch()
    const files = Array.from({ length: many }, (_, index) => path.join(scratch.project, `repo-${index % 100}`, `file-${index}`))
    for (let index = 0; index < 100; index++) mkdirSync(path.join(scratch.project, `repo-${index}`))
    for (const file of files) writeFileSync(file, 'kept')
    const covers: readonly Cover[] = files.map((file) => ({ kind: 'readonly', path: file }))
    const { end } = await runScript(
      engine,
      scratch,
      'for f in repo-*/*; do { echo bad > $f; } 2>/dev/null; done; rm -rf repo-* 2>/dev/null; echo free > free',
      { covers },
    )
    expect(end).toMatchObject({ kind: 'exited', code: 0 })
    expect(files.filter((file) => readFileSync(file, 'utf8') !== 'kept')).toEqual([])
    expect(existsSync(path.join(scratch.project, 'free'))).toBe(true)
  })

  test('among many covers, what is mounted below one stays in view, and paths with blanks and bytes of any kind hold', async () => {
    using scratch = makeScratch()
    const names = [
      'with blank',
      'tab\there',
      'back\\slash',
      'umläut',
      ...(engine.traits.system === 'host' ? ['line\nfeed'] : ['comma,quote"colon:']),
    ]
    const odd = names.map((name) => path.join(scratch.project, name))
    for (const folder of odd) mkdirSync(path.join(folder, 'inner'), { recursive: true })
    for (const folder of odd) writeFileSync(path.join(folder, 'inner/file'), 'kept')
    writeFileSync(path.join(scratch.outside, 'shown'), 'from the mount')
    const plain = Array.from({ length: 300 }, (_, index) => path.join(scratch.project, `file-${index}`))
    for (const file of plain) writeFileSync(file, 'kept')
    const covers: readonly Cover[] = [...plain, ...odd].map((each) => ({ kind: 'readonly', path: each }))
    const mounts: readonly Mount[] = [
      ...makeMounts(scratch.project),
      { kind: 'bind', from: odd[1] ?? '', to: odd[1] ?? '', mode: 'rw' },
      { kind: 'bind', from: scratch.outside, to: path.join(odd[0] ?? '', 'inner'), mode: 'rw' },
    ]
    const script =
      'cat "with blank/inner/shown" 2>/dev/null; for f in file-* */inner/*; do { echo bad > "$f"; } 2>/dev/null && echo "wrote $f"; done; touch new && echo free'
    const { stdout } = await runScript(engine, scratch, script, { covers, mounts })
    expect(stdout).toBe('from the mountfree\n')
    expect(
      [...plain, ...odd.slice(1).map((each) => path.join(each, 'inner/file'))].filter((file) => readFileSync(file, 'utf8') !== 'kept'),
    ).toEqual([])
    expect(readFileSync(path.join(scratch.outside, 'shown'), 'utf8')).toBe('from the mount')
  })

  whileRunning('a protection that the host replaced is put back on while the cell runs, and twice is once', async () => {
    using scratch = makeScratch()
    const at = (name: string): string => path.join(scratch.project, name)
    writeFileSync(at('settings'), 'old')
    const cover: Cover = { kind: 'readonly', path: at('settings') }
    const script =
      'cat settings; touch up; while [ ! -e go ]; do sleep 0.01; done; echo bad > settings; cat settings; grep -c /settings /proc/self/mountinfo'
    const { stdout } = await runScript(
      engine,
      scratch,
      script,
      { covers: [cover] },
      {
        during: async (cell) => {
          await until(at('up'))
          writeFileSync(at('new'), 'new\n')
          renameSync(at('new'), at('settings'))
          await cell.cover(cover)
          await cell.cover(cover)
          await cell.cover({ kind: 'readonly', path: at('gone') })
          await expect(cell.cover({ kind: 'readonly', path: '/proc/self/root' })).rejects.toThrow(/covering/)
          writeFileSync(at('go'), '')
        },
      },
    )
    expect(stdout).toBe('oldnew\n1\n')
    expect(readFileSync(at('settings'), 'utf8')).toBe('new\n')
    unlinkSync(at('settings'))
  })

  if (engine.traits.can['late-covers'] !== true)
    test('a cover for a running cell is refused in words', async () => {
      using scratch = makeScratch()
      const during = async (cell: Cell): Promise<void> => {
        await expect(cell.cover({ kind: 'readonly', path: scratch.project })).rejects.toMatchObject({ code: 'engine/cover' })
        cell.kill()
      }
      expect((await runScript(engine, scratch, 'sleep 60', {}, { during })).end).toMatchObject({ code: 137 })
    })
})
