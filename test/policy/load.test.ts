// Loading: layers, narrowing, approval, and whose files are followed: attacks.md CFG-01, CFG-04, CFG-05, CFG-10, CFG-13, CFG-18, CFG-24.
import { chmodSync, chownSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync, readFileSync, statSync, readdirSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { approve, listApprovals, revoke } from '../../src/policy/approval.ts'
import { canonicalHost } from '../../src/policy/host-name.ts'
import { judge } from '../../src/policy/judge.ts'
import { projectWidenings } from '../../src/policy/load.ts'
import { fixedRegistry, makePlace } from './fixture.ts'

const asRoot = process.getuid?.() === 0
const at = (host: string, port = 443) => ({ host: canonicalHost(host), port })

describe('layers', () => {
  it('has closed defaults', async () => {
    using place = makePlace()
    const { policy, sources, origins } = await place.load()
    expect(policy).toMatchObject({
      engine: 'auto',
      agent: undefined,
      workspace: { mode: 'live' },
      env: [],
      network: { rules: [], routes: [] },
      permissions: { mode: 'ask', allow: [] },
      limits: { processes: 4096, disk: 10 * 2 ** 30 },
    })
    expect(sources).toEqual([])
    expect(origins['limits.processes']).toMatchObject({ kind: 'built-in' })
  })

  it('lets flags win over the user, and keeps every origin', async () => {
    using place = makePlace()
    const file = place.user(
      'engine: podman\nlimits: { memory: 1g, time: 1h }\nenv: { A: file, B: file }\nnetwork:\n  allow: [a.test]\n  routes: { "r.test:80": "127.0.0.1:1" }\n',
    )
    const { policy, origins, sources } = await place.load({
      engine: 'bubblewrap',
      limit: ['memory=2g'],
      env: ['A=flag', 'C'],
      route: ['r.test:80=127.0.0.1:2'],
      allow: ['b.test:22'],
    })
    expect(policy.engine).toBe('bubblewrap')
    expect(policy.limits).toEqual({ processes: 4096, disk: 10 * 2 ** 30, memory: 2 ** 31, time: 3_600_000 })
    expect(policy.env.map(({ name, value }) => [name, value])).toEqual([
      ['A', 'flag'],
      ['B', 'file'],
      ['C', undefined],
    ])
    expect(policy.network.routes).toMatchObject([{ host: 'r.test', port: 80, to: { address: '127.0.0.1', port: 2 } }])
    expect(policy.network.rules.find((rule) => rule.pattern.kind === 'host' && rule.pattern.host === 'a.test')?.origin).toEqual({
      kind: 'user',
      source: file,
      line: 5,
      column: 11,
    })
    expect(origins['limits.memory']).toEqual({ kind: 'flag', source: '--limit memory=2g' })
    expect(sources).toMatchObject([{ kind: 'user', file, digest: expect.stringMatching(/^[0-9a-f]{64}$/) }])
  })

  it('lifts a standard limit only when told to', async () => {
    using place = makePlace()
    expect((await place.load({ limit: ['processes=none', 'disk=none'] })).policy.limits).toEqual({})
  })

  it('routes imply their allow, and a deny still beats it', async () => {
    using place = makePlace()
    const { policy } = await place.load({ route: ['r.test:80=127.0.0.1:1', 'd.test:80=127.0.0.1:1'], deny: ['d.test'] })
    expect(judge(policy.network, at('r.test', 80)).effect).toBe('allow')
    expect(judge(policy.network, at('r.test', 443)).effect).toBe('deny')
    expect(judge(policy.network, at('d.test', 80))).toMatchObject({ effect: 'deny', code: 'denied', remedy: 'leave out --deny d.test' })
  })

  it('gives the same digest for the same policy, another for another', async () => {
    using place = makePlace()
    const [one, two, other] = await Promise.all([
      place.load({ allow: ['a.test'] }),
      place.load({ allow: ['a.test'] }),
      place.load({ allow: ['b.test'] }),
    ])
    expect(one.policy.digest).toBe(two.policy.digest)
    expect(one.policy.digest).not.toBe(other.policy.digest)
  })

  it('expands presets once, each with its origin', async () => {
    using place = makePlace()
    const npm = fixedRegistry('npm', 'registry.company.test')
    place.user('network: { allow: [npm, npm] }\n')
    const { policy } = await place.load({ allow: ['npm'] }, { registries: [npm], agentPresets: ['claude'] })
    expect(npm.asked).toBe(1)
    expect(judge(policy.network, at('registry.company.test'))).toMatchObject({ effect: 'allow', origin: { kind: 'preset', source: 'npm' } })
    expect(judge(policy.network, at('registry.company.test', 80)).effect).toBe('deny')
    expect(policy.network.rules.filter((rule) => rule.origin.source === 'claude').length).toBeGreaterThan(1)
  })

  it('notes registries that no rule can stand for', async () => {
    using place = makePlace()
    const { policy, notes } = await place.load({ allow: ['npm'] }, { registries: [fixedRegistry('npm', '10.0.0.5')] })
    expect(policy.network.rules).toEqual([])
    expect(notes).toEqual([expect.stringContaining('10.0.0.5')])
  })

  it('refuses a preset that nobody has, with the one that was meant', async () => {
    using place = makePlace()
    await expect(place.load({ allow: ['npmm'] })).rejects.toThrow(/no preset "npmm". Did you mean "npm"\?/)
    await expect(place.load({ allow: ['__proto__'] })).rejects.toMatchObject({ code: 'policy/unknown-preset' })
    await expect(place.load({ allow: ['constructor'] })).rejects.toMatchObject({ code: 'policy/unknown-preset' })
  })

  it.each([
    ['limit', 'memroy=4g', 'policy/unknown-limit'],
    ['limit', 'memory', 'policy/unknown-limit'],
    ['env', '1A=x', 'policy/bad-env'],
    ['env', 'A B', 'policy/bad-env'],
    ['env', '=x', 'policy/bad-env'],
    ['allow', '*', 'policy/bad-rule'],
    ['hide', '../x', 'policy/bad-path'],
  ])('refuses --%s %s', async (flag, text, code) => {
    using place = makePlace()
    await expect(place.load({ [flag]: [text] })).rejects.toMatchObject({ code })
  })

  it.each(['-1', 'five', '5 euros', '1.5 requests', '"$3 tokens"', '[5, $6]'])('refuses the budget %s', async (text) => {
    using place = makePlace()
    place.user(`budget: { session: ${text} }\n`)
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/bad-budget' })
  })
})

describe("a project's policy", () => {
  const widening: readonly (readonly [string, string, RegExp])[] = [
    ['allows a host', 'network: { allow: [b.test] }', /line 1: allows b\.test/],
    ['allows another port', 'network: { allow: ["a.test:22"] }', /allows a\.test:22/],
    ['allows the parent of a wildcard', 'network: { allow: [wild.test] }', /allows wild\.test/],
    ['allows a wider wildcard', 'network: { allow: ["*.a.test"] }', /allows \*\.a\.test/],
    ['names a preset', 'network: { allow: [npm] }', /allows the preset npm/],
    ['mounts', 'files: { mount: [{ path: ../shared }] }', /mounts .*shared \(ro\)/],
    ['lifts a protection', 'files: { unprotect: [.vscode] }', /lifts the protection of \.vscode/],
    ['sets a variable', 'env: { NODE_OPTIONS: x }', /sets the variable NODE_OPTIONS/],
    ['passes a variable', 'env: { GITHUB_TOKEN: }', /sets the variable GITHUB_TOKEN/],
    ['raises a limit', 'limits: { memory: 4g }', /raises the limit memory to 4g/],
    ['raises a standard limit', 'limits: { processes: 8192 }', /raises the limit processes to 8192/],
    ['lifts a limit', 'limits: { processes: none }', /raises the limit processes to none/],
    ['switches prompts off', 'permissions: { mode: auto }', /sets the permission mode auto/],
    ['lets tools pass', 'permissions: { allow: ["Bash(rm:*)"] }', /lets Bash\(rm:\*\) pass/],
    ['chooses an engine', 'engine: docker', /chooses the engine docker/],
    ['chooses an agent', 'agent: claude', /chooses the agent claude/],
  ]
  const own =
    'network: { allow: [a.test, "*.wild.test"], deny: [never.test] }\nlimits: { memory: 2g }\npermissions: { allow: ["Bash(git status:*)"] }\n'

  it.each(widening)('that %s is refused until it was approved', async (_what, text, line) => {
    using place = makePlace()
    place.user(own)
    const file = place.projectFile(`${text}\n`)
    await expect(place.load()).rejects.toMatchObject({
      code: 'policy/project-widens',
      message: expect.stringMatching(line),
      remedy: expect.stringContaining('anchorhold trust'),
    })
    const found = await projectWidenings(place.input)
    await approve(place.input.stateDir, file, found?.digest ?? '', new Date())
    expect((await place.load()).sources.find(({ kind }) => kind === 'project')?.widens).toHaveLength(1)
  })

  it('may narrow without a question', async () => {
    using place = makePlace()
    place.user(own)
    place.projectFile(
      'workspace: { mode: readonly }\nfiles: { hide: ["*.pem"], protect: [deploy/] }\nnetwork: { allow: [a.test, x.wild.test, "*.b.wild.test"], deny: ["*.wild.test"] }\nlimits: { memory: 1g, processes: 100, time: 1h }\npermissions: { mode: ask, allow: [] }\n',
    )
    const { policy } = await place.load()
    expect(policy.workspace.mode).toBe('readonly')
    expect(policy.limits).toEqual({ memory: 2 ** 30, disk: 10 * 2 ** 30, processes: 100, time: 3_600_000 })
    expect(policy.permissions.allow).toEqual([])
    expect(policy.files.hide.map(({ glob }) => glob)).toEqual(['*.pem'])
    expect(judge(policy.network, at('x.wild.test'))).toMatchObject({ effect: 'deny', code: 'denied', origin: { kind: 'project' } })
  })

  it('never has routes, approved or not', async () => {
    using place = makePlace()
    const file = place.projectFile('network: { routes: { "a.test:80": "127.0.0.1:1" } }\n')
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/project-routes' })
    await approve(place.input.stateDir, file, 'x', new Date())
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/project-routes' })
  })

  it("never lifts a user's deny, approved or not", async () => {
    using place = makePlace()
    place.user(own)
    const file = place.projectFile('network: { allow: [never.test, b.test] }\n')
    await approve(place.input.stateDir, file, (await projectWidenings(place.input))?.digest ?? '', new Date())
    const { policy } = await place.load()
    expect(judge(policy.network, at('b.test')).effect).toBe('allow')
    expect(judge(policy.network, at('never.test'))).toMatchObject({ effect: 'deny', origin: { kind: 'user' } })
  })

  it('is not even asked for presets before it was approved', async () => {
    using place = makePlace()
    const npm = fixedRegistry('npm', 'registry.company.test')
    place.projectFile('network: { allow: [npm] }\n')
    await expect(place.load({}, { registries: [npm] })).rejects.toMatchObject({ code: 'policy/project-widens' })
    expect(npm.asked).toBe(0)
  })

  it('needs a new approval after any change, and after revoking', async () => {
    using place = makePlace()
    const file = place.projectFile('network: { allow: [b.test] }\n')
    await approve(place.input.stateDir, file, (await projectWidenings(place.input))?.digest ?? '', new Date())
    await place.load()
    place.projectFile('network: { allow: [b.test] } # changed\n')
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/project-widens' })
    place.projectFile('network: { allow: [b.test] }\n')
    await place.load()
    expect(await listApprovals(place.input.stateDir)).toMatchObject([{ file }])
    expect(await revoke(place.input.stateDir, file)).toBe(true)
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/project-widens' })
  })

  it('is not approved by the approval of another project, nor by a record that others can write', async () => {
    using place = makePlace()
    using other = makePlace()
    const text = 'network: { allow: [b.test] }\n'
    const [file, foreign] = [place.projectFile(text), other.projectFile(text)]
    const digest = (await projectWidenings(place.input))?.digest ?? ''
    await approve(place.input.stateDir, foreign, digest, new Date())
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/project-widens' })
    await approve(place.input.stateDir, file, digest, new Date())
    await place.load()
    const folder = path.join(place.input.stateDir, 'trust')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(folder)) {
      expect(statSync(path.join(folder, name)).mode & 0o777).toBe(0o600)
      chmodSync(path.join(folder, name), 0o666)
    }
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/project-widens' })
  })

  it.each(['symlink', 'fifo-like folder', 'broken'])('that is a %s is refused', async (what) => {
    using place = makePlace()
    const file = path.join(place.project, 'anchorhold.yaml')
    if (what === 'symlink') symlinkSync(place.user('engine: auto\n'), file)
    else if (what === 'broken') symlinkSync('/nowhere', file)
    else mkdirSync(file)
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/unreadable' })
  })

  it('mounts nothing through its own links, approved or not', async () => {
    using place = makePlace()
    symlinkSync(path.join(place.root, 'work', 'shared'), path.join(place.project, 'link'))
    place.projectFile('files: { mount: [{ path: ./link, mode: rw }] }\n')
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/mount-refused' })
  })

  it('under the other spelling is refused, not ignored', async () => {
    using place = makePlace()
    writeFileSync(path.join(place.project, 'anchorhold.yml'), 'network: { deny: [a.test] }\n')
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/other-spelling' })
  })
})

