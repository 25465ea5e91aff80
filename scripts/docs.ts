// Writes the generated parts of docs/ from the sources they describe; `--check` only compares. A test runs the check.
// A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; everything around it is written by hand.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { engines } from '../src/engines/list.ts'
import { loadCatalogue } from '../src/prove/catalogue.ts'
import { promises } from '../src/model/proof.ts'
import type { TraitName } from '../src/model/engine.ts'
import { checkRules } from '../src/policy/check/check.ts'
import { limitTable, showLimit, type LimitName } from '../src/policy/limits.ts'
import { openKinds, openPlaces, type OpenKind } from '../src/policy/open-places.ts'
import { installSuffix } from '../src/policy/presets.ts'
import { policyJsonSchema } from '../src/policy/schema.ts'
import { servicePresets } from '../src/policy/service-presets.ts'
import { registries } from '../src/registries/list.ts'
import { hiddenNames } from '../src/workspace/hidden-names.ts'
import { protectedNames } from '../src/workspace/protected-names.ts'
import { readComparison } from './compare.ts'
import { readScore } from './mutation.ts'

const docs = path.join(path.dirname(import.meta.dirname), 'docs')

const parts: Readonly<Record<string, () => string>> = {
  keys,
  limits,
  presets,
  managers,
  protected: protectedTable,
  hidden,
  checks,
  places,
  engines: matrix,
  promises: probesOfPromises,
  probes: probeTable,
  tried,
  mutation,
  comparison,
  walls,
}

/** Every page below docs/ with its generated parts made anew, and whether that changed it. */
export function renewed(folder: string = docs): readonly { readonly file: string; readonly text: string; readonly changed: boolean }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => {
      const file = path.join(folder, name)
      const before = readFileSync(file, 'utf8')
      const text = before.replace(
        /(<!-- generated: ([a-z]+) -->\n)[\s\S]*?(<!-- end -->)/g,
        (_whole, head: string, part: string, tail: string) => {
          const make = parts[part]
          if (make === undefined) throw new Error(`${name}: there is no generated part "${part}"`)
          return `${head}${make()}\n${tail}`
        },
      )
      return { file, text, changed: text !== before }
    })
}

interface Node {
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly string[]
  readonly const?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly additionalProperties?: Node | boolean
}

function keys(): string {
  const rows: string[][] = []
  const walk = (node: Node, at: string): void => {
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      const key = at === '' ? name : `${at}.${name}`
      rows.push([`\`${key}\``, typeOf(child), child.description ?? ''])
      walk(child, key)
      for (const entry of [child.items, ...(child.items?.anyOf ?? [])]) if (entry !== undefined) walk(entry, `${key}[]`)
    }
  }
  walk(policyJsonSchema(), '')
  return table(['key', 'value', 'meaning'], rows)
}

function typeOf(node: Node): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(', ')
  if (node.const !== undefined) return `\`${node.const}\``
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeOf))].join(' or ')
  if (node.type === 'array') return `list of ${node.items === undefined ? 'values' : typeOf(node.items)}`
  if (node.type === 'object') return 'mapping'
  if (node.type === 'string') return 'text'
  return node.type ?? 'value'
}

function limits(): string {
  const rows = (Object.keys(limitTable) as LimitName[]).map((name) => {
    const { what, standard, smallest } = limitTable[name]
    return [`\`${name}\``, what, standard === undefined ? 'none' : showLimit(name, standard), showLimit(name, smallest)]
  })
  return table(['limit', 'on', 'unasked', 'smallest'], rows)
}

function presets(): string {
  return table(
    ['preset', 'host', 'requests', 'why'],
    Object.entries(servicePresets).flatMap(([name, hosts]) =>
      hosts.map(({ host, reason, methods = [], paths = [], graphql }) => {
        const limits = [methods.join(', '), ...paths.map((path) => `\`${path}\``), graphql === undefined ? '' : 'queries only']
        return [`\`${name}\``, `\`${host}\``, limits.filter((part) => part !== '').join(' ') || 'all', reason]
      }),
    ),
  )
}

function managers(): string {
  return registries.map(({ name }) => `\`${name}\`, \`${name}${installSuffix}\``).join(', ')
}

function checks(): string {
  const example = (text: string): string => {
    const line = text.split('\n').find((each) => each.includes('# here')) ?? ''
    return `\`${line
      .replace('# here', '')
      .trim()
      .replace(/^- /, '')
      .replace(/AKIA\w+/, 'AKIA…')}\``
  }
  return table(
    ['rule', 'severity', 'finds', 'for example', 'source'],
    checkRules.map(({ id, severity, title, source, example: { has } }) => [`\`${id}\``, severity, title, example(has), source]),
  )
}

