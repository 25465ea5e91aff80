// The law of projects: whatever a project's file says, without approval no run gets more than the user alone would give. Oracle: the judge, and the values.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { CanonicalHost, HostRule, Origin, Policy } from '../../src/model/policy.ts'
import type { SecretRule } from '../../src/model/secret.ts'
import { judge, matches } from '../../src/policy/judge.ts'
import { silentLayer, type Layer } from '../../src/policy/layer.ts'
import { merge } from '../../src/policy/merge.ts'
import { widenings } from '../../src/policy/narrow.ts'

const names = ['a.test', 'b.a.test', 'c.b.a.test', 'd.test'] as CanonicalHost[]
const ports = [22, 80, 443]
const layer = (kind: 'user' | 'project'): fc.Arbitrary<Layer> => {
  const origin: Origin = { kind, source: `/${kind}`, line: 1 }
  const said = <T>(values: readonly T[]): fc.Arbitrary<{ value: T; origin: Origin }> =>
    fc.constantFrom(...values).map((value) => ({ value, origin }))
  const rule: fc.Arbitrary<HostRule> = fc.record({
    effect: fc.constantFrom('allow' as const, 'deny' as const),
    pattern: fc.oneof(
      fc.constantFrom(...names).map((host) => ({ kind: 'host' as const, host })),
      fc.constantFrom(...names).map((suffix) => ({ kind: 'subdomains' as const, suffix })),
    ),
    ports: fc.subarray(ports, { minLength: 1 }),
    origin: fc.constant(origin),
  })
  const limit = fc.record({
    name: fc.constantFrom('memory' as const, 'processes' as const, 'time' as const),
    value: fc.constantFrom(100, 5000, 10_000, 'none' as const),
    origin: fc.constant(origin),
  })
  const globs = fc.subarray(['.vscode', '.idea']).map((list) => list.map((glob) => ({ glob, origin })))
  const secret: fc.Arbitrary<SecretRule> = fc
    .record({
      name: fc.constantFrom('A_TOKEN', 'B_TOKEN'),
      from: fc.constantFrom({ kind: 'store' as const }, { kind: 'env' as const, variable: 'A' }),
      hosts: fc
        .subarray(names, { minLength: 1 })
        .map((list) => list.map((host) => ({ pattern: { kind: 'host' as const, host }, port: 443 }))),
      where: fc.subarray(['header' as const, 'query' as const], { minLength: 1 }),
      methods: fc.option(fc.subarray(['GET', 'POST'], { minLength: 1 }), { nil: undefined }),
    })
    .map(({ methods, ...rest }) => ({ ...rest, ...(methods === undefined ? {} : { methods }), origin }))
  const budget = fc.record({
    scope: fc.constantFrom('session' as const, 'day' as const),
    unit: fc.constantFrom('usd' as const, 'tokens' as const),
    amount: fc.constantFrom(1, 2, 3),
    origin: fc.constant(origin),
  })
  // Most projects say little: what is left out is what makes a random one narrow often enough.
  const rare = <T>(list: fc.Arbitrary<T[]>): fc.Arbitrary<T[]> =>
    kind === 'user' ? list : fc.oneof({ weight: 3, arbitrary: fc.constant<T[]>([]) }, { weight: 1, arbitrary: list })
  const rows = fc.record({
    mount: rare(
      fc
        .subarray(['/m/a', '/m/a/b', '/m/c'])
        .chain((paths) => fc.constantFrom('ro' as const, 'rw' as const).map((mode) => paths.map((path) => ({ path, mode, origin })))),
    ),
    hide: globs,
    protect: globs,
    unprotect: rare(globs),
    env: rare(
      fc.array(fc.record({ name: fc.constantFrom('A', 'B'), value: fc.constantFrom('1', '2'), origin: fc.constant(origin) }), {
        maxLength: 2,
      }),
    ),
    presets: fc.constant([]),
    rules: fc.array(rule, { maxLength: kind === 'user' ? 5 : 2 }),
    routes: fc.constant([]),
    passThrough: rare(fc.array(rule, { maxLength: 2 })),
    secrets: rare(fc.uniqueArray(secret, { maxLength: 2, selector: ({ name }) => name })),
    budget: fc.array(budget, { maxLength: kind === 'user' ? 2 : 1 }),
    limits: fc.array(limit, { maxLength: kind === 'user' ? 3 : 1 }),
  })
  const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(value, { nil: undefined, freq: kind === 'user' ? 3 : 1 })
  const single = fc
    .record({
      engine: maybe(said(['auto', 'podman'] as const)),
      agent: maybe(said(['claude', 'codex'])),
      workspace: maybe(said(['live', 'readonly'] as const)),
      mode: maybe(said(['ask', 'allow-listed', 'auto'] as const)),
      tools: maybe(fc.subarray(['x', 'y']).map((list) => list.map((value) => ({ value, origin })))),
    })
    .map((few) => Object.fromEntries(Object.entries(few).filter(([, value]) => value !== undefined)) as Partial<Layer>)
  return fc.tuple(rows, single).map(([many, few]) => ({ ...many, ...few }))
}