describe("the user's policy", () => {
  it('is refused when it is missing but was asked for, unreadable, too large or no file', async () => {
    using place = makePlace()
    await expect(place.load({ policy: path.join(place.root, 'none.yaml') })).rejects.toMatchObject({ code: 'policy/unreadable' })
    await expect(place.load({ policy: place.configDir })).rejects.toMatchObject({ code: 'policy/unreadable' })
    const file = place.user(`# ${'x'.repeat(2 ** 20)}\nengine: auto\n`)
    await expect(place.load()).rejects.toThrow(/larger than 1 MiB/)
    place.user('engine: auto\n')
    chmodSync(file, 0o000)
    if (asRoot) await place.load()
    else await expect(place.load()).rejects.toMatchObject({ code: 'policy/unreadable' })
  })

  it('never lies in the project, nor is reached through a link into it', async () => {
    using place = makePlace()
    const inside = path.join(place.project, 'mine.yaml')
    writeFileSync(inside, 'engine: auto\n', { mode: 0o600 })
    await expect(place.load({ policy: inside })).rejects.toMatchObject({ code: 'policy/untrusted-file' })
    symlinkSync(inside, path.join(place.configDir, 'policy.yaml'))
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/untrusted-file' })
    rmSync(path.join(place.configDir, 'policy.yaml'))
    linkSync(inside, path.join(place.configDir, 'policy.yaml'))
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/untrusted-file', message: expect.stringContaining('hard link') })
    const outer = path.join(place.root, 'outer.yaml')
    writeFileSync(outer, 'engine: auto\n', { mode: 0o600 })
    symlinkSync(outer, path.join(place.project, 'link.yaml'))
    await expect(place.load({ policy: path.join(place.project, 'link.yaml') })).rejects.toMatchObject({ code: 'policy/untrusted-file' })
  })

  it('may be a link to a file elsewhere, but a broken link is not "no policy"', async () => {
    using place = makePlace()
    const elsewhere = path.join(place.root, 'dotfiles.yaml')
    writeFileSync(elsewhere, 'network: { allow: [a.test] }\n', { mode: 0o600 })
    symlinkSync(elsewhere, path.join(place.configDir, 'policy.yaml'))
    expect((await place.load()).policy.network.rules).toHaveLength(1)
    rmSync(elsewhere)
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/unreadable' })
  })

  it('is not followed where others can write it', async () => {
    using place = makePlace()
    const file = place.user('engine: auto\n')
    chmodSync(file, 0o666)
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/untrusted-file' })
    chmodSync(file, 0o600)
    chmodSync(place.configDir, 0o777)
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/untrusted-file' })
    chmodSync(place.configDir, 0o755)
    await place.load()
    if (asRoot) {
      chownSync(file, 65_534, 65_534)
      await expect(place.load()).rejects.toMatchObject({ code: 'policy/untrusted-file' })
    }
  })

  it('never lies in a folder that the cell may write', async () => {
    using place = makePlace()
    const shared = path.join(place.root, 'work', 'shared')
    const file = path.join(shared, 'p.yaml')
    writeFileSync(file, 'network: { allow: [a.test] }\n', { mode: 0o600 })
    await expect(place.load({ policy: file, mount: [{ path: shared, mode: 'rw' }] })).rejects.toMatchObject({
      code: 'policy/untrusted-file',
    })
    await place.load({ policy: file, mount: [{ path: shared, mode: 'ro' }] })
  })
})

