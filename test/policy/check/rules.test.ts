// Each rule of `anchorhold policy check` on its own examples, read from real files by the real loader: the policy that has it, at its line, and the
// mended one (attacks.md PRX-54, CFG-13, CFG-14).
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { lookAround } from '../../../src/commands/policy-check.ts'
import { checkPolicy, checkRules } from '../../../src/policy/check/check.ts'
import type { CheckFinding } from '../../../src/policy/check/types.ts'
import { loadToCheck } from '../../../src/policy/load-to-check.ts'
import { openPlaces } from '../../../src/policy/open-places.ts'
import type { LoadInput } from '../../../src/policy/load.ts'
import { policySchema } from '../../../src/policy/schema.ts'
import { fixedRegistry, makePlace, type Place } from '../fixture.ts'

/** A home with something of everything that the examples speak of. */
function furnish(place: Place): LoadInput {
  const { hostHome } = place.input
  for (const folder of ['keys', 'library', 'scripts', 'shared', '.ssh']) mkdirSync(path.join(hostHome, folder))
  writeFileSync(path.join(hostHome, 'keys', 'server.key'), 'no key')
  writeFileSync(path.join(hostHome, 'library', 'index.ts'), '')
  writeFileSync(path.join(place.project, 'present.json'), '{}')
  for (const folder of ['.git/objects/00', 'node_modules/x']) mkdirSync(path.join(place.project, folder), { recursive: true })
  return { ...place.input, registries: [fixedRegistry('npm', 'registry.company.test')], hostEnv: { PATH: path.join(hostHome, 'scripts') } }
}

/** A line of a policy that its schema takes (names in capitals are the reader's to fill in), or something to do. */
function canBeCopied(text: string): boolean {
  if (/^(?:anchorhold |take out )/.test(text)) return true
  const tree: unknown = parse(text)
  const places = [{ network: { allow: tree } }, { secrets: tree }, { files: { mount: tree } }]
  return (Array.isArray(tree) ? places : [tree]).some((place) => policySchema.safeParse(place).success)
}

async function check(input: LoadInput): Promise<readonly CheckFinding[]> {
  const read = await loadToCheck(input)
  return checkPolicy({ ...read.loaded, seen: await lookAround(read, input) })
}

describe.each(checkRules.map((rule) => [rule.id, rule] as const))('%s', (id, { example }) => {
  const write = (place: Place, text: string): string => (id === 'project-not-approved' ? place.projectFile(text) : place.user(text))

  it('is found at its line', async () => {
    using place = makePlace()
    const file = write(place, example.has)
    const found = (await check(furnish(place))).filter((finding) => finding.id === id)
    expect(found.length).toBeGreaterThan(0)
    const line = example.has.split('\n').findIndex((text) => text.includes('# here')) + 1
    expect(found.map(({ origin }) => [origin.source, origin.line])).toEqual(found.map(() => [file, line]))
    for (const { means, subject, instead } of found) {
      expect(subject).not.toBe('')
      expect(instead === undefined || canBeCopied(instead), instead).toBe(true)
      expect(means).toMatch(/^\S.*\.$/s)
    }
  })

  it('is not found where it is mended', async () => {
    using place = makePlace()
    write(place, example.mended)
    expect((await check(furnish(place))).filter((finding) => finding.id === id)).toEqual([])
  })
})

describe('the catalogue', () => {
  it('has each rule once, under a name that can stay, with a source', () => {
    expect(new Set(checkRules.map(({ id }) => id)).size).toBe(checkRules.length)
    for (const { id, title, source } of checkRules) {
      expect(id).toMatch(/^[a-z]+(?:-[a-z]+)+$/)
      expect(title).toMatch(/^\S.{10,90}$/)
      expect(source).not.toBe('')
    }
  })

  it('names open places in canonical form', () => {
    for (const host of openPlaces.keys()) expect(host).toMatch(/^(?:[a-z0-9-]+\.)+[a-z]{2,}$/)
    expect(openPlaces.size).toBeGreaterThan(120)
  })
})

