// What every engine must do, the same for each: streams, codes, signals, ends, listeners, limits, checks.
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Cell } from '../../src/model/engine.ts'
import { makePlan, makeScratch, planFor, runPlan, runScript } from './support.ts'
import { testedEngines } from './tested.ts'

/** Processes of the host whose command line holds the marker. */
function processesWith(marker: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(marker)
    } catch (error) {
      if (error instanceof Error) return false // it ended meanwhile
      throw error
    }
  })
}

async function until(what: () => boolean): Promise<void> {
  const patience = Date.now() + 10_000
  while (!what()) {
    if (Date.now() > patience) throw new Error(`waited in vain for ${what}`)
    await sleep(10)
  }
}

describe.each(testedEngines.map((engine) => ({ name: engine.traits.name, engine })))('$name', ({ engine }) => {
  test('is usable on this machine', async () => {
    expect((await engine.examine()).filter((finding) => finding.level === 'missing')).toEqual([])
  })

  test.each([0, 1, 42, 125, 127, 255])("exit code %i is the command's own", async (code) => {
    using scratch = makeScratch()
    expect((await runScript(engine, scratch, `exit ${code}`)).end).toMatchObject({ kind: 'exited', code })
  })

  test("a command that is missing gives 127, one that can't be run 126, both with words", async () => {
    using scratch = makeScratch()
    const missing = await runPlan(engine, scratch, makePlan(scratch, ['no-such-command']))
    expect(missing).toMatchObject({
      end: { kind: 'exited', code: 127 },
      stderr: "anchorhold: cannot run no-such-command: not found in the cell's PATH\n",
    })
    writeFileSync(path.join(scratch.project, 'plain'), 'text')
    const plain = await runPlan(engine, scratch, makePlan(scratch, ['./plain']))
    expect(plain.end).toMatchObject({ kind: 'exited', code: 126 })
    expect(plain.stderr).toMatch(/^anchorhold: cannot run \.\/plain: Permission denied\n$/)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGKILL', 137],
  ] as const)('%s from outside gives %i', async (signal, code) => {
    using scratch = makeScratch()
    const during = async (cell: Cell): Promise<void> => {
      await until(() => existsSync(path.join(scratch.project, 'up')))
      cell.signal(signal)
    }
    // No fork after the file is there: a shell that is about to fork may take a SIGINT for its child's matter.
    const { end } = await runScript(engine, scratch, 'sh -c ": > up; exec sleep 60"; exit 9', {}, { during })
    expect(end).toMatchObject({ kind: 'signalled', code, signal })
  })

  test('a command that handles the signal ends as it likes', async () => {
    using scratch = makeScratch()
    const during = async (cell: Cell): Promise<void> => {
      await until(() => existsSync(path.join(scratch.project, 'up')))
      cell.signal('SIGTERM')
    }
    const script = 'trap "echo got it; exit 7" TERM; touch up; while :; do sleep 0.05; done'
    expect(await runScript(engine, scratch, script, {}, { during })).toMatchObject({ end: { kind: 'exited', code: 7 }, stdout: 'got it\n' })
  })

  test('streams pass through byte for byte', async () => {
    using scratch = makeScratch()
    const bytes = randomBytes(20 * 2 ** 20)
    const [from, to] = [path.join(scratch.outside, 'from'), path.join(scratch.outside, 'to')]
    writeFileSync(from, Buffer.concat([bytes, bytes, bytes, bytes, bytes]))
    const [stdin, stdout] = [openSync(from, 'r'), openSync(to, 'w')]
    const plan = planFor(engine, makePlan(scratch, ['cat']))
    const cell = await engine.launch(plan, await engine.compile(plan, await engine.facts(plan)), {
      signal: new AbortController().signal,
      stdio: { stdin, stdout, stderr: 'ignore' },
      folder: scratch.outside,
      onListeners: async () => undefined,
    })
    expect(await cell.ended).toMatchObject({ kind: 'exited', code: 0 })
    for (const fd of [stdin, stdout]) closeSync(fd)
    const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')
    expect(digest(to)).toBe(digest(from))
  })

  test('what the command leaves in the background ends with it', async () => {
    using scratch = makeScratch()
    const marker = `6${Date.now()}`
    const { end } = await runScript(
      engine,
      scratch,
      `setsid nohup sh -c 'trap "" TERM HUP INT; sleep ${marker}; :' >/dev/null 2>&1 & sleep ${marker} & sleep 0.1`,
    )
    expect(end).toMatchObject({ code: 0 })
    expect(processesWith(marker)).toEqual([])
  })

  test('an abort and a kill end everything', async () => {
    using scratch = makeScratch()
    const controller = new AbortController()
    const marker = `7${Date.now()}`
    const during = async (cell: Cell): Promise<void> => {
      await until(() => existsSync(path.join(scratch.project, 'up')))
      expect(processesWith(marker)).not.toEqual([])
      controller.abort()
      cell.kill()
    }
    const { end } = await runScript(
      engine,
      scratch,
      `trap "" TERM; touch up; sleep ${marker}; :`,
      {},
      { during, signal: controller.signal },
    )
    expect(end).toMatchObject({ kind: 'signalled', code: 137 })
    expect(processesWith(marker)).toEqual([])
  })

  test('the command starts only after the listeners were taken, and reaches nothing but them', async () => {
    using scratch = makeScratch()
    const seen: (string | undefined)[] = []
    const script =
      'exec 3<>/dev/tcp/203.0.113.7/443; echo hello >&3; cat <&3; { : <>/dev/tcp/203.0.113.7/444; } 2>/dev/null || echo refused'
    const { stdout, end } = await runPlan(
      engine,
      scratch,
      makePlan(scratch, ['/bin/bash', '-c', script], {
        listeners: [
          { kind: 'udp', address: '127.0.0.1', port: 53, role: 'dns' },
          { kind: 'tcp', address: '127.0.0.1', port: 53, role: 'dns' },
          { kind: 'tcp', address: '::', port: 443, role: 'transparent' },
        ],
      }),
      {
        onListeners: async (born) => {
          expect(born.map(({ listener }) => `${listener.kind}${listener.port}`)).toEqual(['udp53', 'tcp53', 'tcp443'])
          await sleep(100)
          seen.push('ready')
          const server = born[2]?.socket
          if (server === undefined || !('listening' in server)) throw new Error('no server')
          server.on('connection', (socket) => {
            seen.push(socket.localAddress)
            socket.end('from outside\n')
          })
        },
      },
    )
    expect(end).toMatchObject({ code: 0 })
    expect(stdout).toBe('from outside\nrefused\n')
    expect(seen).toEqual(['ready', '::ffff:203.0.113.7'])
  })

  test.each([
    ['unreadable', { kind: 'unreadable', path: '/usr/bin/env' }],
    ['readable', { kind: 'readable', path: '/no/such' }],
    ['unwritable', { kind: 'unwritable', path: '/tmp' }],
    ['resolver', { kind: 'resolver', address: '127.0.0.1' }],
  ] as const)('a failing check (%s) ends the run before the command', async (_name, check) => {
    using scratch = makeScratch()
    const { end } = await runScript(engine, scratch, 'touch ran', { preflight: [check] })
    expect(end).toMatchObject({ kind: 'failed', code: 125 })
    expect(end.preflight).toMatch(/\w+/)
    expect(existsSync(path.join(scratch.project, 'ran'))).toBe(false)
  })

  test("a folder that should be a view and is the host's own ends the run before the command", async () => {
    using scratch = makeScratch()
    const { dev, ino } = statSync(scratch.project, { bigint: true })
    const check = { kind: 'apart', path: scratch.project, identity: `${dev}:${ino}` } as const
    const { end } = await runScript(engine, scratch, 'touch ran', { preflight: [check] })
    expect(end).toMatchObject({ kind: 'failed', code: 125, preflight: expect.stringMatching(/the host's own folder/) })
    expect(existsSync(path.join(scratch.project, 'ran'))).toBe(false)
  })

  test('checks that hold let the command run', async () => {
    using scratch = makeScratch()
    const preflight = [
      { kind: 'unreadable', path: path.join(scratch.outside, 'x') },
      { kind: 'readable', path: scratch.project },
      { kind: 'unwritable', path: '/usr' },
      { kind: 'unreachable', address: '192.0.2.1', port: 80 },
      { kind: 'no-abstract-socket', name: 'anchorhold-none' },
      { kind: 'apart', path: scratch.project, identity: '0:0' },
      { kind: 'unprivileged' },
    ] as const
    expect((await runScript(engine, scratch, 'exit 3', { preflight })).end).toMatchObject({ kind: 'exited', code: 3 })
  })
})
