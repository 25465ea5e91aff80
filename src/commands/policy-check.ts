// `anchorhold policy check`: what a policy opens, and the tighter alternative. No network, no secret is opened, nothing is started.
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { checkPolicy, checkRules } from '../policy/check/check.ts'
import type { CheckFinding, Seen } from '../policy/check/types.ts'
import { ownFolders, type LoadInput } from '../policy/load.ts'
import { loadFileToCheck, loadToCheck, type ToCheck } from '../policy/load-to-check.ts'
import { jsonLine } from '../report/json-line.ts'
import { printLines } from '../report/output.ts'
import { sarifLog } from '../report/sarif.ts'
import { packageVersion } from '../run/context.ts'
import { openScan } from '../secrets/scan/scan.ts'
import { namesCredential } from '../session/redact.ts'
import { survey } from '../workspace/survey/survey.ts'
import { loadInput, type PolicyFlags } from './policy-input.ts'
import { checkLines, countsOf } from './policy-check-words.ts'

export interface CheckFlags extends PolicyFlags {
  readonly sarif?: boolean
  readonly strict?: boolean
}

/** Checks the files, each by itself, or without any the effective policy; sets the exit code. */
export async function performCheck(files: readonly string[], flags: CheckFlags): Promise<void> {
  const { sarif, strict, ...named } = flags
  if (flags.json === true && sarif === true) throw new Failure('command/contradiction', { one: '--json', two: '--sarif' })
  if (files.length > 0 && flags.policy !== undefined)
    throw new Failure('command/contradiction', { one: 'FILE', two: `--policy ${flags.policy}` })
  const input = await loadInput(named)
  const found: CheckFinding[] = []
  const notes = new Set<string>()
  const checked: string[] = []
  for (const file of files.length === 0 ? [undefined] : files) {
    const read = file === undefined ? await loadToCheck(input) : await loadFileToCheck(file, input)
    found.push(...checkPolicy({ ...read.loaded, seen: await lookAround(read, input) }))
    checked.push(...read.loaded.sources.map((source) => source.file))
    for (const note of read.loaded.notes.filter((each) => each.startsWith('preset '))) notes.add(note)
  }
  const counts = countsOf(found)
  if (counts.error + counts.warning + (strict === true ? counts.note : 0) > 0) process.exitCode = 1
  if (sarif === true) return printLines([jsonLine(asSarif(found, input.project))])
  if (flags.json === true)
    return printLines([jsonLine({ version: 1, files: checked, findings: found.map(asJson), counts, notes: [...notes] })])
  printLines(checkLines(found, checked, [...notes]))
}

/** What rules ask beyond the policy itself. Of a variable only whether its value is shaped like a credential, never the value. */
export async function lookAround({ loaded: { policy }, approval }: ToCheck, input: LoadInput): Promise<Seen> {
  const scan = openScan([])
  const literals = new Set<string>()
  for (const { name, value } of policy.env) {
    if (value !== undefined && (await scan(Buffer.from(`${name}=${value}`), '.env')).length > 0) literals.add(name)
  }
  const own = ownFolders(input)
  const seen = await survey({ policy, project: input.project, home: input.hostHome, hostEnv: input.hostEnv, own })
  return {
    ...seen,
    literals,
    namedCredentials: new Set(policy.env.map(({ name }) => name).filter(namesCredential)),
    ...(approval === undefined ? {} : { approval }),
  }
}

function asJson({ id, severity, subject, origin, means, instead }: CheckFinding): object {
  const { source, line, column } = origin
  const place = line === undefined ? { from: origin.kind, source } : { from: origin.kind, file: source, line, column: column ?? 1 }
  return { id, severity, subject, place, means, ...(instead === undefined ? {} : { instead }) }
}

function asSarif(found: readonly CheckFinding[], root: string): object {
  return sarifLog({
    version: packageVersion(),
    root,
    rules: checkRules.map(({ id, severity, title, source }) => ({ id, level: severity, title, source })),
    results: found.map(({ id, severity, subject, origin, means, instead }) => ({
      ruleId: id,
      level: severity,
      message: `${subject}: ${means}${instead === undefined ? '' : `\nInstead: ${instead}`}`,
      place:
        origin.line === undefined
          ? { name: origin.source }
          : { file: path.resolve(origin.source), line: origin.line, column: origin.column ?? 1 },
    })),
  })
}