describe('mounts', () => {
  it('are relative to their file, and real paths', async () => {
    using place = makePlace()
    const shared = path.join(place.root, 'work', 'shared')
    symlinkSync(shared, path.join(place.configDir, 'alias'))
    for (const written of ['alias', './alias/', 'alias//', shared, `${shared}/.`, '../../../work/shared/../shared', '~/../work/shared']) {
      place.user(`files: { mount: [{ path: ${JSON.stringify(written)} }] }\n`)
      expect((await place.load()).policy.files.mount).toMatchObject([{ path: shared, mode: 'ro' }])
    }
  })

  it('refuse systems, homes, sockets and what anchorhold keeps', async () => {
    using place = makePlace()
    const socket = path.join(place.root, 's')
    const server = net.createServer()
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    mkdirSync(path.join(place.input.hostHome, '.ssh'))
    const refused = [
      '/',
      '/proc',
      '/sys',
      '/dev',
      '/run',
      socket,
      place.input.hostHome,
      place.root,
      place.configDir,
      path.dirname(place.configDir),
      path.join(place.root, 'home', '.config'),
    ]
    for (const each of refused)
      await expect(place.load({ mount: [{ path: each, mode: 'ro' }] }), each).rejects.toMatchObject({ code: 'policy/mount-refused' })
    for (const each of ['/etc', '/usr', path.join(place.input.hostHome, '.ssh')])
      await expect(place.load({ mount: [{ path: each, mode: 'rw' }] }), each).rejects.toMatchObject({ code: 'policy/mount-refused' })
    for (const each of ['/nowhere/at/all', '', 'a\nb', '~root', '$HOME/x', '${HOME}'])
      await expect(place.load({ mount: [{ path: each, mode: 'ro' }] }), each).rejects.toMatchObject({ code: 'policy/bad-path' })
    await new Promise((resolve) => server.close(resolve))
  })
})

it('loads two policies at once without mixing them', async () => {
  using one = makePlace()
  using two = makePlace()
  one.user('network: { allow: [one.test] }\n')
  two.user('network: { allow: [two.test] }\n')
  const loaded = await Promise.all(Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? one : two).load()))
  loaded.forEach(({ policy }, index) => {
    expect(judge(policy.network, at('one.test')).effect).toBe(index % 2 === 0 ? 'allow' : 'deny')
    expect(judge(policy.network, at('two.test')).effect).toBe(index % 2 === 0 ? 'deny' : 'allow')
  })
})

it('writes nothing, and reads each file as it is', async () => {
  using place = makePlace()
  const file = place.user('network: { allow: [a.test] }\n')
  await place.load({}, { agentPresets: ['claude'] })
  expect(readFileSync(file, 'utf8')).toBe('network: { allow: [a.test] }\n')
  expect(readdirSync(path.join(place.input.hostHome))).toEqual(['.config'])
})
