// What a killed anchorhold leaves behind is taken away by the next start; and which engine `--engine` gets.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Engine } from '../../src/model/engine.ts'
import { Failure } from '../../src/errors/failure.ts'
import { bubblewrap } from '../../src/engines/bubblewrap.ts'
import { groupFolders, makeGroups } from '../../src/engines/bubblewrap/cgroup.ts'
import { engines, selectEngine } from '../../src/engines/list.ts'
import { makePlan, makeScratch, runScript } from './support.ts'

test('leftover control groups of a session go with their processes, those of others stay', async () => {
  using scratch = makeScratch()
  const plan = makePlan(scratch, ['true'], { limits: { processes: 10, memory: 1 << 26, cpus: 1 } })
  const folders = groupFolders(plan, await bubblewrap.facts(plan))
  makeGroups(folders, plan.limits)
  const left = spawn('sleep', ['600'], { stdio: 'ignore' })
  const ended = new Promise((resolve) => left.once('exit', (_code, signal) => resolve(signal)))
  for (const folder of folders) writeFileSync(path.join(folder, 'cgroup.procs'), String(left.pid))
  expect(await bubblewrap.reap('another-session')).toEqual([])
  const done = await bubblewrap.reap(plan.session)
  if (folders.length === 0) left.kill('SIGKILL') // no control groups for this caller: nothing can be left
  else expect(done.join('\n')).toContain(String(left.pid))
  expect(await ended).toBe('SIGKILL')
  expect(await bubblewrap.reap(plan.session)).toEqual([])
  expect(folders.filter((folder) => existsSync(folder))).toEqual([])
})

test('a run takes its control groups away', async () => {
  using scratch = makeScratch()
  const limits = { processes: 50, memory: 1 << 28, cpus: 1.5 }
  const plan = makePlan(scratch, ['true'], { limits })
  const { end } = await runScript(bubblewrap, scratch, 'exit 6', { limits, session: plan.session })
  expect(end).toMatchObject({ kind: 'exited', code: 6 })
  expect(groupFolders(plan, await bubblewrap.facts(plan)).filter((folder) => existsSync(folder))).toEqual([])
})

const broken: Engine = {
  ...bubblewrap,
  traits: { ...bubblewrap.traits, name: 'podman' },
  examine: async () => [{ id: 'x', level: 'missing', what: 'the program is not there', remedy: 'install it' }],
}

test('auto takes the first that works, and an engine that was asked for is never replaced', async () => {
  expect((await selectEngine('auto')).traits.name).toBe('bubblewrap')
  expect((await selectEngine('auto', [broken, bubblewrap])).traits.name).toBe('bubblewrap')
  await expect(selectEngine('podman', [broken, bubblewrap])).rejects.toMatchObject({ code: 'engine/not-available', remedy: 'install it' })
  await expect(selectEngine('auto', [broken])).rejects.toMatchObject({ code: 'engine/none' })
  await expect(selectEngine('gvisor')).rejects.toThrow(/gvisor cannot be used here: this version does not have it/)
  await expect(selectEngine('gvisor')).rejects.toBeInstanceOf(Failure)
  expect(engines.map((engine) => engine.traits.name)).toEqual(['bubblewrap', 'docker'])
})

test("what can't be said to bubblewrap is refused before anything starts", async () => {
  using scratch = makeScratch()
  mkdirSync(path.join(scratch.project, '--bind'))
  const facts = await bubblewrap.facts(makePlan(scratch, ['true']))
  for (const changes of [
    { env: { A: 'x\0--bind\0/\0/' } },
    { argv: [] },
    { cwd: 'relative' },
    { env: { 'A=B': '' } },
    { argv: ['a\0b'] },
  ]) {
    expect(() => bubblewrap.compile(makePlan(scratch, ['true'], changes), facts)).toThrow(Failure)
  }
  const odd = await runScript(bubblewrap, scratch, 'pwd', { cwd: path.join(scratch.project, '--bind') })
  expect(odd.stdout).toBe(`${scratch.project}/--bind\n`)
})
