// Each option of a run against its twin in the policy: both do the same, and without them it is not so.
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'
import { ownPolicy } from './refusals.ts'

describe('each option has its twin in the policy, and both do the same', () => {
  it.each([
    ['--engine bubblewrap', 'engine: bubblewrap', 'echo ok', 'ok\n'],
    ['--workspace readonly', 'workspace: { mode: readonly }', 'touch x 2>/dev/null || echo no', 'no\n'],
    ['--env A=1', 'env: { A: 1 }', 'echo $A', '1\n'],
    ['--env PASSED', 'env: { PASSED: }', 'echo $PASSED', 'from outside\n'],
    ['--hide s', 'files: { hide: [s] }', 'cat s; echo .', '.\n'],
    [
      '--mount ../shared',
      'files: { mount: [{ path: SHARED }] }',
      'cat ../shared/x; touch ../shared/y 2>/dev/null || echo ro',
      'shared\nro\n',
    ],
    ['--mount ../shared:rw', 'files: { mount: [{ path: SHARED, mode: rw }] }', 'touch ../shared/y && echo rw', 'rw\n'],
    ['--limit file-size=1m', 'limits: { fileSize: 1m }', 'head -c 2m /dev/zero > big 2>/dev/null; wc -c < big', '1048576\n'],
    ['--limit open-files=64', 'limits: { openFiles: 64 }', 'ulimit -n', '64\n'],
    ['--limit tmp=4m', 'limits: { tmp: 4m }', 'head -c 8m /dev/zero > /tmp/big 2>/dev/null; wc -c < /tmp/big', '4194304\n'],
    [
      '--limit processes=20',
      'limits: { processes: 20 }',
      '(for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do sleep 1 & done) 2>/dev/null; set -- /proc/[0-9]*; [ $# -lt 25 ] && echo few',
      'few\n',
    ],
    ['--limit time=500ms', 'limits: { time: 500ms }', 'echo a; sleep 2; echo b', 'a\n'],
    [
      '--route a.test:80=127.0.0.1:PORT',
      'network: { routes: { "a.test:80": "127.0.0.1:PORT" } }',
      'curl -s -m 5 http://a.test/',
      'reached',
    ],
    [
      '--allow host.anchorhold.internal:PORT',
      'network: { allow: ["host.anchorhold.internal:PORT"] }',
      'curl -s -m 5 http://host.anchorhold.internal:PORT/',
      'reached',
    ],
    [
      '--route a.test:80=127.0.0.1:PORT --deny a.test',
      'network: { routes: { "a.test:80": "127.0.0.1:PORT" }, deny: [a.test] }',
      'curl -s -m 5 http://a.test/ || echo refused',
      'refused\n',
    ],
  ])('%s', async (flags, policy, script, expected) => {
    const server = http.createServer((_request, response) => response.end('reached')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = String(typeof address === 'object' && address !== null ? address.port : 0)
    for (const way of ['flag', 'policy', 'neither'] as const) {
      const world = makeWorld()
      mkdirSync(path.join(world.home, 'work/shared'))
      writeFileSync(path.join(world.home, 'work/shared/x'), 'shared\n')
      writeFileSync(path.join(world.project, 's'), 'seen\n')
      if (way === 'policy') ownPolicy(world, `${policy.replaceAll('PORT', port).replace('SHARED', path.join(world.home, 'work/shared'))}\n`)
      const options = way === 'flag' ? flags.replaceAll('PORT', port).split(' ') : []
      const { stdout, stderr } = await inCell(world, script.replaceAll('PORT', port), options, { env: { PASSED: 'from outside' } })
      // The engine is the same one where nobody chose: every other row must differ without option and policy (control).
      if (way === 'neither' && !flags.startsWith('--engine') && !flags.includes('--deny')) expect(stdout, way).not.toBe(expected)
      else expect(stdout, `${way}: ${stderr}`).toBe(expected)
    }
  })

  it('--mode and the agent of the policy', async () => {
    const world = makeWorld()
    for (const mode of ['ask', 'allow-listed', 'auto']) {
      const { stdout } = await anchorhold(world, ['run', '--mode', mode, '--dry-run', '--json', 'true'])
      ownPolicy(world, `permissions: { mode: ${mode} }\n`)
      const twin = await anchorhold(world, ['run', '--dry-run', '--json', 'true'])
      for (const text of [stdout, twin.stdout]) expect((JSON.parse(text) as { plan: { permissions: string } }).plan.permissions).toBe(mode)
      rmSync(path.join(world.home, '.config'), { recursive: true })
    }
    expect(await anchorhold(world, ['run'])).toMatchObject({ code: 125, stderr: expect.stringContaining('nothing to run') })
    // An agent that is there: a native installation as its installer lays it out.
    const versions = path.join(world.home, '.local/share/claude/versions')
    mkdirSync(versions, { recursive: true })
    copyFileSync('/usr/bin/true', path.join(versions, '9.9.9'))
    chmodSync(path.join(versions, '9.9.9'), 0o755)
    ownPolicy(world, 'agent: claude\n')
    const named = await anchorhold(world, ['run', '--dry-run', '--json', 'claude'])
    const unnamed = await anchorhold(world, ['run', '--dry-run', '--json'])
    expect([named.code, unnamed.code], unnamed.stderr).toEqual([0, 0])
    const agentOf = (text: string) => JSON.parse(text) as { plan: { agent: string }; hosts: readonly string[] }
    expect([agentOf(unnamed.stdout).plan.agent, agentOf(unnamed.stdout).hosts]).toEqual(['claude', agentOf(named.stdout).hosts])
    expect((await anchorhold(world, ['run', '--', 'echo', 'plain'])).stdout).toBe('plain\n')
  })
})