describe('what is found', () => {
  it.each([
    ['*.amazonaws.com', 'open-host', 'warning'],
    ['storage.googleapis.com', 'open-host', 'warning'],
    ['pastebin.com', 'open-host', 'error'],
    ['abcd.oast.fun', 'open-host', 'error'],
    ['x.trycloudflare.com:443', 'open-host', 'error'],
    ['hooks.slack.com', 'open-host', 'warning'],
    ['api.telegram.org', 'open-host', 'warning'],
    ['dns.google', 'open-host', 'warning'],
    ['gitlab.com', 'open-host', 'warning'],
    ['*.slack.com', 'open-host', 'warning'],
    ['*.example.co.uk', 'wide-star', 'warning'],
    ['*.cdn.example.org', 'wide-star', 'note'],
    ['me.herokuapp.com', 'rented-name', 'note'],
    ['registry.example.org', 'registry-publish', 'note'],
    ['mail.example.org:25', 'telling-port', 'warning'],
    ['git.example.org:22', 'telling-port', 'note'],
  ])('--allow %s: %s, %s', async (host, id, severity) => {
    using place = makePlace()
    const input = furnish(place)
    const found = await check({ ...input, options: { args: [], allow: [host] } })
    expect(found.find((finding) => finding.id === id)).toMatchObject({ severity, origin: { kind: 'flag', source: `--allow ${host}` } })
  })

  it.each(['docs.example.org:443', 'my-host.test:8443', 'db.example.org:5432', 'notpastebin.com:443'])(
    '--allow %s: nothing',
    async (host) => {
      using place = makePlace()
      const input = furnish(place)
      expect(await check({ ...input, options: { args: [], allow: [host] } })).toEqual([])
    },
  )

  it('is in the order of places, with columns, and once', async () => {
    using place = makePlace()
    const file = place.user(
      'network:\n  allow: [docs.example.org:443, pastebin.com:443, "*.example.org:443"]\nlimits: { processes: none }\n',
    )
    const found = await check(furnish(place))
    expect(found.map(({ id, origin }) => [id, origin.source, origin.line, origin.column])).toEqual([
      ['repeated-allow', file, 2, 11],
      ['open-host', file, 2, 33],
      ['wide-star', file, 2, 51],
      ['no-limit', file, 3, 11],
    ])
  })

  it('says what a mount holds, but for what the cell finds empty', async () => {
    using place = makePlace()
    const input = furnish(place)
    const folder = path.join(input.hostHome, 'library')
    writeFileSync(path.join(folder, '.env'), 'X=1')
    writeFileSync(path.join(folder, 'id_rsa.pub'), '')
    const mount = 'files:\n  mount:\n    - { path: ~/library }\n'
    place.user(mount)
    expect((await check(input)).map(({ id }) => id)).toEqual([])
    writeFileSync(path.join(folder, 'tls.pem'), '')
    const [one] = await check(input)
    expect(one).toMatchObject({ id: 'mount-credentials', severity: 'error', instead: 'files: { hide: ["tls.pem"] }' })
    place.user(`${mount}  hide: ["tls.pem"]\n`)
    expect(await check(input)).toEqual([])
    place.user(`${mount}  hide: ["tls.pem"]\n  unprotect: [.env]\n`)
    expect((await check(input)).map(({ id }) => id).toSorted()).toEqual(['lifted-protection', 'mount-credentials'])
  })

  it('follows links of the home folder into what the agent may write', async () => {
    using place = makePlace()
    const input = { ...furnish(place), hostEnv: {} }
    writeFileSync(path.join(place.project, 'shellrc'), '')
    expect(await check(input)).toEqual([])
    symlinkSync(path.join(place.project, 'shellrc'), path.join(input.hostHome, '.bashrc'))
    expect(await check(input)).toMatchObject([
      { id: 'host-runs-it', severity: 'error', subject: path.join(place.project, 'shellrc'), instead: 'workspace: { mode: review }' },
    ])
    expect(await check({ ...input, options: { args: [], workspace: 'review' } })).toEqual([])
  })

  it.each([
    ['.bashrc', 'source ~/library/aliases.sh', 'aliases.sh', true],
    ['.profile', '. "$HOME/library/aliases.sh"', 'aliases.sh', true],
    ['.bashrc', '# source ~/library/aliases.sh', 'aliases.sh', false],
    ['.bashrc', 'alias work="cd ~/library"', '', false],
    ['.gitconfig', '[core]\n\thooksPath = ~/library', '', true],
    ['.config/systemd/user/x.service', '[Service]\nExecStart=%h/library/aliases.sh --go', 'aliases.sh', true],
    ['.config/autostart/x.desktop', 'Exec=~/library/aliases.sh', 'aliases.sh', true],
  ])('reads from ~/%s which paths are obeyed: %s', async (file, line, target, obeyed) => {
    using place = makePlace()
    const input = { ...furnish(place), hostEnv: {} }
    const folder = path.join(input.hostHome, 'library')
    writeFileSync(path.join(folder, 'aliases.sh'), '')
    mkdirSync(path.dirname(path.join(input.hostHome, file)), { recursive: true })
    writeFileSync(path.join(input.hostHome, file), `${line}\n`)
    place.user('files:\n  mount:\n    - { path: ~/library, mode: rw }\n')
    const found = (await check(input)).filter(({ id }) => id === 'host-runs-it')
    expect(found.map(({ subject, origin }) => [subject, origin.line])).toEqual(obeyed ? [[path.join(folder, target), 3]] : [])
    place.user('files:\n  mount:\n    - { path: ~/library, mode: ro }\n')
    expect(await check(input)).toEqual([])
  })

  it('never shows a value', async () => {
    using place = makePlace()
    const value = 'AKIAQWERTYUIOP234567'
    place.user(`env: { UPLOAD: ${value} }\n`)
    const found = await check(furnish(place))
    expect(found.map(({ id }) => id)).toEqual(['env-credential'])
    expect(JSON.stringify(found)).not.toContain(value)
  })

  it('leaves alone what presets and secrets imply', async () => {
    using place = makePlace()
    place.user('network:\n  allow: [github-read, npm-install]\nsecrets:\n  - { name: API_TOKEN, hosts: [api.example.org] }\n')
    expect(await check(furnish(place))).toEqual([])
  })

  it('needs no disk: the pure part alone finds what the policy says', async () => {
    using place = makePlace()
    place.user('network:\n  allow: ["*.amazonaws.com:443"]\n')
    const { policy, origins } = await place.load()
    expect(checkPolicy({ policy, origins }).map(({ id, subject }) => [id, subject])).toEqual([['open-host', '*.amazonaws.com:443']])
  })
})
