// Checks that imports in src/ go downward only, and that a start does not load what few runs need. Run by scripts/lint.sh and by a test.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** Lowest first. Folders of one layer may use each other in one direction only. */
export const layers: readonly (readonly string[])[] = [
  ['model'],
  ['policy', 'errors', 'host', 'usage'],
  ['agents', 'secrets', 'engines', 'workspace', 'registries', 'images'],
  ['plan', 'gateway', 'session', 'review', 'cost'],
  ['report'],
  ['run'],
  ['standin', 'demo', 'prove', 'export'],
  ['commands'],
]
/** Used by commands (and tests) alone, never by the product's own path. */
const onlyForCommands: readonly string[] = ['standin', 'demo', 'prove', 'export']
/** Of these the doors may use too: a run in `auto` asks for a proof, through whichever it came. */
const alsoForDoors: readonly string[] = ['prove']
/** The doors, in src itself. */
const top = layers.length

export interface Violation {
  readonly file: string
  readonly imported: string
  readonly why: string
}

/** Every import in `src` (absolute path) that goes upward, out of the folder, or round in a circle of folders. */
export function violations(src: string): readonly Violation[] {
  const found: Violation[] = []
  const edges = new Map<string, Violation>()
  for (const name of readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((entry) => /\.[cm]?tsx?$/.test(entry))) {
    const from = folderOf(name)
    for (const imported of importsOf(readFileSync(path.join(src, name), 'utf8'))) {
      const target = path.relative(src, path.resolve(src, path.dirname(name), imported))
      const to = folderOf(target)
      const why = judge(from, to, target)
      if (why !== undefined) found.push({ file: name, imported, why })
      else if (from !== to && levelOf(from) === levelOf(to))
        edges.set(`${from}>${to}`, { file: name, imported, why: `${to}/ imports from ${from}/ as well` })
    }
  }
  for (const [edge, violation] of edges) {
    if (edges.has(edge.split('>').toReversed().join('>'))) found.push(violation)
  }
  return found
}

/** Packages that cost a start more than they give it; they come by `await import()` where they are needed. */
const late: readonly string[] = ['zod', 'yaml', 'tldts']

/** Where the start of `anchorhold run` would load one of `late`: the chain of imports, from the package back to the command. */
export function heavyStarts(
  src: string,
  entries: readonly string[] = ['commands/main.ts', 'commands/run.ts', 'report/run-report.ts'],
): readonly string[] {
  const cameFrom = new Map<string, string | undefined>(entries.map((entry) => [entry, undefined]))
  const chains: string[] = []
  for (const [file] of cameFrom) {
    const source = readFileSync(path.join(src, file), 'utf8')
    for (const [, specifier = ''] of source.matchAll(/^(?:import|export)\s+(?!type\b)[^'"]*?from\s+'([^']+)'/gm)) {
      if (late.includes(specifier)) chains.push([specifier, ...chainOf(file, cameFrom)].join(' < '))
      const target = path.join(path.dirname(file), specifier)
      if (specifier.startsWith('.') && !cameFrom.has(target)) cameFrom.set(target, file)
    }
  }
  return chains
}

function chainOf(file: string, cameFrom: ReadonlyMap<string, string | undefined>): readonly string[] {
  const before = cameFrom.get(file)
  return before === undefined ? [file] : [file, ...chainOf(before, cameFrom)]
}

function folderOf(file: string): string {
  const [first = '', ...rest] = file.split(path.sep)
  return rest.length === 0 ? '' : first
}

function levelOf(folder: string): number {
  if (folder === '') return top
  return layers.findIndex((layer) => layer.includes(folder))
}

function judge(from: string, to: string, target: string): string | undefined {
  if (target === path.join('..', 'package.json')) return undefined
  if (to === '..' || target.startsWith('..')) return 'outside src/'
  if (levelOf(from) < 0) return `${from}/ has no layer; give it one in scripts/layers.ts`
  if (levelOf(to) < 0) return `${to}/ has no layer; give it one in scripts/layers.ts`
  const forDoors = from === '' && alsoForDoors.includes(to)
  if (onlyForCommands.includes(to) && !forDoors && !['commands', ...onlyForCommands].includes(from))
    return `${to}/ is for commands and tests only`
  if (levelOf(to) > levelOf(from)) return `${to === '' ? 'src/' : `${to}/`} lies above ${from}/`
  return undefined
}

/** Relative specifiers of static, re-exporting, side-effect, type and dynamic imports. */
function importsOf(source: string): readonly string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\1/g
  return [...code.matchAll(pattern)].map((match) => match[2] ?? '')
}

if (import.meta.main) {
  const src = path.join(path.dirname(import.meta.dirname), 'src')
  const found = violations(src)
  const heavy = heavyStarts(src)
  for (const chain of heavy) process.stderr.write(`a start of \`anchorhold run\` loads ${chain}\n`)
  for (const { file, imported, why } of found) process.stderr.write(`src/${file}: imports ${imported}: ${why}\n`)
  process.exitCode = found.length + heavy.length === 0 ? 0 : 1
}
