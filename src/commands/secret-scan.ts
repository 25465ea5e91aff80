// `anchorhold secret scan`: the user's own values and well-known credentials, in files, in what is staged, in what a session left. Never shows a value.
import type { Command } from 'commander'
import { Failure } from '../errors/failure.ts'
import { codeOf } from '../host/error-code.ts'
import { jsonLine } from '../report/json-line.ts'
import { printLines } from '../report/output.ts'
import { styleFor } from '../report/style.ts'
import { plain } from '../report/text.ts'
import { processContext } from '../run/context.ts'
import { placeholdersOf, scanSession } from '../run/scan-session.ts'
import { gatherKnown } from '../secrets/scan/gather.ts'
import { openScan, type Scan } from '../secrets/scan/scan.ts'
import { scanStaged } from '../secrets/scan/staged.ts'
import { scanPath, together, type FileFinding, type Walked } from '../secrets/scan/walk.ts'
import { findSession } from '../session/list.ts'
import { namesCredential } from '../session/redact.ts'
import { loadEffective } from './policy-input.ts'

interface Flags {
  readonly staged?: boolean
  readonly session?: string
  readonly json?: boolean
}

/** Adds `scan` to the group `secret`. */
export function addScan(group: Command): void {
  group
    .command('scan')
    .summary('look for secrets in files')
    .description(
      "Looks for your own secrets (the policy's, the store's, your environment's), in every encoding, and for anything shaped like a credential. Exit code 1 where something was found. No value is shown.",
    )
    .argument('[path...]', 'files and folders (default: this folder)')
    .option('--staged', 'what is staged for the next commit')
    .option('--session <id>', 'what a session changed, its transcript and its journal')
    .option('--json', 'one JSON object')
    .action(async (paths: readonly string[], flags: Flags) => {
      await perform(paths, flags)
    })
}

async function perform(paths: readonly string[], flags: Flags): Promise<void> {
  const chosen = [paths.length > 0 ? 'a path' : '', flags.staged === true ? '--staged' : '', flags.session === undefined ? '' : '--session']
  const [one, two] = chosen.filter(Boolean)
  if (one !== undefined && two !== undefined) throw new Failure('command/contradiction', { one, two })
  const { env, home, cwd, folders } = processContext()
  const { policy } = await loadEffective({})
  const context = { hostEnv: env, hostHome: home, dataDir: folders.data, shown: [] }
  const { known, missing } = await gatherKnown(policy.secrets, context, namesCredential)
  const progress = openProgress()
  const session = flags.session === undefined ? undefined : findSession(folders.state, flags.session)
  const scan = openScan(known, { worthless: session === undefined ? [] : placeholdersOf(session.folder) })
  const walked =
    flags.staged === true
      ? await scanStaged(cwd, scan)
      : session === undefined
        ? await scanPaths(paths.length === 0 ? ['.'] : paths, scan, progress.show)
        : await scanSession(session, folders, scan, progress.show)
  progress.clear()
  if (walked.findings.length > 0) process.exitCode = 1
  if (flags.json === true) {
    const { findings, files, bytes, unread } = walked
    return printLines([jsonLine({ version: 1, findings, files, bytes, unread, searched: known.map(({ name }) => name), missing })])
  }
  tell(walked, known.length, missing)
}

async function scanPaths(paths: readonly string[], scan: Scan, onFile: (files: number) => void): Promise<Walked> {
  const parts: Walked[] = []
  for (const place of paths) {
    const part = await scanPath(place, scan, { onFile }).catch((error: unknown) => {
      throw new Failure('secret/no-such-path', {
        path: place,
        reason: codeOf(error),
      })
    })
    parts.push(part)
  }
  return together(parts)
}

function tell(
  { findings, files, unread }: Walked,
  known: number,
  missing: readonly { readonly name: string; readonly reason: string }[],
): void {
  const style = styleFor(process.stdout)
  printLines(findings.map((finding) => `${style.bold(`${plain(finding.file)}:${finding.line}:${finding.column}`)}  ${words(finding)}`))
  const notes = [
    ...missing.map(({ name, reason }) => `not looked for: ${plain(name)}: ${plain(reason)}`),
    ...unread.map(({ file, reason }) => `not read: ${plain(file)}: ${plain(reason)}`),
  ]
  process.stderr.write(notes.map((note) => `${note}\n`).join(''))
  const where = new Set(findings.map(({ file }) => file)).size
  const summary =
    findings.length === 0
      ? `No secret found: ${count(files, 'file')} read, ${count(known, 'value')} of yours and the well-known formats looked for.`
      : `${count(findings.length, 'finding')} in ${count(where, 'file')}; ${count(files, 'file')} read. What has left this machine must be renewed where it came from.`
  process.stderr.write(`${summary}\n`)
}

function words({ kind, name, form }: FileFinding): string {
  return kind === 'known' ? `the value of ${plain(name)} (${form ?? 'as it is'})` : `looks like: ${plain(name)}`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** A line that counts, on a terminal only. */
function openProgress(): { readonly show: (files: number) => void; readonly clear: () => void } {
  if (!process.stderr.isTTY) return { show: () => undefined, clear: () => undefined }
  let shown = 0
  return {
    show(files) {
      const now = performance.now()
      if (now - shown < 100) return
      shown = now
      process.stderr.write(`\r${files} files`)
    },
    clear: () => void (shown > 0 && process.stderr.write('\r\x1b[K')),
  }
}
