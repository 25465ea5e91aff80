// The command line as a way to talk the wall down (attacks.md CFG-08, 10..14, 18, 20, 23, 26), and each option against its twin in the policy.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { anchorhold, bin, inCell, makeWorld, start, type World } from '../support/anchorhold.ts'

const ran = ['--', 'sh', '-c', 'echo ran; touch ran']

async function expectRefused(world: World, options: readonly string[], why: RegExp): Promise<void> {
  const { code, stdout, stderr } = await anchorhold(world, ['run', ...options, ...ran])
  expect([code, stdout, existsSync(path.join(world.project, 'ran'))], `${options.join(' ')}\n${stderr}`).toEqual([125, '', false])
  expect(stderr, options.join(' ')).toMatch(why)
}

function ownPolicy(world: World, text: string): void {
  const folder = path.join(world.home, '.config/anchorhold')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'policy.yaml'), text, { mode: 0o600 })
}

describe('options that are wrong', () => {
  it('unknown ones are refused with the nearest right one', async () => {
    const world = makeWorld()
    const table = {
      '--enigne': '--engine',
      '--polcy': '--policy',
      '--worksapce': '--workspace',
      '--mod': '--mode',
      '--alow': '--allow',
      '--dney': '--deny',
      '--rout': '--route',
      '--evn': '--env',
      '--hid': '--hide',
      '--muont': '--mount',
      '--limits': '--limit',
      '--nmae': '--name',
      '--jsno': '--json',
      '--dryrun': '--dry-run',
      '--quite': '--quiet',
      '--verbos': '--verbose',
      '--projct': '--project',
    }
    await Promise.all(
      Object.entries(table).map(([wrong, right]) =>
        expectRefused(world, [wrong], new RegExp(`Unknown option '${wrong}'[^]*Did you mean ${right}\\?`)),
      ),
    )
    for (const wrong of [
      '--no-sandbox',
      '--unsafe',
      '--dangerously-skip-permissions',
      '--privileged',
      '--yolo',
      '-x',
      '--quiet=false',
      '--json=0',
      '--no-json',
      '--no-limit',
    ])
      await expectRefused(world, [wrong], /Unknown option .*\n.*(?:--help|Did you mean)/)
  })

  it('as JSON where it is asked for', async () => {
    const world = makeWorld()
    const { code, stderr } = await anchorhold(world, ['run', '--json', '--enigne', 'x', 'true'])
    expect([code, JSON.parse(stderr)]).toEqual([
      125,
      expect.objectContaining({
        kind: 'result',
        exitCode: 125,
        error: expect.objectContaining({ code: 'command/usage', remedy: 'Did you mean --engine?' }),
      }),
    ])
  })

  it.each([
    ['--allow', '', /empty/],
    ['--allow', '*', /star alone/],
    ['--allow', '*.', /star alone/],
    ['--allow', '*.com', /strangers/],
    ['--allow', ' ', /space/],
    ['--allow', 'a.test,b.test', /character/],
    ['--allow', '0.0.0.0/0', /path|mask|address/],
    ['--allow', '127.0.0.1', /address/],
    ['--allow', '[::]', /address/],
    ['--allow', 'a.test:0', /port/],
    ['--allow', 'a.test:1-65535', /port/],
    ['--allow', 'a.test:*', /port/],
    ['--allow', 'https://a.test', /scheme/],
    ['--allow', 'npmm', /Did you mean "npm"/],
    ['--allow', 'all', /no preset/],
    ['--deny', '', /empty/],
    ['--deny', '*', /star/],
    ['--route', '', /no =/],
    ['--route', 'a.test=', /address/],
    ['--route', '=127.0.0.1', /empty/],
    ['--route', '*.a.test=127.0.0.1', /star/],
    ['--route', 'a.test=b.test', /not an IP address/],
    ['--route', 'a.test=0.0.0.0', /names no machine/],
    ['--env', '', /letters/],
    ['--env', '=x', /letters/],
    ['--env', 'A B=x', /letters/],
    ['--env', '1A=x', /letters/],
    ['--hide', '', /empty/],
    ['--hide', '*', /everything/],
    ['--hide', '**', /everything/],
    ['--hide', '../x', /\.\./],
    ['--hide', '~/.ssh', /not expanded/],
    ['--hide', '$HOME/x', /not expanded/],
    ['--hide', '!x', /exceptions/],
    ['--hide', 'a[b', /without its \]/],
    ['--hide', 'a\nb', /control/],
    ['--limit', '', /not NAME=VALUE/],
    ['--limit', 'memory', /Write --limit memory=VALUE/],
    ['--limit', 'memroy=1g', /Write --limit memory=VALUE/],
    ['--limit', 'memory=', /takes a size/],
    ['--limit', 'memory=-1', /takes a size/],
    ['--limit', 'memory=1', /smallest/],
    ['--limit', 'memory=1e9', /takes a size/],
    ['--limit', 'memory=99999999999999t', /takes a size/],
    ['--limit', 'processes=0', /whole number/],
    ['--limit', 'processes=-1', /whole number/],
    ['--limit', 'processes=0x10', /whole number/],
    ['--limit', 'cpus=0', /smallest|cores/],
    ['--limit', 'cpus=NaN', /cores/],
    ['--limit', 'time=0s', /smallest|duration/],
    ['--limit', 'time=60', /duration/],
    ['--limit', 'tmp=Infinity', /takes a size/],
    ['--engine', '', /./],
    ['--engine', 'none', /cannot be used here/],
    ['--engine', 'docker', /cannot be used here/],
    ['--engine', 'Bubblewrap', /cannot be used here/],
    ['--mode', '', /Allowed choices/],
    ['--mode', 'bypass', /Allowed choices/],
    ['--workspace', '', /Allowed choices/],
    ['--workspace', 'rw', /Allowed choices/],
    ['--workspace', 'review', /can't enforce it yet/],
    ['--policy', '', /./],
    ['--policy', '/dev/null', /not a regular file/],
    ['--policy', '/', /./],
    ['--project', '', /empty path/],
    ['--project', '/nowhere', /does not exist/],
    ['--name', '', /cannot be the name/],
    ['--name', '../../x', /cannot be the name/],
    ['--name', 'a\nb', /cannot be the name/],
    ['--name', '-x', /cannot be the name/],
  ] as const)('CFG-14 CFG-23 %s=%j', async (option, value, why) => expectRefused(makeWorld(), [`${option}=${value}`], why))

  it('CFG-12 one thing said in two ways is refused; said twice alike it is one thing', async () => {
    const world = makeWorld()
    const shared = path.join(world.home, 'shared')
    mkdirSync(shared)
    const pairs: readonly (readonly [string, string, string])[] = [
      ['--mode', 'ask', 'auto'],
      ['--workspace', 'live', 'readonly'],
      ['--engine', 'auto', 'bubblewrap'],
      ['--name', 'a', 'b'],
      ['--project', '.', '..'],
      ['--policy', 'a', 'b'],
      ['--env', 'A=1', 'A=2'],
      ['--env', 'A=1', 'A'],
      ['--limit', 'processes=100', 'processes=200'],
      ['--limit', 'file-size=1m', 'fileSize=2m'],
      ['--mount', `${shared}:ro`, `${shared}/:rw`],
      ['--route', 'a.test=127.0.0.1:1', 'A.test.=127.0.0.1:2'],
    ]
    for (const [option, one, two] of pairs) {
      await expectRefused(world, [option, one, option, two], /cannot be given together/)
      await expectRefused(world, [option, two, option, one], /cannot be given together/)
    }
    await expectRefused(world, ['--quiet', '--verbose'], /cannot be given together/)
    const twice = [
      '--mode',
      'ask',
      '--workspace',
      'live',
      '--env',
      'A=1',
      '--limit',
      'processes=100',
      '--mount',
      shared,
      '--allow',
      'a.test',
      '--deny',
      'a.test',
      '--quiet',
    ]
    const { code, stdout } = await anchorhold(world, ['run', ...twice, ...twice, '--', 'sh', '-c', 'echo $A'])
    expect([code, stdout]).toEqual([0, '1\n'])
  })
})

