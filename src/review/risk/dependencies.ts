// Detectors for what comes from elsewhere: new dependencies, install scripts, and lockfiles whose source or integrity changed.
import type { Detector } from './rule.ts'

type Json = Readonly<Record<string, unknown>>

function parsed(text: string): Json {
  try {
    const value: unknown = JSON.parse(
      Buffer.from(text, 'latin1')
        .toString('utf8')
        .replace(/^\ufeff/, ''),
    )
    return isObject(value) ? value : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function member(value: Json, name: string): Json {
  const inner = value[name]
  return isObject(inner) ? inner : {}
}

const dependencyGroups = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies', 'resolutions', 'overrides']
/** Run without being asked for by `npm install` (npm scripts(7), "Life Cycle Scripts"). */
const lifecycle =
  /^(?:pre|post)?(?:install|prepare|pack|publish|uninstall|version|shrinkwrap)$|^(?:pre|post)?prepublish(?:Only)?$|^dependencies$|^pnpm:devPreinstall$/

const word = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

export const dependencyDetectors: readonly Detector[] = [
  {
    id: 'package-scripts',
    kind: 'runs',
    source: 'PER-19; npm scripts(7)',
    names: ['package.json'],
    detect: ({ before, after }) => {
      const old = member(parsed(before), 'scripts')
      return Object.entries(member(parsed(after), 'scripts'))
        .filter(([name, command]) => old[name] !== command)
        .slice(0, 10)
        .map(([name, command]) => ({
          reason: `${lifecycle.test(name) ? 'with npm install or publish' : `with npm run ${name}`}: ${name} = ${word(command)}`,
        }))
    },
  },
  {
    id: 'new-dependency',
    kind: 'supply-chain',
    source: 'PER-19, TRM-12',
    names: ['package.json'],
    detect: ({ before, after }) => {
      const old = parsed(before)
      const fresh = parsed(after)
      return dependencyGroups
        .flatMap((group) =>
          Object.entries(member(fresh, group))
            .filter(([name, version]) => word(member(old, group)[name]) !== word(version))
            .map(([name, version]) => ({ known: Object.hasOwn(member(old, group), name), name, version: word(version) })),
        )
        .slice(0, 20)
        .map(({ known, name, version }) => ({
          reason: `${known ? 'another version of' : 'a new dependency:'} ${name}@${version}${/[:/]/.test(version) && !/^(?:npm|workspace|catalog):/.test(version) ? ', not from a registry' : ''}`,
        }))
    },
  },
  {
    id: 'requirement',
    kind: 'supply-chain',
    source: 'PER-22',
    names: [
      'requirements*.txt',
      'requirements*.in',
      'requirements/*.txt',
      'requirements/*.in',
      'constraints*.txt',
      'Pipfile',
      'pyproject.toml',
      'setup.py',
      'setup.cfg',
      'environment.yml',
      'Cargo.toml',
      'go.mod',
      'Gemfile',
      'composer.json',
      'pom.xml',
      '*.csproj',
      'pubspec.yaml',
      'mix.exs',
      'Package.swift',
      'build.gradle',
      'build.gradle.kts',
      'libs.versions.toml',
      'deno.json',
      'import_map.json',
    ],
    detect: ({ change, added }) => {
      const shape = /requirements|constraints/.test(change.path)
        ? /^\s*[A-Za-z0-9_.-]+\s*(?:\[|[<>=~!]=|@|$)|^\s*-/
        : /^\s*"?[A-Za-z0-9_.@/-]+"?\s*(?:=|:)\s*["'{[]?[^=]*\d|^\s*["'][A-Za-z0-9_.-]+\s*[<>=~!]=|^\s*(?:require\s+)?[a-z0-9.-]+\.[a-z]+\/\S+ v\d|gem ['"]|<version>|<PackageReference|implementation[ (]|\.package\(/
      const lines = added().filter(({ text }) => shape.test(text) && !/^\s*(?:#|\/\/)/.test(text))
      return lines.slice(0, 10).map(({ text, line }) => ({ reason: `a dependency: ${text.trim()}`, line }))
    },
  },
  {
    id: 'lockfile-source',
    kind: 'supply-chain',
    source: 'TRM-12',
    names: [
      'package-lock.json',
      'npm-shrinkwrap.json',
      'yarn.lock',
      'pnpm-lock.yaml',
      'bun.lock',
      'bun.lockb',
      'Cargo.lock',
      'poetry.lock',
      'uv.lock',
      'Pipfile.lock',
      'pdm.lock',
      'composer.lock',
      'Gemfile.lock',
      'mix.lock',
      'pubspec.lock',
      'packages.lock.json',
      'deno.lock',
      'flake.lock',
      'go.sum',
      'gradle.lockfile',
      'verification-metadata.xml',
      '.terraform.lock.hcl',
    ],
    detect: ({ before, after, added, binary }) => {
      if (binary) return [{ reason: 'a lockfile that cannot be read was changed' }]
      const known = new Set(hostsOf(before))
      const hosts = [...new Set(hostsOf(after))].filter((host) => !known.has(host))
      const scripts = added().find(({ text }) => /"hasInstallScript": true|requiresBuild: true/.test(text))
      const integrity = changedHashes(before, after)
      const sources = hosts.length === 0 ? changedSources(before, after) : []
      return [
        ...hosts.slice(0, 5).map((host) => ({ reason: `download source changed: ${host} was not in it` })),
        ...sources.slice(0, 5).map((name) => ({ reason: `download source changed while the version stayed: ${name}` })),
        ...integrity.slice(0, 5).map((name) => ({ reason: `integrity changed while the version stayed: ${name}` })),
        ...(scripts === undefined ? [] : [{ reason: 'a new install script', line: scripts.line }]),
        ...(hosts.length + sources.length + integrity.length === 0 && scripts === undefined
          ? [{ reason: 'other versions of dependencies' }]
          : []),
      ]
    },
  },
]

function hostsOf(text: string): readonly string[] {
  return [...text.matchAll(/\b(?:git\+)?(?:https?|ssh|git|file):\/\/(?:[^/\s"'@]*@)?([^/\s"'#?]*)/g)].map(([whole, host]) =>
    host === undefined || host === '' ? whole : host,
  )
}

/** Names and versions of which the hash is another than before. Reads what lockfiles have in common: a name or address, then its hash. */
function changedHashes(before: string, after: string): readonly string[] {
  return otherIn(factsOf(before).hashes, factsOf(after).hashes)
}

/** Likewise of which the address is another: a path at the same host, a plain connection instead of a secure one. */
function changedSources(before: string, after: string): readonly string[] {
  return otherIn(factsOf(before).sources, factsOf(after).sources)
}

function otherIn(old: ReadonlyMap<string, string>, fresh: ReadonlyMap<string, string>): readonly string[] {
  return [...fresh].filter(([name, value]) => old.has(name) && old.get(name) !== value).map(([name]) => name)
}

interface LockFacts {
  readonly hashes: ReadonlyMap<string, string>
  readonly sources: ReadonlyMap<string, string>
}

function factsOf(text: string): LockFacts {
  const hashes = new Map<string, string>()
  const sources = new Map<string, string>()
  let name = ''
  let version = ''
  for (const line of text.split('\n')) {
    const goSum = /^(\S+ v\S+) (h1:\S+)$/.exec(line)
    if (goSum?.[1] !== undefined && goSum[2] !== undefined) hashes.set(goSum[1], goSum[2])
    const key = /^\s*"?([@\w./-]*\w)"?\s*:\s*\{?\s*$|^"?([^\s"][^"]*)"?:\s*$|^\s*name\s*=\s*"([^"]+)"/.exec(line)
    if (key !== null) {
      name = key[1] ?? key[2] ?? key[3] ?? ''
      version = ''
    }
    version = /^\s*"?version"?\s*[:=]?\s*"?([\w.+-]+)"?/.exec(line)?.[1] ?? version
    const hash = /(?:"?integrity"?|checksum|sha256|"?hash"?)"?\s*[:=]?\s*"?((?:sha\d+-)?[A-Za-z0-9+/=:]{20,})"?/.exec(line)?.[1]
    if (hash !== undefined && name !== '') hashes.set(`${name}@${version}`, hash)
    const source = /^\s*"?(?:resolved|source|tarball|url)"?\s*[:=]?\s*"?([^\s",#]+)/.exec(line)?.[1]
    if (source !== undefined && name !== '') sources.set(`${name}@${version}`, source)
  }
  return { hashes, sources }
}