function passes({ passThrough = [] }: Policy['network'], host: CanonicalHost, port: number): boolean {
  return passThrough.some(({ pattern, ports: own }) => matches(pattern, host) && (own === 'all' || own.includes(port)))
}

it('a project without approval never widens anything', () => {
  let narrowed = 0
  fc.assert(
    fc.property(layer('user'), layer('project'), (user, project) => {
      if (widenings(project, user, silentLayer).length > 0) return
      narrowed += 1
      const alone = merge({ user, project: silentLayer, flags: silentLayer }, []).policy
      const both = merge({ user, project, flags: silentLayer }, []).policy
      for (const host of names)
        for (const port of ports)
          if (judge(alone.network, { host, port }).effect === 'deny') expect(judge(both.network, { host, port }).effect).toBe('deny')
      expect(both.engine).toBe(alone.engine)
      expect(both.agent).toBe(alone.agent)
      if (alone.workspace.mode === 'readonly') expect(both.workspace.mode).toBe('readonly')
      expect(['ask', 'allow-listed', 'auto'].indexOf(both.permissions.mode)).toBeLessThanOrEqual(
        ['ask', 'allow-listed', 'auto'].indexOf(alone.permissions.mode),
      )
      expect(alone.permissions.allow).toEqual(expect.arrayContaining([...both.permissions.allow]))
      for (const name of ['memory', 'processes', 'time'] as const)
        expect(both.limits[name] ?? Infinity).toBeLessThanOrEqual(alone.limits[name] ?? Infinity)
      for (const host of names)
        for (const port of ports) if (!passes(alone.network, host, port)) expect(passes(both.network, host, port)).toBe(false)
      const reach = (policy: typeof alone, mode: string): string[] =>
        policy.files.mount.filter((mount) => mount.mode === mode || mode === 'ro').map(({ path }) => path)
      for (const mode of ['ro', 'rw'])
        for (const path of reach(both, mode))
          expect(reach(alone, mode).some((own) => path === own || path.startsWith(`${own}/`))).toBe(true)
      expect(new Set(alone.env.map(({ name, value }) => `${name}=${value}`))).toEqual(
        new Set(both.env.map(({ name, value }) => `${name}=${value}`)),
      )
      for (const secret of both.secrets) {
        const own = alone.secrets.find(({ name }) => name === secret.name)
        expect(own?.from).toEqual(secret.from)
        expect(own?.hosts).toEqual(expect.arrayContaining([...secret.hosts]))
        expect(own?.where).toEqual(expect.arrayContaining([...secret.where]))
        if (own?.methods !== undefined) expect(own.methods).toEqual(expect.arrayContaining([...(secret.methods ?? ['none'])]))
      }
      const globs = (list: readonly { glob: string }[]): string[] => list.map(({ glob }) => glob)
      expect(globs(alone.files.unprotect)).toEqual(expect.arrayContaining(globs(both.files.unprotect)))
      for (const list of ['hide', 'protect'] as const)
        expect(globs(both.files[list])).toEqual(expect.arrayContaining(globs(alone.files[list])))
    }),
    { numRuns: 4000 },
  )
  expect(narrowed).toBeGreaterThan(100) // the law was tested, not skipped
})
