// Nothing switches the wall off, sessions don't mix, and what is said of a run is what runs (attacks.md CFG-08, 09, 18, 20, 23, 26).
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { anchorhold, bin, inCell, makeWorld, start } from '../support/anchorhold.ts'
import { expectRefused, ownPolicy } from './refusals.ts'

describe('CFG-08 CFG-09 CFG-20 CFG-26 the wall is checked in every run, and nothing switches it off', () => {
  it('every run starts with its self-test, which the journal has; no environment variable takes it away', async () => {
    const world = makeWorld()
    const env = Object.fromEntries(
      [
        'ANCHORHOLD',
        'ANCHORHOLD_ENGINE',
        'ANCHORHOLD_DISABLE',
        'ANCHORHOLD_UNSAFE',
        'IS_SANDBOX',
        'NO_SANDBOX',
        'CI',
        'DEBUG',
        'container',
        'DOCKER_HOST',
      ].map((name) => [name, '1']),
    )
    const { code, stderr } = await anchorhold(
      world,
      ['run', '--json', '--', 'sh', '-c', 'grep -E "^(NoNewPrivs|Seccomp|CapEff|CapBnd):" /proc/self/status | tr -s "\\t\\n" "  "'],
      { env },
    )
    const events = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly kind: string; readonly probes?: number })
    expect([code, events.find(({ kind }) => kind === 'wall.checked')?.probes]).toEqual([0, expect.any(Number)])
    expect(events.find(({ kind }) => kind === 'wall.checked')?.probes).toBeGreaterThanOrEqual(6)
    const { stdout } = await inCell(world, 'grep -E "^(NoNewPrivs|Seccomp|CapEff|CapBnd):" /proc/self/status', [], { env })
    expect(stdout).toMatch(/CapEff:\t0+\nCapBnd:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2\n/)
  })

  it('nothing inside reaches anchorhold: no socket, descriptor, signal, file or copy of it', async () => {
    const world = makeWorld()
    const script = [
      `for f in /proc/self/fd/*; do n=\${f##*/}; [ "$n" -gt 2 ] && readlink $f; done 2>/dev/null | grep -v "^/proc" `,
      `ls ${bin} ${path.dirname(bin)} 2>/dev/null; command -v anchorhold anchorhold-cell bwrap-none`,
      'kill -KILL 1 2>/dev/null; kill -STOP 1 2>/dev/null; kill -TERM -1 2>/dev/null; ls /run/anchorhold 2>/dev/null | grep -vxE "git|covers|enter"',
      'ANCHORHOLD=0; unset ANCHORHOLD; echo still here; cat /proc/1/environ 2>/dev/null',
    ].join('\n')
    const { stdout } = await inCell(world, `trap "" TERM\n${script}`)
    expect(
      stdout
        .replaceAll('\0', '')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('/run/anchorhold')),
    ).toEqual(['still here'])
  })

  it('CFG-23 the choice of engine is said, and only one that is there is taken', async () => {
    const world = makeWorld()
    const { stderr } = await anchorhold(world, ['run', '--verbose', '--', 'true'])
    expect(stderr).toMatch(/wall +bubblewrap/)
    ownPolicy(world, 'engine: gvisor\n')
    await expectRefused(world, [], /engine gvisor cannot be used here/)
  })
})

it('CFG-18 sessions side by side keep their own policies', async () => {
  const world = makeWorld()
  const serve = async (text: string): Promise<number> => {
    const server = http.createServer((_request, response) => response.end(text)).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }
  const ports = [await serve('zero'), await serve('one')]
  const script =
    'for n in 1 2 3; do curl -s --noproxy "*" -m 5 http://shared.test/; echo " $WHO"; curl -s -m 5 -o /dev/null -w "%{http_code} " http://other.test/; done; test -r secret && cat secret'
  writeFileSync(path.join(world.project, 'secret'), 'seen')
  const outcomes = await Promise.all(
    [0, 1, 0, 1].map((which) =>
      inCell(world, script, [
        '--route',
        `shared.test:80=127.0.0.1:${ports[which]}`,
        '--env',
        `WHO=${which}`,
        ...(which === 0 ? ['--hide', 'secret'] : []),
      ]),
    ),
  )
  const expected = (which: number) => `${['zero', 'one'][which]} ${which}\n000 `.repeat(3) + (which === 0 ? '' : 'seen')
  expect(outcomes.map(({ stdout }) => stdout)).toEqual([0, 1, 0, 1].map(expected))
})

it('CFG-20 the dry run shows exactly what is executed', async () => {
  const world = makeWorld()
  const options = ['--env', 'A=1', '--hide', '*.pem', '--limit', 'open-files=100']
  const dry = JSON.parse(
    (await anchorhold(world, ['run', ...options, '--dry-run', '--json', '--', 'sh', '-c', 'touch ready; sleep 30'])).stdout,
  ) as {
    readonly engine: {
      readonly argv: readonly string[]
      readonly env: object
      readonly inputs: readonly { readonly fd: number; readonly content?: string }[]
    }
  }
  expect(existsSync(path.join(world.project, 'ready'))).toBe(false)
  const { child, outcome } = start(world, ['run', ...options, '--', 'sh', '-c', 'touch ready; sleep 30'])
  for (let waited = 0; !existsSync(path.join(world.project, 'ready')) && waited < 20_000; waited += 50)
    await new Promise((resolve) => setTimeout(resolve, 50))
  const children = (pid: number): readonly number[] =>
    readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
    )
  const argvOf = (pid: number): readonly string[] => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  const cell = children(child.pid ?? 0).find((pid) => argvOf(pid)[0]?.endsWith('anchorhold-cell')) ?? 0
  const below = (pid: number): readonly number[] => children(pid).flatMap((each) => [each, ...below(each)])
  const engine = below(cell).find((pid) => argvOf(pid)[0]?.endsWith('bwrap')) ?? 0
  expect([...argvOf(engine)]).toEqual(dry.engine.argv)
  expect(readFileSync(`/proc/${engine}/environ`, 'utf8')).toBe('')
  child.kill('SIGTERM')
  expect((await outcome).code).toBe(143)
  const text = dry.engine.inputs.map(({ content }) => content ?? '').join('')
  for (const shown of ['--unshare-user', ['--setenv', 'A', '1'].join('\0'), `--bind\0${world.project}\0${world.project}`])
    expect(text).toContain(shown)
})