describe('CFG-13 mounts that would undo the wall', () => {
  it('are refused, however they are spelt, read-only as well', async () => {
    const world = makeWorld()
    const short = mkdtempSync(path.join(os.tmpdir(), 'ah-s-'))
    onTestFinished(() => rmSync(short, { recursive: true, force: true }))
    const socket = path.join(short, 'docker.sock')
    const server = net.createServer().listen(socket)
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    for (const name of ['.ssh', '.aws', '.gnupg', '.config', '.config/gh', '.docker', '.kube', '.local/share'])
      mkdirSync(path.join(world.home, name), { recursive: true })
    await inCell(world, 'true') // so that anchorhold's own folders exist
    const link = (name: string, target: string): string => {
      symlinkSync(target, path.join(world.home, name))
      return path.join(world.home, name)
    }
    const places = [
      '/',
      '/proc',
      '/sys',
      '/dev',
      '/run',
      '/proc/1',
      '/dev/kvm',
      '/home',
      '/var',
      '/tmp',
      '~',
      '~/',
      '~/.',
      '~/..',
      world.home,
      `${world.home}/`,
      `${world.home}/work/..`,
      path.dirname(world.home),
      socket,
      link('to-socket', socket),
      link('to-home', world.home),
      link('to-root', '/'),
      link('to-run', '/run'),
      '~/.ssh',
      '~/.aws',
      '~/.gnupg',
      '~/.config',
      '~/.config/gh',
      '~/.docker',
      '~/.kube',
      '~/.local/state/anchorhold',
      '~/.local/state/anchorhold/sessions',
      '~/.local/share/anchorhold',
      '~/.local/state',
      link('to-keys', path.join(world.home, '.ssh')),
      '',
      '~root',
      '$HOME',
      '/nowhere',
      'nowhere',
      'a\nb',
    ]
    for (const place of places.filter((each) => each !== '/dev/kvm' || existsSync(each))) {
      for (const mode of ['ro', 'rw']) await expectRefused(world, ['--mount', `${place}:${mode}`], /mount|can't be used/)
    }
    for (const place of ['/usr', '/etc', '/bin', '/boot', '/usr/local']) await expectRefused(world, ['--mount', `${place}:rw`], /mount/)
  }, 120_000)

  it('control: an ordinary folder, file and link to one are mounted, under their real names', async () => {
    const world = makeWorld()
    const shared = path.join(world.home, 'shared')
    mkdirSync(shared)
    writeFileSync(path.join(shared, 'x'), 'seen')
    symlinkSync(shared, path.join(world.home, 'alias'))
    expect((await inCell(world, `cat ${shared}/x`, ['--mount', path.join(world.home, 'alias')])).stdout).toBe('seen')
    expect((await inCell(world, `cat ${shared}/x`, ['--mount', `${shared}/x`])).stdout).toBe('seen')
    expect((await inCell(world, `cat ${shared}/x 2>/dev/null || echo none`)).stdout).toBe('none\n')
  })
})

describe('CFG-10 CFG-11 CFG-12 path rules', () => {
  it.each([
    'secret',
    './secret',
    '/secret',
    'secret/',
    'secret//',
    './/secret/./',
    '**/secret',
    'SECRET',
    '[s]ecret',
    's?cret',
    'sec*',
    'secret/key',
    './secret/key',
    'key',
    '**/key',
    'KEY',
    'k[e]y',
    'secret/**',
    'secret/*',
  ])('--hide %s hides secret/key', async (glob) => {
    const world = makeWorld()
    mkdirSync(path.join(world.project, 'secret'))
    writeFileSync(path.join(world.project, 'secret/key'), 'canary')
    writeFileSync(path.join(world.project, 'open'), 'seen')
    const { stdout } = await inCell(world, 'cat secret/key ./secret//key ../project/secret/key "$PWD/secret/key" 2>/dev/null; cat open', [
      '--hide',
      glob,
    ])
    expect(stdout).toBe('seen')
  })

  it.each(['[x]', 'a b', 'é', 'a*b', 'a\\b'])('a file that is literally named %j is hidden by its escaped name', async (name) => {
    const world = makeWorld()
    writeFileSync(path.join(world.project, name), 'canary')
    const glob = name.replace(/[[\]*?\\]/g, '\\$&')
    expect((await inCell(world, 'cat -- "$(ls)"', ['--hide', glob])).stdout).toBe('')
    expect((await inCell(world, 'cat -- "$(ls)"')).stdout).toBe('canary') // control
  })

  it('CFG-12 hidden beats protected beats mounted, at any depth, whichever source says it', async () => {
    const world = makeWorld()
    const shared = path.join(world.home, 'shared')
    mkdirSync(path.join(shared, 'a/b/c'), { recursive: true })
    for (const place of ['a/x', 'a/b/x', 'a/b/c/x', 'a/b/c/key']) writeFileSync(path.join(shared, place), 'seen')
    ownPolicy(world, `files: { mount: [{ path: ${shared}, mode: rw }, { path: ${shared}/a/b, mode: ro }], protect: [a/x], hide: [key] }\n`)
    const script = `cd ${shared}; for f in a/x a/b/x a/b/c/x a/b/c/key; do cat $f; echo w 2>/dev/null > $f && echo " $f written"; echo; done 2>/dev/null; echo w > a/new`
    const { stdout } = await inCell(world, script, ['--mount', `${shared}/a/b/c:rw`, '--hide', 'c/x'])
    expect(stdout).not.toMatch(/written/)
    expect(readdirSync(path.join(shared, 'a'))).toContain('new')
    for (const place of ['a/x', 'a/b/x', 'a/b/c/x', 'a/b/c/key']) expect(readFileSync(path.join(shared, place), 'utf8'), place).toBe('seen')
    expect(stdout.match(/seen/g)).toHaveLength(2) // a/x and a/b/x
  })
})

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
  expect([...argvOf(cell)]).toEqual(dry.engine.argv)
  expect([...argvOf(engine)]).toEqual(dry.engine.argv.slice(2))
  expect(readFileSync(`/proc/${engine}/environ`, 'utf8')).toBe('')
  child.kill('SIGTERM')
  expect((await outcome).code).toBe(143)
  const text = dry.engine.inputs.map(({ content }) => content ?? '').join('')
  for (const shown of ['--unshare-user', '--setenv\0A\0' + '1', `--bind\0${world.project}\0${world.project}`]) expect(text).toContain(shown)
})
