// PRX-46: a defect of the gateway's own process, made in the running product from outside its code: the cell's network is gone with it, never open.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { bin, makeWorld } from '../support/anchorhold.ts'
import { httpWitness } from './witnesses.ts'

const root = path.resolve(path.dirname(bin), '..')
const asker = `while :; do curl -s -m 2 http://good.test/ >/dev/null; sleep 0.05; done`

/** The command with one module loaded before it, which does `defect` on SIGUSR2. */
async function runUntilDefect(
  defect: string,
): Promise<{ readonly ended: boolean; readonly failed: boolean; readonly before: number; readonly after: number }> {
  const world = makeWorld()
  const witness = await httpWitness()
  const module = `data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { ${defect} })`)}`
  const args = ['run', '--route', `good.test:80=127.0.0.1:${witness.port}`, '--', 'sh', '-c', asker]
  const child = spawn(path.join(root, 'node_modules/node/bin/node'), ['--import', module, path.join(root, 'dist/cli.cjs'), ...args], {
    cwd: world.project,
    env: world.env,
    stdio: 'ignore',
  })
  let ended = false
  const end = new Promise<boolean>((resolve) =>
    child.once('close', (code, signal) => {
      ended = true
      resolve(code !== 0 || signal !== null)
    }),
  )
  try {
    await expect.poll(() => witness.hits(), { timeout: 20_000 }).toBeGreaterThan(1)
    child.kill('SIGUSR2')
    await Promise.race([end, sleep(3_000)])
    const before = witness.hits()
    await sleep(700)
    return { ended, failed: ended && (await end), before, after: witness.hits() }
  } finally {
    child.kill('SIGTERM')
    await end
  }
}

it.each([
  ['an exception that nobody catches', "throw new Error('defect')"],
  ['a promise that nobody waits for', "void Promise.reject(new Error('defect'))"],
  ['an error of a socket without a listener', "process.getBuiltinModule('node:net').connect(1, '127.0.0.1')"],
  ['an abort', 'process.abort()'],
])('PRX-46 after %s nothing goes out, and the run has failed', async (_name, defect) => {
  const { ended, failed, before, after } = await runUntilDefect(defect)
  expect({ ended, failed }).toEqual({ ended: true, failed: true })
  expect(after).toBe(before)
})

it('PRX-46 a process that does nothing more answers nothing more', async () => {
  const { ended, before, after } = await runUntilDefect('const until = Date.now() + 5_000; while (Date.now() < until);')
  expect({ ended, more: after - before }).toEqual({ ended: false, more: 0 })
})

it('control: a process to which nothing happens goes on', async () => {
  const { ended, before, after } = await runUntilDefect('')
  expect(ended).toBe(false)
  expect(after).toBeGreaterThan(before)
})
