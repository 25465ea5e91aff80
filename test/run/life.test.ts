// A cell's life: exit codes, streams, signals, death of anchorhold, leftovers (attacks.md KRN-34, RES-06, 12, 13).
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { anchorhold, inCell, makeWorld, start } from '../support/anchorhold.ts'

/** Processes on the host whose command line begins with `start`. */
function alive(start: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(start)
      } catch {
        return false // it ended meanwhile
      }
    })
}

async function until(what: () => boolean, milliseconds = 5_000): Promise<boolean> {
  for (let waited = 0; waited < milliseconds; waited += 50) {
    if (what()) return true
    await sleep(50)
  }
  return what()
}

describe('life', () => {
  it.each([0, 1, 3, 124, 125, 255])('gives the command’s own exit code %i', async (code) => {
    expect((await inCell(makeWorld(), `exit ${code}`)).code).toBe(code)
  })

  it('gives 127 for a command that is not there, 126 for one that cannot be run, 128+n after a signal', async () => {
    const world = makeWorld()
    writeFileSync(path.join(world.project, 'plain.txt'), 'no program', { mode: 0o644 })
    expect((await anchorhold(world, ['run', '--', 'no-such-program'])).code).toBe(127)
    expect((await anchorhold(world, ['run', '--', './plain.txt'])).code).toBe(126)
    expect((await inCell(world, 'kill -KILL $$')).code).toBe(137)
  })

  it('passes standard input and output byte for byte, 100 MB through a pipe', async () => {
    const world = makeWorld()
    const block = randomBytes(1 << 20)
    const file = path.join(world.home, 'big')
    writeFileSync(file, Buffer.concat(Array.from({ length: 100 }, () => block)))
    const hash = createHash('sha256').update(readFileSync(file)).digest('hex')
    const script = `"$1" run -- cat < "$2" | sha256sum`
    const bin = path.resolve(import.meta.dirname, '../../bin/anchorhold')
    const stdout = execFileSync('sh', ['-c', script, 'sh', bin, file], { cwd: world.project, env: world.env, timeout: 60_000 }).toString()
    expect(stdout.split(' ')[0]).toBe(hash)
  })

  it('keeps stdout and stderr apart and says nothing of its own in a pipe', async () => {
    const { stdout, stderr } = await inCell(makeWorld(), 'echo out; echo err >&2')
    expect({ stdout, stderr }).toEqual({ stdout: 'out\n', stderr: 'err\n' })
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s to anchorhold ends the command and gives %i', async (signal, code) => {
    const world = makeWorld()
    const mark = `4242.${Math.floor(Math.random() * 1e9)}`
    const { child, outcome } = start(world, ['run', '--', 'sleep', mark])
    expect(await until(() => alive(`sleep\0${mark}`).length > 0)).toBe(true)
    child.kill(signal)
    expect((await outcome).code).toBe(code)
    expect(await until(() => alive(`sleep\0${mark}`).length === 0)).toBe(true)
  })

  it('dies with anchorhold, whatever kills it: nothing is left after SIGKILL, and the next start tidies up', async () => {
    const world = makeWorld()
    const mark = `4343.${Math.floor(Math.random() * 1e9)}`
    const script = `setsid sleep ${mark} & (trap '' TERM HUP INT; sleep ${mark}) & sleep ${mark}`
    const { child, outcome } = start(world, ['run', '--', 'sh', '-c', script])
    expect(await until(() => alive(`sleep\0${mark}`).length >= 3)).toBe(true)
    child.kill('SIGKILL')
    await outcome
    expect(await until(() => alive(`sleep\0${mark}`).length === 0, 2_000)).toBe(true)
    expect((await inCell(world, 'true')).code).toBe(0)
    const { stdout } = await anchorhold(world, ['sessions', '--json'])
    expect(stdout).toContain('"crashed"')
  })

  it('background children end with the command', async () => {
    const world = makeWorld()
    const mark = `4444.${Math.floor(Math.random() * 1e9)}`
    const { code } = await inCell(world, `nohup setsid sleep ${mark} >/dev/null 2>&1 & exit 0`)
    expect(code).toBe(0)
    expect(await until(() => alive(`sleep\0${mark}`).length === 0, 2_000)).toBe(true)
  })

  it('runs side by side in one project', async () => {
    const world = makeWorld()
    const results = await Promise.all(Array.from({ length: 6 }, (_, index) => inCell(world, `echo ${index} > file-${index}; sleep 0.2`)))
    expect(results.map((result) => result.code)).toEqual([0, 0, 0, 0, 0, 0])
    expect(readdirSync(world.project)).toHaveLength(6)
  })

  it('leaves no file behind in the project', async () => {
    const world = makeWorld()
    await inCell(world, 'true')
    expect(readdirSync(world.project)).toEqual([])
    expect(existsSync(path.join(world.home, '.local/state/anchorhold/running'))).toBe(true)
    expect(readdirSync(path.join(world.home, '.local/state/anchorhold/running'))).toEqual([])
  })
})
