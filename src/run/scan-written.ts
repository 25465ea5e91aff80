// At the end of a run: what was written in it is looked through for secrets, as in `anchorhold secret scan --session`, but within bounds, and
// without what only looks like one because it is a placeholder of this run. Loaded only where something was written (written.ts).
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { codeOf } from '../host/error-code.ts'
import { now } from '../host/clock.ts'
import type { ScanEvent } from '../model/events.ts'
import { soughtFor, withoutForms } from '../secrets/forms.ts'
import type { HeldSecret, SecretRule } from '../model/secret.ts'
import type { Finding, Known } from '../secrets/scan/finding.ts'
import { foreignFolder } from '../secrets/scan/foreign.ts'
import { openScan } from '../secrets/scan/scan.ts'
import { scanFile } from '../secrets/scan/walk.ts'
import { redact } from '../session/redact.ts'
import type { Changed } from './changed-since.ts'
import type { RunContext } from './context.ts'
import { knownValues } from './known-values.ts'

/** Bytes and files of one end; whoever wants all of it asks for it. */
const most = { milliseconds: 4_000, files: 5_000, bytes: 256 * 2 ** 20, shapedBytes: 24 * 2 ** 20, shapedFile: 8 * 2 ** 20, told: 50 }

/** In the session's folder: the worthless texts that stood for secrets, one in a line, for `secret scan --session`. */
export const placeholdersName = 'placeholders'

export interface WrittenPlace {
  readonly path: string
  /** Stands before what is told of it: '' for the project, `home:`, the path of a mount with a slash. */
  readonly label: string
}

/** Of every file the values of the user's; in all but other people's code and very large files also what is shaped like a credential. */
export async function scanWritten(input: {
  readonly changed: Changed
  readonly places: readonly WrittenPlace[]
  readonly sessionFolder: string
  readonly rules: readonly SecretRule[]
  readonly secrets: readonly HeldSecret[]
  readonly context: RunContext
}): Promise<ScanEvent> {
  const { changed, places, secrets } = input
  const held = secrets.flatMap((secret): readonly Known[] => secret.values().map((value) => ({ name: secret.rule.name, value })))
  const known = [...held, ...(await knownValues(input.rules, input.context))]
  const worthless = secrets.map(({ placeholder }) => placeholder)
  if (worthless.length > 0)
    writeFileSync(path.join(input.sessionFolder, placeholdersName), worthless.map((text) => `${text}\n`).join(''), { mode: 0o600 })
  const scans = { all: openScan(known, { worthless }), known: openScan(known, { formats: false }) }
  const end = now() + most.milliseconds
  const findings: ScanEvent['findings'][number][] = []
  const left = { bytes: most.bytes, shaped: most.shapedBytes }
  let files = 0
  let bytes = 0
  let found = 0
  let complete = changed.complete
  for (const { file, place, size } of changed.files) {
    if (files === most.files || left.bytes < size || now() > end) {
      complete = false
      continue
    }
    const isForeign = foreignFolder.test(file)
    const isShaped = !isForeign && size <= most.shapedFile && size <= left.shaped
    if (!isForeign && !isShaped) complete = false
    const read = await scanFile(file, isShaped ? scans.all : scans.known).catch((error: unknown) => codeOf(error))
    if (typeof read === 'string') {
      complete = complete && read === 'ENOENT'
      continue
    }
    files += 1
    bytes += read.bytes
    left.bytes -= read.bytes
    if (isShaped) left.shaped -= read.bytes
    found += read.findings.length
    const told = nameOf(file, places[place], secrets)
    findings.push(...read.findings.slice(0, most.told - findings.length).map((finding) => ({ file: told, ...bare(finding) })))
  }
  return { kind: 'secret.scanned', files, bytes, found, findings, complete }
}

function bare({ kind, name, form, line }: Finding): Omit<ScanEvent['findings'][number], 'file'> {
  return { line, of: kind, name, ...(form === undefined ? {} : { form }) }
}

/** A name may be chosen to be the value. */
function nameOf(file: string, place: WrittenPlace | undefined, secrets: readonly HeldSecret[]): string {
  const name = path.join(place?.label ?? '', path.relative(place?.path ?? '/', file) || path.basename(file))
  return redact(
    withoutForms(
      name,
      secrets.flatMap((secret) => soughtFor(secret).needles.map(({ find }) => find)),
    ),
  )
}
