// Secrets, scan: what is staged for the next commit, read from the index itself: never through filters, hooks or the work tree.
import { Failure } from '../../errors/failure.ts'
import { capture } from '../../host/process.ts'
import type { Scan } from './scan.ts'
import type { FileFinding, Walked } from './walk.ts'

const safe = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'core.pager=cat'] as const
const largest = 64 * 1024 * 1024

/** Scans every staged file that is new or changed. Throws Failure `secret/no-repository`. */
export async function scanStaged(project: string, scan: Scan): Promise<Walked> {
  const git = (...args: readonly string[]) =>
    capture(['git', ...safe, '-C', project, ...args], { maxBytes: largest, timeoutMilliseconds: 60_000 })
  const head = await git('rev-parse', '--quiet', '--verify', 'HEAD^{commit}')
  const base = head.code === 0 ? head : await git('hash-object', '-t', 'tree', '/dev/null')
  const listed = await git('diff-index', '--cached', '--raw', '-z', '--no-renames', '--diff-filter=ACMT', base.stdout.trim())
  if (listed.code !== 0) throw new Failure('secret/no-repository', { project, reason: listed.stderr.trim().split('\n')[0] ?? '' })
  const parts = listed.stdout.split('\0')
  const findings: FileFinding[] = []
  const unread: { file: string; reason: string }[] = []
  let bytes = 0
  let files = 0
  for (let at = 0; at + 1 < parts.length; at += 2) {
    // :OLD-MODE NEW-MODE OLD-ID NEW-ID STATUS, then the path; a submodule (160000) has no content here.
    const [, mode, , id = ''] = (parts[at] ?? '').split(' ')
    const file = parts[at + 1] ?? ''
    if (mode === '160000') continue
    const blob = await git('cat-file', 'blob', id)
    if (blob.code !== 0) {
      unread.push({ file, reason: 'larger than 64 MiB, or damaged' })
      continue
    }
    const content = blob.bytes
    files += 1
    bytes += content.length
    findings.push(...(await scan(content, file)).map((finding) => ({ ...finding, file })))
  }
  return { findings, files, bytes, unread }
}