function places(): string {
  return table(
    ['kind', 'means', 'hosts', 'source'],
    (Object.keys(openKinds) as OpenKind[]).map((kind) => [
      kind,
      openKinds[kind].means,
      [...openPlaces].flatMap(([host, own]) => (own === kind ? [`\`${host}\``] : [])).join(' '),
      openKinds[kind].source,
    ]),
  )
}

function probesOfPromises(): string {
  const all = loadCatalogue()
  return table(
    ['promise', 'probes'],
    Object.keys(promises).map((promise) => {
      const own = all.filter((probe) => probe.promise === promise).map(({ id }) => `\`${id}\``)
      if (own.length === 0) throw new Error(`no probe is about ${promise}`)
      return [promise, own.join(' ')]
    }),
  )
}

/** What `scripts/compare.ts` kept: a row per probe, a column per wall. */
function comparison(): string {
  const { date, kernel, walls: columns } = readComparison()
  const words: Readonly<Record<string, string>> = { holds: 'holds', leaks: '**gets through**', limit: 'a limit' }
  const rows = loadCatalogue().filter(({ id }) => columns.slice(1).some(({ results }) => results[id] !== undefined))
  return [
    `On ${date}, Linux ${kernel}:\n`,
    ...columns.map(({ name, version }) => `- **${name}**: ${version}`),
    '',
    table(
      ['attempt', ...columns.map(({ name }) => name)],
      rows.map(({ id, says }) => [`${says} \`${id}\``, ...columns.map(({ results }) => words[results[id] ?? ''] ?? 'not shown')]),
    ),
  ].join('\n')
}

/** The score that `npm run test:mutation` kept. */
function mutation(): string {
  return table(
    ['file', 'mutants', 'seen by a test', 'on'],
    Object.entries(readScore()).map(([file, { date, mutants, killed }]) => [
      `\`${file}\``,
      String(mutants),
      `${killed} (${Math.floor((100 * killed) / mutants)} %)`,
      date,
    ]),
  )
}

/** Attacks by the number, each with the probes that try it. */
function tried(): string {
  const all = loadCatalogue()
  const rows = [...new Set(all.flatMap(({ source }) => source))].toSorted()
  return table(
    ['attack', 'probes'],
    rows.map((row) => [row, all.flatMap(({ id, source }) => (source.includes(row) ? [`\`${id}\``] : [])).join(' ')]),
  )
}

function probeTable(): string {
  return table(
    ['probe', 'wall', 'what it means', 'promise', 'set', 'attacks'],
    loadCatalogue().map(({ id, wall, says, promise, set, source }) => [`\`${id}\``, wall, says, promise, set, source.join(', ')]),
  )
}

function protectedTable(): string {
  const globs = new Map<string, string[]>()
  for (const { glob, reason } of protectedNames) globs.set(reason, [...(globs.get(reason) ?? []), `\`${glob}\``])
  return table(
    ['obeyed by the host', 'paths'],
    [...globs].map(([reason, names]) => [reason, [...new Set(names)].join(' ')]),
  )
}

function hidden(): string {
  return table(
    ['path', 'holds'],
    hiddenNames.map(({ glob, reason }) => [`\`${glob}\``, reason]),
  )
}

const traitNames: Readonly<Record<TraitName, string>> = {
  live: 'workspace `live`',
  review: 'workspace `review`',
  readonly: 'workspace `readonly`',
  covers: 'protected and hidden paths',
  'late-covers': 'protections put back while the cell runs',
  'git-config': "git settings made inside are taken over into the repository's own",
  terminal: 'a real terminal (size, job control, Ctrl-C)',
  'own-kernel': 'a kernel of its own',
  'limit-memory': 'limit: memory',
  'limit-processes': 'limit: processes',
  'limit-cpus': 'limit: cpus',
  'limit-time': 'limit: time',
  'limit-tmp': 'limit: tmp',
  'limit-file-size': 'limit: file size',
  'limit-open-files': 'limit: open files',
}

function matrix(): string {
  const head = ['', ...engines.map(({ traits }) => traits.title)]
  const rows = (Object.keys(traitNames) as TraitName[]).map((trait) => [
    traitNames[trait],
    ...engines.map(({ traits }) => (traits.can[trait] === true ? 'yes' : `no: ${traits.can[trait]}`)),
  ])
  return table(head, rows)
}

function walls(): string {
  return engines.map(({ traits }) => `- **${traits.title}**: what must break for code to get out: ${traits.wall}.`).join('\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

if (import.meta.main) {
  const stale = renewed().filter(({ changed }) => changed)
  for (const { file, text } of stale) {
    if (process.argv.includes('--check')) process.stderr.write(`${path.basename(file)} is not current: npm run docs\n`)
    else writeFileSync(file, text)
  }
  process.exitCode = process.argv.includes('--check') && stale.length > 0 ? 1 : 0
}
