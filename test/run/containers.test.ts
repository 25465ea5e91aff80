// A run in containers from the command line to what the engine itself says of it: the same wall, the same exit codes, nothing left.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { capture } from '../../src/host/process.ts'
import { anchorhold, makeWorld, start, type Outcome, type World } from '../support/anchorhold.ts'
import { describeContainers, type ContainerHere } from '../support/containers.ts'

const tested = ['docker']

await describeContainers('runs in containers', (engine) => {
  if (!tested.includes(engine.program))
    return it('is refused where this version does not have the engine', async () => {
      const { code, stderr } = await inside(engine, worldOf(engine), 'true')
      expect({ code, stderr }).toMatchObject({ code: 125, stderr: expect.stringMatching(/this version does not have it/) })
    })

  it('has exit codes, streams and the environment that the policy gives, and nothing of the image’s', async () => {
    const world = worldOf(engine)
    const script = 'cat; echo err >&2; env | cut -d= -f1 | grep -v "^_$\\|^PWD$\\|^SHLVL$\\|^OLDPWD$" | sort | tr "\\n" " "; exit 7'
    const given = await inside(engine, world, script, ['--env', 'MINE=1'], { input: 'in\n' })
    expect(given).toMatchObject({ code: 7, stderr: 'err\n' })
    expect(given.stdout).toBe('in\nANCHORHOLD HOME LANG LOGNAME MINE PATH SHELL TERM TMPDIR USER XDG_RUNTIME_DIR ')
    expect((await run(engine, world, ['no-such-program'])).code).toBe(127)
    expect((await inside(engine, world, 'kill -KILL $$')).code).toBe(137)
  })

  it('reaches the hosts that are allowed and nothing else, not even a service of this machine', async () => {
    const world = worldOf(engine)
    const server = http.createServer((_request, response) => response.end('from outside'))
    const everywhere = net.createServer((socket) => socket.end('leak'))
    server.listen(0, '127.0.0.1')
    everywhere.listen(0, '0.0.0.0')
    await Promise.all([once(server, 'listening'), once(everywhere, 'listening')])
    let leaks = 0
    everywhere.on('connection', () => leaks++)
    onTestFinished(() => void [server.close(), everywhere.close()])
    const port = (everywhere.address() as AddressInfo).port
    const own = Object.values((await import('node:os')).networkInterfaces()).flatMap(
      (entries) => entries?.map(({ address }) => address) ?? [],
    )
    const script = `
      exec 3<>/dev/tcp/model.test/80; printf 'GET / HTTP/1.0\\r\\nHost: model.test\\r\\n\\r\\n' >&3; tail -n1 <&3; echo
      getent hosts evil.test || echo unknown
      for a in ${own.filter((address) => !address.includes(':')).join(' ')} 1.1.1.1; do { : <>/dev/tcp/$a/${port}; } 2>/dev/null && echo "reached $a"; done
      for f in /var/run/docker.sock /run/docker.sock /run/podman/podman.sock; do [ -e $f ] && echo "socket $f"; done; ip link add x type dummy 2>/dev/null; exit 0`
    const args = ['--route', `model.test:80=127.0.0.1:${(server.address() as AddressInfo).port}`, '--allow', 'model.test']
    const { stdout, code } = await run(engine, world, ['bash', '-c', script], args)
    expect({ stdout, code }).toEqual({ stdout: 'from outside\nunknown\n', code: 0 })
    expect(leaks).toBe(0)
    // Control: that service answers to this machine.
    net.connect(port, '127.0.0.1').on('error', () => undefined)
    await once(everywhere, 'connection')
    expect(leaks).toBe(1)
  })

  it('hides and protects what the policy says, gives new files their owner, and has no other folder of the caller’s', async () => {
    const world = worldOf(engine)
    for (const args of [
      ['init', '-q'],
      ['config', 'user.name', 'x'],
    ])
      spawnSync('git', args, { cwd: world.project, env: world.env })
    writeFileSync(path.join(world.project, '.env'), 'hidden')
    writeFileSync(path.join(world.home, 'private'), 'hidden')
    mkdirSync(path.join(world.project, '.vscode'))
    const script = `cat .env; echo x > .git/hooks/pre-commit; echo x > .git/config; echo x > .vscode/tasks.json; cat ${world.home}/private; echo made > made; touch /usr/x /etc/x; id -u`
    const { stdout } = await inside(engine, world, script, ['--hide', '.env'])
    const uid = process.getuid?.() ?? 0
    expect(stdout).toBe(`${uid === 0 ? 1000 : uid}\n`)
    expect(readFileSync(path.join(world.project, 'made'), 'utf8')).toBe('made\n')
    const { statSync } = await import('node:fs')
    expect(statSync(path.join(world.project, 'made')).uid).toBe(uid)
    expect(['.git/hooks/pre-commit', '.vscode/tasks.json'].filter((name) => existsSync(path.join(world.project, name)))).toEqual([])
    expect(readFileSync(path.join(world.project, '.git/config'), 'utf8')).not.toBe('x\n')
  })

  it('is what it says as the engine itself sees it, and leaves nothing: after its end, and after anchorhold was killed', async () => {
    const world = worldOf(engine)
    const { child, outcome } = start(
      world,
      ['run', ...options(engine), '--secret', 'KEY@model.test', '--', 'sh', '-c', ': > up; sleep 600'],
      {
        env: { ...engine.env, HOME: world.home, KEY: 'very-secret-value-1234' },
        timeoutMilliseconds: 60_000,
      },
    )
    await until(() => existsSync(path.join(world.project, 'up')))
    const names = await containersOf(engine, world)
    expect(names).toHaveLength(2)
    const inspected = JSON.parse((await ask(engine, ['inspect', ...names])).stdout) as readonly Inspected[]
    const cell = inspected.find(({ Name }) => Name.includes('cell'))
    expect(cell?.HostConfig).toMatchObject({ ReadonlyRootfs: true, Privileged: false, NetworkMode: expect.stringMatching(/^container:/) })
    expect(JSON.stringify(inspected)).not.toContain('very-secret-value-1234')
    expect(cell?.Mounts.filter(({ Type }) => Type === 'volume')).toEqual([])
    child.kill('SIGKILL')
    await outcome
    await until(async () => (await containersOf(engine, world)).length === 0)
    expect((await inside(engine, world, 'exit 3')).code).toBe(3)
    expect(await containersOf(engine, world)).toEqual([])
  })

  it('ends with the command when it is told to', async () => {
    const world = worldOf(engine)
    const { child, outcome } = start(world, ['run', ...options(engine), '--', 'sh', '-c', ': > up; exec sleep 600'], {
      env: { ...engine.env, HOME: world.home },
      timeoutMilliseconds: 60_000,
    })
    await until(() => existsSync(path.join(world.project, 'up')))
    child.kill('SIGTERM')
    expect((await outcome).code).toBe(143)
  })

  it('shows command lines that work where they are copied, with nobody outside to answer', async () => {
    const world = worldOf(engine)
    const shown = await run(
      engine,
      world,
      ['bash', '-c', 'id -u; { : <>/dev/tcp/1.1.1.1/443; } 2>/dev/null || echo refused; exit 5'],
      ['--dry-run', '--json'],
    )
    expect(shown.code).toBe(0)
    const { engine: given } = JSON.parse(shown.stdout) as { engine: { argv: string[]; beside: { argv: string[] }[] } }
    const env = { ...engine.env, HOME: world.home }
    for (const { argv } of given.beside) expect((await capture(argv as [string], { env, timeoutMilliseconds: 60_000 })).code).toBe(0)
    const ran = await capture(given.argv as [string], { env, timeoutMilliseconds: 60_000 })
    const uid = process.getuid?.() ?? 0
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 5, stdout: `${uid === 0 ? 1000 : uid}\nrefused\n` })
    await until(async () => (await containersOf(engine, world)).length === 0)
  })

  it('lets no probe of the standard set through, and every one that is about this engine was tried', async () => {
    const world = worldOf(engine)
    const { code, stdout } = await anchorhold(world, ['prove', ...options(engine), '--json'], { timeoutMilliseconds: 150_000 })
    const { probes } = JSON.parse(stdout) as { readonly probes: readonly { readonly id: string; readonly result: string }[] }
    expect(probes.filter(({ result }) => result !== 'holds' && result !== 'not-applicable')).toEqual([])
    expect(probes.filter(({ result }) => result === 'holds').length).toBeGreaterThan(70)
    expect(code).toBe(0)
  })

  it('lays memory over what an image declares as a volume', async () => {
    const world = worldOf(engine)
    const made = `anchorhold-test/volume:${process.pid}`
    const { stdout } = await ask(engine, ['create', '--network', 'none', engine.base, 'true'])
    expect((await ask(engine, ['commit', '--change', 'VOLUME /data', stdout.trim(), made])).code).toBe(0)
    onTestFinished(async () => void [await ask(engine, ['rm', stdout.trim()]), await ask(engine, ['rmi', made])])
    const image = engine.program === 'podman' ? `localhost/${made}` : made
    const seen = await anchorhold(
      world,
      ['run', '--engine', engine.program, '--image', image, '--', 'grep', ' /data ', '/proc/self/mounts'],
      {
        env: { ...engine.env, HOME: world.home },
      },
    )
    expect(seen.stdout === '' || seen.stdout.startsWith('tmpfs /data ')).toBe(true)
    expect(seen.stdout).not.toContain('volumes')
  })

  it('refuses what it cannot do before anything starts, and says what is missing', async () => {
    const world = worldOf(engine)
    const review = await inside(engine, world, ': > ran', ['--workspace', 'review'])
    expect(review).toMatchObject({ code: 125, stderr: expect.stringMatching(/has no workspace review/) })
    if (engine.program === 'docker') {
      const [, socket = ''] = /^unix:\/\/(.*)/.exec(engine.env['DOCKER_HOST'] ?? 'unix:///run/docker.sock') ?? []
      const shared = await inside(engine, world, ': > ran', ['--mount', path.dirname(socket)])
      expect(shared).toMatchObject({ code: 125, stderr: expect.stringMatching(/the engine's own socket lies in it/) })
    }
    const nowhere =
      engine.program === 'docker' ? { DOCKER_HOST: 'unix:///nonexistent/docker.sock' } : { CONTAINERS_STORAGE_CONF: '/nonexistent' }
    const gone = await anchorhold(world, ['run', ...options(engine), '--', 'sh', '-c', ': > ran'], {
      env: { ...engine.env, HOME: world.home, ...nowhere },
    })
    expect(gone.code).toBe(125)
    expect(gone.stderr).toMatch(/→/)
    expect(existsSync(path.join(world.project, 'ran'))).toBe(false)
  })
})

interface Inspected {
  readonly Name: string
  readonly HostConfig: Readonly<Record<string, unknown>>
  readonly Mounts: readonly { readonly Type: string }[]
}

function worldOf(engine: ContainerHere): World {
  const world = makeWorld()
  return { ...world, env: { ...world.env, ...engine.env, HOME: world.home } }
}

function options(engine: ContainerHere): readonly string[] {
  return ['--engine', engine.program, '--image', engine.base]
}

function run(
  engine: ContainerHere,
  world: World,
  argv: readonly string[],
  more: readonly string[] = [],
  given: { input?: string } = {},
): Promise<Outcome> {
  return anchorhold(world, ['run', ...options(engine), ...more, '--', ...argv], {
    env: { ...engine.env, HOME: world.home },
    timeoutMilliseconds: 90_000,
    ...given,
  })
}

function inside(
  engine: ContainerHere,
  world: World,
  script: string,
  more: readonly string[] = [],
  given: { input?: string } = {},
): Promise<Outcome> {
  return run(engine, world, ['sh', '-c', script], more, given)
}

function ask(engine: ContainerHere, args: readonly string[]): ReturnType<typeof capture> {
  return capture([engine.program, ...args], { env: engine.env, timeoutMilliseconds: 60_000 })
}

/** Containers of sessions of this world, running or not. */
async function containersOf(engine: ContainerHere, world: World): Promise<readonly string[]> {
  const { stdout } = await ask(engine, ['ps', '--all', '--format', '{{.ID}} {{.Names}}', '--filter', 'label=anchorhold.session'])
  const sessions = path.join(world.home, '.local/state/anchorhold/sessions')
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '))
    .filter(([, name = '']) => existsSync(path.join(sessions, name.replace(/^anchorhold-(?:hold|cell)-/, ''))))
    .map(([id = '']) => id)
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (const patience = Date.now() + 60_000; !(await what());) {
    if (Date.now() > patience) throw new Error(`waited in vain for ${what}`)
    await sleep(100)
  }
}
