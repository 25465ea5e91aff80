// Bindings of secrets: what a line of a policy or a flag may say, what it implies, and what a project may do with the user's (attacks.md SEC-16).
import { expect, it, describe } from 'vitest'
import { policyRows } from '../../src/commands/policy.ts'
import { judge } from '../../src/policy/judge.ts'
import type { CanonicalHost } from '../../src/model/policy.ts'
import { approve } from '../../src/policy/approval.ts'
import { makePlace } from './fixture.ts'

const bad = { code: 'policy/bad-secret' }

describe('--secret', () => {
  it('binds a variable of the caller to hosts and ports, allows exactly those, and shows no value', async () => {
    using place = makePlace()
    const loaded = await place.load(
      { secret: ['GH_TOKEN@API.github.com,ghe.example.com:8443'] },
      { hostEnv: { GH_TOKEN: 'the-value-itself' } },
    )
    const { policy } = loaded
    expect(policy.secrets).toMatchObject([
      {
        name: 'GH_TOKEN',
        from: { kind: 'env', variable: 'GH_TOKEN' },
        hosts: [
          { pattern: { kind: 'host', host: 'api.github.com' }, port: 443 },
          { pattern: { kind: 'host', host: 'ghe.example.com' }, port: 8443 },
        ],
        where: ['header', 'basic'],
      },
    ])
    const allowed = (host: string, port: number): string => judge(policy.network, { host: host as CanonicalHost, port }).effect
    expect([allowed('api.github.com', 443), allowed('ghe.example.com', 8443)]).toEqual(['allow', 'allow'])
    expect([allowed('api.github.com', 80), allowed('ghe.example.com', 443), allowed('github.com', 443)]).toEqual(['deny', 'deny', 'deny'])
    const shown = JSON.stringify([policyRows(loaded), loaded])
    expect(shown).toContain('GH_TOKEN from your variable GH_TOKEN for api.github.com, ghe.example.com:8443')
    expect(shown).not.toContain('the-value-itself')
  })

  it('changes the digest with each part of a binding', async () => {
    using place = makePlace()
    const digests = [
      await place.load({ secret: ['A_TOKEN@a.test'] }),
      await place.load({ secret: ['B_TOKEN@a.test'] }),
      await place.load({ secret: ['A_TOKEN@b.test'] }),
      await place.load({ secret: ['A_TOKEN@a.test:444'] }),
      await place.load({ allow: ['a.test:443'] }),
    ].map(({ policy }) => policy.digest)
    expect(new Set(digests).size).toBe(digests.length)
  })

  it.each([
    ['no host', 'TOKEN', 'names no host'],
    ['no name', '@a.test', 'letters, digits'],
    ['a name that no variable has', 'A-B@a.test', 'letters, digits'],
    ['a variable of every cell', 'PATH@a.test', 'every cell has its own'],
    ['a star over names of strangers', 'T@*.workers.dev', 'workers.dev'],
    ['a star over shared storage', 'T@*.amazonaws.com', ''],
    ['a star over a public suffix', 'T@*.co.uk', 'public suffix'],
    ['a star alone', 'T@*', 'every host'],
    ['an address', 'T@192.0.2.1', 'address'],
    ['an empty host', 'T@a.test,', 'empty'],
    ['a value in place of a host', 'T@a.test=value', 'never written on the command line'],
    ['a value beside the name', 'T=value@a.test', 'never written on the command line'],
    ['plain HTTP', 'T@a.test:80', 'plain HTTP'],
  ])('refuses %s', async (_what, secret, reason) => {
    using place = makePlace()
    await expect(place.load({ secret: [secret] })).rejects.toThrow(reason)
    await expect(place.load({ secret: [secret] })).rejects.toMatchObject({ code: expect.stringMatching(/^policy\/bad-(secret|rule)$/) })
  })

  it('repeats nothing that may be a value, on the command line or in a file', async () => {
    using place = makePlace()
    const value = 'hunter2-hunter2'
    for (const secret of [`T_A=${value}@a.test`, `T_A@a.test=${value}`])
      await expect(place.load({ secret: [secret] })).rejects.toSatisfy(
        (error) => !JSON.stringify(error).includes(value) && !String(error).includes(value),
      )
    for (const line of [`from: ${value}`, `from: { file: [${value}] }`, `where: ${value}`]) {
      place.user(`secrets: [{ name: T_A, hosts: [a.test], ${line} }]\n`)
      await expect(place.load()).rejects.toSatisfy((error) => !String(error).includes(value))
    }
    place.user(`secrets: [{ name: T_A, hosts: [a.test], from: ${value} }]\n`)
    await expect(place.load()).rejects.toThrow('must be one of env, keyring, store, or a mapping')
    place.user(`env: { MY_API_KEY: ${value}, NODE_ENV: test }\n`)
    const rows = JSON.stringify(policyRows(await place.load()))
    expect(rows).toContain('NODE_ENV=test')
    expect(rows).toContain('MY_API_KEY=[redacted]')
  })

  it('refuses one name twice, and a variable that is passed on as well', async () => {
    using place = makePlace()
    await expect(place.load({ secret: ['T_A@a.test', 'T_A@b.test'] })).rejects.toMatchObject(bad)
    await expect(place.load({ secret: ['T_A@a.test'], env: ['T_A'] })).rejects.toMatchObject({ code: 'command/contradiction' })
  })

  it('plain HTTP is for this machine alone: a loopback route, or its own name', async () => {
    using place = makePlace()
    await place.load({ secret: ['T_A@a.test:80'], route: ['a.test:80=127.0.0.1:8080'] })
    await place.load({ secret: ['T_A@host.anchorhold.internal:8080'] })
    await expect(place.load({ secret: ['T_A@a.test:80'], route: ['a.test:80=192.0.2.1:8080'] })).rejects.toMatchObject(bad)
    await expect(place.load({ secret: ['T_A@*.a.test:80'], route: ['b.a.test:80=127.0.0.1:8080'] })).rejects.toMatchObject(bad)
  })

  it('never widens a rule that speaks of the host itself', async () => {
    using place = makePlace()
    const { policy } = await place.load({ secret: ['T_A@a.test'], allow: ['a.test'] })
    expect(policy.network.rules.filter(({ effect }) => effect === 'allow')).toHaveLength(1)
  })

  it('says so where a deny makes a binding idle', async () => {
    using place = makePlace()
    const { notes } = await place.load({ secret: ['T_A@a.test'], deny: ['a.test'] })
    expect(notes.join()).toContain('T_A is never put in for a.test:443')
  })
})

