import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openProject } from '../../src/workspace/project.ts'

async function scene() {
  const top = await realpath(await mkdtemp(path.join(tmpdir(), 'ah-project-')))
  onTestFinished(() => rm(top, { recursive: true, force: true }))
  const home = path.join(top, 'people', 'ada')
  const state = path.join(home, '.local/state/anchorhold')
  await mkdir(state, { recursive: true })
  const make = async (name: string) => {
    const folder = path.join(home, name)
    await mkdir(folder, { recursive: true })
    return folder
  }
  return { top, home, states: [state, path.join(home, 'keep/anchorhold')], make }
}

describe('openProject', () => {
  test('gives the canonical path, also through a link and of odd names', async () => {
    const { home, states, make } = await scene()
    for (const name of ['work/app', 'it\'s a "test"', '-rf', 'münchen 🚀', 'a b', '$(id)', '.dotfiles']) {
      const folder = await make(name)
      if (name === '.dotfiles') await make(`${name}/.git`)
      expect(await openProject(folder, home, states)).toBe(folder)
    }
    await symlink(path.join(home, 'work/app'), path.join(home, 'link'))
    expect(await openProject(path.join(home, 'link'), home, states)).toBe(path.join(home, 'work/app'))
  })

  test.each([
    '/',
    '/etc',
    '/usr',
    '/usr/share',
    '/var',
    '/var/lib',
    '/opt',
    '/tmp',
    '/home',
    '/root',
    '/proc/self',
    '/dev',
    '/run',
    '/sys/kernel',
    '/bin',
  ])('refuses %s', async (folder) => {
    const { home, states } = await scene()
    await expect(openProject(folder, home, states)).rejects.toMatchObject({
      code: expect.stringMatching(/^workspace\/(not-a-project|missing)$/) as string,
    })
  })

  test('refuses home, its parents, links to them, dot folders, own state and what holds it', async () => {
    const { top, home, states, make } = await scene()
    await symlink(home, path.join(top, 'home-link'))
    await make('keep/inner')
    const cases = [
      home,
      `${home}/`,
      path.dirname(home),
      top,
      path.join(top, 'home-link'),
      await make('.config'),
      await make('.config/nvim'),
      await make('.ssh'),
      await make('.unknown'),
      states[0] ?? '',
      path.join(home, '.local'),
      path.join(home, 'keep'),
    ]
    for (const folder of cases)
      await expect(openProject(folder, home, states), folder).rejects.toMatchObject({ code: 'workspace/not-a-project' })
  })

  test('refuses what is not there, not a folder, or spelt with control characters', async () => {
    const { home, states, make } = await scene()
    await writeFile(path.join(home, 'file'), '')
    await expect(openProject(path.join(home, 'none'), home, states)).rejects.toMatchObject({ code: 'workspace/missing' })
    for (const folder of [path.join(home, 'file'), await make('new\nline'), `${home}/a\0b`, '']) {
      await expect(openProject(folder, home, states)).rejects.toMatchObject({ code: 'workspace/not-a-project' })
    }
  })
})
