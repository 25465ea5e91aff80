// SARIF 2.1.0 (OASIS), for continuous integration: rules and results of any command that finds things, as one log with one run.
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { plain } from './text.ts'

export interface SarifRule {
  readonly id: string
  readonly level: SarifLevel
  /** In a few words. */
  readonly title: string
  /** Where the idea comes from. */
  readonly source?: string
  readonly properties?: object
}
export type SarifLevel = 'error' | 'warning' | 'note' | 'none'

export interface SarifResult {
  readonly ruleId: string
  readonly level: SarifLevel
  /** Default: `fail`. Anything else goes with the level `none` (SARIF 3.27.9, 3.27.10). */
  readonly kind?: 'fail' | 'pass' | 'notApplicable' | 'informational'
  readonly message: string
  /** A file with its place (1-based), or else the name of what it is about: a flag, a probe. */
  readonly place: { readonly file: string; readonly line: number; readonly column: number } | { readonly name: string }
  readonly properties?: object
}

export interface SarifInput {
  readonly version: string
  readonly rules: readonly SarifRule[]
  readonly results: readonly SarifResult[]
  /** Files below it are given relative to it, as services expect that show findings next to the code. */
  readonly root: string
  /** Of a run that took its time: whether all of it could be done, and its end (ISO 8601). */
  readonly invocation?: { readonly executionSuccessful: boolean; readonly endTimeUtc: string }
  readonly properties?: unknown
}

const schema = 'https://json.schemastore.org/sarif-2.1.0.json'

/** The log as a plain object. */
export function sarifLog({ version, rules, results, root, invocation, properties }: SarifInput): object {
  return {
    $schema: schema,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'anchorhold', version, semanticVersion: version, rules: rules.map(ruleOf) } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { PROJECT: { uri: `${pathToFileURL(root).href}/` } },
        results: results.map((result) => ({
          ruleId: result.ruleId,
          ruleIndex: rules.findIndex(({ id }) => id === result.ruleId),
          level: result.level,
          ...(result.kind === undefined ? {} : { kind: result.kind }),
          message: { text: plain(result.message, { lines: true }) },
          locations: [locationOf(result.place, root)],
          ...(result.properties === undefined ? {} : { properties: result.properties }),
        })),
        ...(invocation === undefined ? {} : { invocations: [invocation] }),
        ...(properties === undefined ? {} : { properties }),
      },
    ],
  }
}

function ruleOf({ id, level, title, source, properties }: SarifRule): object {
  return {
    id,
    name: id.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: title },
    fullDescription: { text: source === undefined ? title : `${title} (${source})` },
    defaultConfiguration: { level },
    ...(properties === undefined ? {} : { properties }),
  }
}

function locationOf(place: SarifResult['place'], root: string): object {
  if ('name' in place) return { logicalLocations: [{ name: plain(place.name), kind: 'parameter' }] }
  const relative = path.relative(root, place.file)
  const inside = relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative)
  const artifactLocation = inside
    ? { uri: relative.split(path.sep).map(encodeURIComponent).join('/'), uriBaseId: 'PROJECT' }
    : { uri: pathToFileURL(place.file).href }
  return { physicalLocation: { artifactLocation, region: { startLine: place.line, startColumn: place.column } } }
}
