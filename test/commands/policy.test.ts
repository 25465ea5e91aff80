// The commands policy, explain, trust and init as a user types them, in a home and a project of their own.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { explainPath } from '../../src/commands/explain-path.ts'
import { globMatches } from '../../src/workspace/glob-matches.ts'
import { policyText, presetsFor } from '../../src/commands/init.ts'
import { makePlace } from '../policy/fixture.ts'
import { parsePolicy } from '../../src/policy/yaml.ts'

interface Desk extends Disposable {
  readonly project: string
  readonly home: string
  run(...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string }
}
function makeDesk(): Desk {
  const root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'anchorhold-commands-')))
  const [project, home] = [path.join(root, 'project'), path.join(root, 'home')]
  for (const folder of [project, path.join(home, '.config', 'anchorhold')]) mkdirSync(folder, { recursive: true, mode: 0o755 })
  const cli = path.join(import.meta.dirname, '..', '..', 'src', 'cli.ts')
  return {
    project,
    home,
    run(...args) {
      const env = { HOME: home, PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', NODE_NO_WARNINGS: '1' }
      const done = spawnSync(process.execPath, [cli, ...args], { cwd: project, env, encoding: 'utf8', input: '' })
      return { code: done.status, out: done.stdout, err: done.stderr }
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

describe('anchorhold policy', () => {
  it('shows every line with where it comes from, and the same as JSON', () => {
    using desk = makeDesk()
    const file = path.join(desk.home, '.config', 'anchorhold', 'policy.yaml')
    writeFileSync(
      file,
      'network:\n  allow:\n    - host: api.example.test\n      reason: the API\n  deny: ["*.evil.test"]\nlimits: { memory: 4g }\n',
      { mode: 0o600 },
    )
    const { code, out } = desk.run('policy', '--allow', 'db.example.test:5432')
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`allow +api\\.example\\.test +${file}:3: the API`))
    expect(out).toMatch(/allow +db\.example\.test:5432 +the flag --allow db\.example\.test:5432/)
    expect(out).toMatch(new RegExp(`deny +\\*\\.evil\\.test +${file}:5`))
    expect(out).toMatch(new RegExp(`limit memory +4g +${file}:6`))
    const json = JSON.parse(desk.run('policy', '--json').out) as { policy: { digest: string }; sources: unknown[] }
    expect(json.policy.digest).toMatch(/^[0-9a-f]{64}$/)
    expect(json.sources).toHaveLength(1)
  })

  it('prints a JSON schema that knows every key', () => {
    using desk = makeDesk()
    const schema = JSON.parse(desk.run('policy', 'schema').out) as { properties: object; additionalProperties: boolean }
    expect(Object.keys(schema.properties)).toEqual([
      'engine',
      'agent',
      'image',
      'workspace',
      'files',
      'env',
      'network',
      'secrets',
      'permissions',
      'limits',
      'budget',
    ])
    expect(schema.additionalProperties).toBe(false)
  })

  it('fails with 125, the place and the mend', () => {
    using desk = makeDesk()
    writeFileSync(path.join(desk.project, 'anchorhold.yaml'), 'netwrok: {}\n')
    const { code, out, err } = desk.run('policy')
    expect([code, out]).toEqual([125, ''])
    expect(err).toMatch(/anchorhold\.yaml:1:1: there is no key "netwrok"; did you mean "network"\?/)
  })
})

describe('anchorhold explain', () => {
  it('gives the verdict, why, and what would change it', () => {
    using desk = makeDesk()
    expect(desk.run('explain', 'host', 'a.test', '--allow', 'a.test').out).toMatch(/a\.test:443: allow\n.*the flag --allow a\.test/)
    expect(desk.run('explain', 'host', 'a.test:22').out).toMatch(
      /a\.test:22: deny\n.*no rule allows a\.test:22\n.*anchorhold run --allow a\.test:22/,
    )
    expect(desk.run('explain', 'host', '127.1').err).toMatch(/it is an address/)
    expect(desk.run('explain', 'host', '[::1]:80').code).toBe(125)
    expect(desk.run('explain', 'env', 'FOO').out).toMatch(/FOO: absent/)
    expect(desk.run('explain', 'env', 'PATH').out).toMatch(/PATH: set\n.*\/usr\/bin/)
    expect(desk.run('explain', 'env', 'HOME').out).toMatch(/HOME: set\n.*\/home\/agent/)
    for (const subject of ['path', 'env', 'host']) expect(desk.run('explain', subject, '').code, subject).toBe(125)
  })

  it('says what the cell sees of a path', async () => {
    using place = makePlace()
    symlinkSync('/etc/shadow', path.join(place.project, 'link'))
    const { policy } = await place.load({ hide: ['*.pem'], mount: [{ path: path.join(place.root, 'work', 'shared'), mode: 'ro' }] })
    const table = {
      'src/x.ts': 'read-write',
      'a/b.pem': 'hidden',
      '.env': 'hidden',
      '.env.example': 'read-write',
      '.vscode/tasks.json': 'held',
      '.github/workflows/ci.yml': 'read-write', // nothing runs it before the folder is a repository
      '.git/hooks/pre-commit': 'held',
      '../shared/x': 'read-only',
      '/usr/bin/env': 'read-only',
      '/usr/bin/no-such-program': 'absent',
      '/etc/passwd': 'read-only',
      '/etc/shadow': 'absent',
      '/tmp': 'private',
      '/dev/null': 'private',
      '/home/somebody': 'absent',
      '~/.ssh/id_x': 'absent',
      link: 'absent',
      '../elsewhere': 'absent',
    }
    for (const [file, verdict] of Object.entries(table)) expect((await explainPath(file, policy, place.input)).verdict, file).toBe(verdict)
  })

  it.each([
    ['.env', 'a/.env', true],
    ['.env', '.ENV', true],
    ['/deploy', 'deploy/x', true],
    ['/deploy', 'a/deploy', false],
    ['.claude/settings*.json', 'x/.claude/settings.local.json', true],
    ['*.pem', 'a/b.pem', true],
    ['*.pem', 'b.pems', false],
  ])('%s matches %s: %s', (glob, file, fits) => expect(globMatches(glob, file)).toBe(fits))
})

describe('anchorhold trust', () => {
  it('shows, refuses without a terminal, approves with --yes, lists, revokes', () => {
    using desk = makeDesk()
    expect(desk.run('trust').err).toMatch(/nothing to approve/)
    writeFileSync(path.join(desk.project, 'anchorhold.yaml'), 'network:\n  allow: [a.test]\n')
    expect(desk.run('policy').err).toMatch(/line 2: allows a\.test[\s\S]*anchorhold trust/)
    const refused = desk.run('trust')
    expect(refused.out).toMatch(/line 2: allows a\.test/)
    expect([refused.code, refused.err]).toEqual([125, expect.stringContaining('trust --yes')])
    expect(desk.run('policy').code).toBe(125)
    expect(desk.run('trust', '--yes').code).toBe(0)
    expect(desk.run('policy').out).toMatch(/allow +a\.test/)
    expect(desk.run('trust', '--list').out).toContain(path.join(desk.project, 'anchorhold.yaml'))
    expect(desk.run('trust', '--revoke').out).toMatch(/Taken back/)
    expect(desk.run('policy').code).toBe(125)
  })
})

describe('anchorhold init', () => {
  it('writes a policy that is valid as it stands, and never overwrites', () => {
    using desk = makeDesk()
    writeFileSync(path.join(desk.project, 'package-lock.json'), '{}')
    expect(desk.run('init').out).toMatch(/Wrote .*anchorhold\.yaml[\s\S]*anchorhold trust/)
    const text = readFileSync(path.join(desk.project, 'anchorhold.yaml'), 'utf8')
    expect(text).toContain('- npm')
    expect(desk.run('init').err).toMatch(/exists already/)
    expect(readFileSync(path.join(desk.project, 'anchorhold.yaml'), 'utf8')).toBe(text)
  })

  it('does not write through a link', () => {
    using desk = makeDesk()
    symlinkSync(path.join(desk.home, 'target'), path.join(desk.project, 'anchorhold.yaml'))
    expect(desk.run('init').code).toBe(125)
    expect(existsSync(path.join(desk.home, 'target'))).toBe(false)
  })

  it.each([
    [[], []],
    [['package.json'], ['npm']],
    [['package.json', 'yarn.lock'], ['yarn']],
    [['pyproject.toml', 'uv.lock'], ['uv']],
    [['pyproject.toml'], ['pip']],
    [
      ['go.mod', 'Cargo.toml', 'pom.xml'],
      ['cargo', 'go', 'maven'],
    ],
  ])('finds %j → %j', (names, presets) => {
    expect(presetsFor(names)).toEqual(presets)
    expect(parsePolicy(Buffer.from(policyText(presets)), 'x').tree.network?.allow).toEqual(presets)
  })

  it('is valid with every comment taken away, too', () => {
    const lines = policyText(['npm'])
      .split('\n')
      .map((line) => line.replace(/^(\s*)# (?=[a-z ]+:|- )/, '$1'))
    expect(() => parsePolicy(Buffer.from(lines.join('\n')), 'x')).not.toThrow()
  })
})
