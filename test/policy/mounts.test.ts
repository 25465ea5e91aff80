// What a policy may mount: looked at by where it leads, and refused with its line.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { FileMount, Policy } from '../../src/model/policy.ts'
import { refuseMounts } from '../../src/policy/mounts.ts'
import { parseMount } from '../../src/policy/paths.ts'

function scene() {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-mounts-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const home = path.join(root, 'home')
  const own = path.join(home, '.local/state/anchorhold')
  const make = (name: string) => {
    mkdirSync(path.join(home, name), { recursive: true })
    return path.join(home, name)
  }
  make('.local/state/anchorhold')
  const mount = async (target: string): Promise<FileMount> => {
    const origin = { kind: 'user', source: 'policy.yml', line: 7, column: 3 } as const
    const parsed = await parseMount(target, 'ro', origin, { home, base: home, own: [own] })
    await refuseMounts({ files: { mount: [parsed] } } as unknown as Policy, { home, own: [own] })
    return parsed
  }
  return { root, home, own, make, mount }
}

test('takes folders, files and caches', async () => {
  const { home, make, mount } = scene()
  const shared = make('shared')
  writeFileSync(path.join(shared, 'a'), '')
  for (const target of [shared, path.join(shared, 'a'), make('.cache/pip'), make('.cargo/registry')])
    expect((await mount(target)).path).toBe(target)
  symlinkSync(shared, path.join(home, 'alias'))
  expect((await mount(path.join(home, 'alias'))).path).toBe(shared)
})

test('refuses sockets, systems, homes, credentials and what is anchorhold’s, through links too, with the line', async () => {
  const { root, home, own, make, mount } = scene()
  const shared = make('shared')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(path.join(shared, 's.sock'), resolve))
  symlinkSync(path.join(shared, 's.sock'), path.join(shared, 'innocent'))
  symlinkSync(make('.ssh'), path.join(shared, 'keys'))
  const refused = ['s.sock', 'innocent', 'keys'].map((name) => path.join(shared, name))
  const others = [home, root, '/', '/etc', '/usr/bin', '/opt', '/run', '/dev/null', make('.aws'), make('.ssh/x'), make('.cache'), own]
  for (const target of [...refused, ...others])
    await expect(mount(target), target).rejects.toMatchObject({
      code: 'policy/mount-refused',
      message: expect.stringContaining('policy.yml:7'),
    })
  for (const target of [path.join(home, 'none'), make('new\nline')])
    await expect(mount(target), target).rejects.toMatchObject({ code: 'policy/bad-path', message: expect.stringContaining('policy.yml:7') })
  await new Promise((resolve) => server.close(resolve))
})