describe('secrets: in a file', () => {
  it('reads every source, place, field, method and path', async () => {
    using place = makePlace()
    place.user(`secrets:
  - { name: A_KEY, hosts: [a.test] }
  - { name: B_KEY, from: store, hosts: ["*.b.test:8443"], where: [basic, query, body], methods: [GET], paths: ["/v1/**"] }
  - { name: C_KEY, from: { file: ~/keys/c }, hosts: [c.test], header: Private-Token, websocket: true }
  - { name: D_KEY, from: { command: [op, read, "op://x/y"] }, hosts: [d.test], where: header }
  - { name: E_KEY, from: { keyring: svc, account: me }, hosts: [e.test] }
  - { name: F_KEY, from: { env: OTHER }, hosts: [f.test] }
  - { name: G_KEY, from: keyring, hosts: [g.test] }
`)
    const { policy } = await place.load()
    expect(policy.secrets.map(({ from }) => from)).toEqual([
      { kind: 'env', variable: 'A_KEY' },
      { kind: 'store' },
      { kind: 'file', path: `${place.input.hostHome}/keys/c` },
      { kind: 'command', argv: ['op', 'read', 'op://x/y'] },
      { kind: 'keyring', service: 'svc', account: 'me' },
      { kind: 'env', variable: 'OTHER' },
      { kind: 'keyring', service: 'anchorhold', account: 'G_KEY' },
    ])
    expect(policy.secrets[1]).toMatchObject({ where: ['basic', 'query', 'body'], methods: ['GET'], paths: ['/v1/**'] })
    expect(policy.secrets[2]).toMatchObject({ where: ['header'], header: 'private-token', websocket: true })
    // What a secret implies is as narrow as its binding.
    expect(policy.network.rules.find(({ pattern }) => pattern.kind === 'subdomains')).toMatchObject({ methods: ['GET'], paths: ['/v1/**'] })
  })

  it.each([
    ['two sources', 'from: { env: A, file: b }, hosts: [a.test]'],
    ['an account without a keyring', 'from: { env: A, account: b }, hosts: [a.test]'],
    ['a command below the current folder', 'from: { command: [./print] }, hosts: [a.test]'],
    ['a method in lower case', 'methods: [get], hosts: [a.test]'],
    ['a path without its slash', 'paths: [v1], hosts: [a.test]'],
    ['a path with a dot segment', 'paths: [/v1/../x], hosts: [a.test]'],
    ['a path with an escape that is not needed', 'paths: [/v%31], hosts: [a.test]'],
    ['two stars beside other letters', 'paths: ["/v1**"], hosts: [a.test]'],
    ['a path of an AWS key without its slash', 'aws: {}, paths: [v1], hosts: [a.test]'],
    ['a method of an AWS key in lower case', 'aws: {}, methods: [get], hosts: [a.test]'],
    ['a field that is no credential', 'header: Host, hosts: [a.test]'],
    ['a field, but no header', 'header: X-Key, where: query, hosts: [a.test]'],
  ])('refuses %s', async (_what, rest) => {
    using place = makePlace()
    place.user(`secrets: [{ name: T_A, ${rest} }]\n`)
    await expect(place.load()).rejects.toMatchObject(bad)
  })

  it('what every kind of secret may say holds for an AWS key as well', async () => {
    using place = makePlace()
    place.user('secrets: [{ name: AWS, aws: {}, methods: [GET], paths: [/b/**], pass: [X-Note-Key], websocket: true, hosts: [a.test] }]\n')
    const { policy } = await place.load()
    expect(policy.secrets.map(({ name }) => name)).toEqual(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
    for (const rule of policy.secrets)
      expect(rule).toMatchObject({ methods: ['GET'], paths: ['/b/**'], pass: ['x-note-key'], websocket: true })
  })

  it('refuses the same name twice, and beside a variable', async () => {
    using place = makePlace()
    place.user('secrets: [{ name: T_A, hosts: [a.test] }, { name: T_A, hosts: [b.test] }]\n')
    await expect(place.load()).rejects.toMatchObject(bad)
    place.user('env: { T_A: x }\nsecrets: [{ name: T_A, hosts: [a.test] }]\n')
    await expect(place.load()).rejects.toMatchObject(bad)
  })

  it('a flag for the same name replaces the binding', async () => {
    using place = makePlace()
    place.user('secrets: [{ name: T_A, from: store, hosts: [a.test] }]\n')
    const { policy } = await place.load({ secret: ['T_A@b.test'] })
    expect(policy.secrets).toMatchObject([{ from: { kind: 'env' }, hosts: [{ pattern: { host: 'b.test' } }] }])
  })
})

describe('a project', () => {
  it('binds no secret of the user without approval, and never runs a command', async () => {
    using place = makePlace()
    const file = place.projectFile('secrets: [{ name: T_A, hosts: [evil.test] }]\n')
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/project-widens' })
    await expect(place.load()).rejects.toThrow('binds the secret T_A (your variable T_A) to evil.test')
    const { digest } = await import('../../src/policy/load.ts')
      .then(({ projectWidenings }) => projectWidenings(place.input))
      .then((found) => found ?? { digest: '' })
    await approve(place.input.stateDir, file, digest, new Date())
    expect((await place.load()).policy.secrets).toHaveLength(1)
    place.projectFile('secrets: [{ name: T_A, from: { command: [touch, /x] }, hosts: [a.test] }]\n')
    await expect(place.load()).rejects.toMatchObject({ code: 'policy/project-secret-command' })
  })

  it('may narrow one', async () => {
    using place = makePlace()
    place.user('secrets: [{ name: T_A, from: store, hosts: [a.test, "*.b.test"], where: [header, query] }]\n')
    place.projectFile('secrets: [{ name: T_A, from: store, hosts: [x.b.test], where: header, methods: [GET] }]\n')
    expect((await place.load()).policy.secrets).toMatchObject([{ hosts: [{ pattern: { host: 'x.b.test' } }], methods: ['GET'] }])
    for (const wider of [
      'from: env, hosts: [a.test]',
      'from: store, hosts: [c.test]',
      'from: store, hosts: [a.test], where: body',
      'from: store, hosts: [a.test:444]',
    ]) {
      place.projectFile(`secrets: [{ name: T_A, ${wider} }]\n`)
      await expect(place.load(), wider).rejects.toMatchObject({ code: 'policy/project-widens' })
    }
  })
})
