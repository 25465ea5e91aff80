// `anchorhold policy check` as a user and as continuous integration types it: exit codes, JSON, SARIF by the rules of its schema.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { checkRules } from '../../src/policy/check/check.ts'

interface Desk extends Disposable {
  readonly project: string
  readonly config: string
  run(...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string }
}
function makeDesk(): Desk {
  const root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'anchorhold-check-')))
  const [project, home] = [path.join(root, 'project'), path.join(root, 'home')]
  const config = path.join(home, '.config', 'anchorhold', 'policy.yaml')
  for (const folder of [project, path.dirname(config)]) mkdirSync(folder, { recursive: true, mode: 0o755 })
  const cli = path.join(import.meta.dirname, '..', '..', 'src', 'cli.ts')
  return {
    project,
    config,
    run(...args) {
      const env = { HOME: home, PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', NODE_NO_WARNINGS: '1' }
      const done = spawnSync(process.execPath, [cli, 'policy', 'check', ...args], { cwd: project, env, encoding: 'utf8', input: '' })
      return { code: done.status, out: done.stdout, err: done.stderr }
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

it('ends with 0 for nothing and for notes, with 1 for more or with --strict, with 125 for what it cannot read', () => {
  using desk = makeDesk()
  expect(desk.run()).toMatchObject({ code: 0, out: 'Nothing to say (no policy file, built-in rules and flags only).\n', err: '' })
  writeFileSync(desk.config, 'network: { allow: [docs.example.org] }\n', { mode: 0o600 })
  expect(desk.run().code).toBe(0)
  expect(desk.run().out).toContain('1 note (')
  expect(desk.run('--strict').code).toBe(1)
  expect(desk.run('--allow', '*.example.org:443').code).toBe(1)
  expect(desk.run('--json', '--sarif')).toMatchObject({ code: 125, out: '' })
  expect(desk.run('no-such.yaml').err).toMatch(/no-such\.yaml/)
  expect(desk.run('no-such.yaml').code).toBe(125)
  writeFileSync(desk.config, 'netwrok: {}\n')
  expect(desk.run()).toMatchObject({ code: 125, out: '', err: expect.stringContaining('policy.yaml:1:1') })
})

it('shows place, severity, meaning and what to copy', () => {
  using desk = makeDesk()
  writeFileSync(desk.config, 'network:\n  allow:\n    - github\n', { mode: 0o600 })
  const { out, code } = desk.run()
  expect(code).toBe(1)
  expect(out).toContain(`${desk.config}:3:7: warning: github [whole-preset]\n    whoever has an account`)
  expect(out).toContain('    instead: - github-read\n')
})

it('checks a file by itself wherever it lies, and a project that is not approved', () => {
  using desk = makeDesk()
  const file = path.join(desk.project, 'anchorhold.yaml')
  writeFileSync(file, 'network:\n  allow: [pastebin.com:443]\nfiles: { hide: [nothing.txt] }\n')
  const alone = JSON.parse(desk.run('anchorhold.yaml', '--json').out) as { findings: { id: string; place: object }[] }
  expect(alone.findings.map(({ id }) => id)).toEqual(['open-host', 'idle-hide'])
  expect(alone.findings[0]?.place).toEqual({ from: 'project', file, line: 2, column: 11 })
  const whole = JSON.parse(desk.run('--json').out) as { version: number; files: string[]; findings: { id: string }[]; counts: object }
  expect(whole).toMatchObject({ version: 1, files: [file], counts: { error: 1, warning: 1, note: 1 } })
  expect(whole.findings.map(({ id }) => id)).toEqual(['project-not-approved', 'open-host', 'idle-hide'])
  const cli = path.join(import.meta.dirname, '..', '..', 'src', 'cli.ts')
  const env = { HOME: path.resolve(desk.config, '../../..'), PATH: '/usr/bin:/bin', NODE_NO_WARNINGS: '1' }
  expect(spawnSync(process.execPath, [cli, 'trust', '--yes'], { cwd: desk.project, env }).status).toBe(0)
  expect(desk.run().out).not.toContain('project-not-approved')
  writeFileSync(file, 'network:\n  allow: [gist.github.com:443]\n')
  expect(desk.run().out).toMatch(/anchorhold\.yaml:1:1: warning: .*\[project-not-approved\]\n {4}it has changed since you approved it/)
})

it('--sarif is SARIF 2.1.0: required members, kinds, indexes, places and addresses as its schema has them', () => {
  using desk = makeDesk()
  const file = path.join(desk.project, 'a policy.yaml')
  writeFileSync(file, 'network:\n  allow:\n    - "*.amazonaws.com"\nlimits: { processes: none }\n')
  const { out, code } = desk.run('a policy.yaml', '--allow', 'pastebin.com:443', '--sarif')
  expect(code).toBe(1)
  const log = JSON.parse(out) as Log
  expect(Object.keys(log).toSorted()).toEqual(['$schema', 'runs', 'version'])
  expect(log.version).toBe('2.1.0')
  expect(log.$schema).toMatch(/sarif-2\.1\.0/)
  const [run] = log.runs
  if (run === undefined) throw new Error('no run')
  expect(['utf16CodeUnits', 'unicodeCodePoints']).toContain(run.columnKind)
  const { driver } = run.tool
  expect(driver.name).toBe('anchorhold')
  expect(driver.semanticVersion).toMatch(/^\d+\.\d+\.\d+/)
  expect(driver.rules.map(({ id }) => id)).toEqual(checkRules.map(({ id }) => id))
  for (const { shortDescription, fullDescription, defaultConfiguration } of driver.rules) {
    expect([shortDescription.text, fullDescription.text].every((text) => text.length > 0)).toBe(true)
    expect(['none', 'note', 'warning', 'error']).toContain(defaultConfiguration.level)
  }
  const base = run.originalUriBaseIds['PROJECT']?.uri ?? ''
  expect(base).toMatch(/^file:\/\/\/.*\/$/)
  expect(run.results.length).toBeGreaterThanOrEqual(3)
  for (const { ruleId, ruleIndex, level, message, locations } of run.results) {
    expect(driver.rules[ruleIndex]?.id).toBe(ruleId)
    expect(['none', 'note', 'warning', 'error']).toContain(level)
    expect(message.text.length).toBeGreaterThan(0)
    expect(locations).toHaveLength(1)
    const [{ physicalLocation, logicalLocations } = {}] = locations
    if (physicalLocation === undefined) {
      expect(logicalLocations).toEqual([{ name: '--allow pastebin.com:443', kind: 'parameter' }])
      continue
    }
    const { artifactLocation, region } = physicalLocation
    expect(artifactLocation).toEqual({ uri: 'a%20policy.yaml', uriBaseId: 'PROJECT' })
    expect(fileURLToPath(new URL(artifactLocation.uri, base))).toBe(file)
    expect(
      Number.isInteger(region.startLine) && region.startLine >= 1 && Number.isInteger(region.startColumn) && region.startColumn >= 1,
    ).toBe(true)
  }
  expect(run.results.find(({ ruleId }) => ruleId === 'no-limit')?.locations[0]?.physicalLocation?.region).toEqual({
    startLine: 4,
    startColumn: 11,
  })
  expect(out.trimEnd()).toMatch(/^[ -~]+$/)
})

interface Log {
  readonly $schema: string
  readonly version: string
  readonly runs: readonly {
    readonly columnKind: string
    readonly tool: { readonly driver: { readonly name: string; readonly semanticVersion: string; readonly rules: readonly Rule[] } }
    readonly originalUriBaseIds: Readonly<Record<string, { readonly uri: string }>>
    readonly results: readonly Result[]
  }[]
}
interface Rule {
  readonly id: string
  readonly shortDescription: { readonly text: string }
  readonly fullDescription: { readonly text: string }
  readonly defaultConfiguration: { readonly level: string }
}
interface Result {
  readonly ruleId: string
  readonly ruleIndex: number
  readonly level: string
  readonly message: { readonly text: string }
  readonly locations: readonly {
    readonly physicalLocation?: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string }
      readonly region: { readonly startLine: number; readonly startColumn: number }
    }
    readonly logicalLocations?: readonly object[]
  }[]
}
