// Journal lines in words, one terminal line each. The journal is hostile input: hosts, paths and reasons come from the cell.
import type { JournalLine, SessionEvent } from '../model/events.ts'
import { canonicalJson } from '../session/canonical.ts'
import type { ReadLine } from '../session/follow.ts'
import { describeModel } from './budget.ts'
import { changesInWords } from './changes.ts'
import { findingInWords } from './findings.ts'
import { limitText } from './limits.ts'
import { quoteArgv } from './quote.ts'
import { unstyled, type Style } from './style.ts'
import { plain } from './text.ts'
import { counted, duration, listed, size } from './units.ts'

/** One line without line feed, controls visible. */
export function logLine(read: ReadLine, style: Style = unstyled): string {
  if (read.kind === 'unreadable') return style.bad(`line ${read.number} cannot be read`)
  const text = `${plain(read.line.time, { max: 30 })}  ${plain(words(read.line), { max: 4_096 })}`
  const { kind } = read.line.event
  const isBad = kind === 'network.refused' || kind === 'file.quarantined' || kind === 'git.held' || isFound(read.line.event)
  if (isBad) return style.bad(text)
  return kind === 'warning' || kind === 'network.failed' || kind === 'journal.full' ? style.warn(text) : text
}

function isFound(event: SessionEvent): boolean {
  return event.kind === 'secret.scanned' && event.found > 0
}

function words(line: JournalLine): string {
  try {
    return describe(line.event)
  } catch (error) {
    // An event that was cut or changed lacks what its kind promises.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    return canonicalJson(line.event)
  }
}

function describe(event: SessionEvent): string {
  switch (event.kind) {
    case 'session.started':
      return `started ${event.agent} in ${event.project}: ${quoteArgv(event.argv)} (${event.engine}, workspace ${event.workspace}, permissions ${event.permissions}, anchorhold ${event.version}, pid ${event.pid})`
    case 'wall.proven':
      return `wall proven ${event.fresh ? 'for this start' : event.date}: ${counted(event.probes, 'probe')} held`
    case 'wall.checked':
      return `wall checked: ${counted(event.probes, 'probe')} held in ${duration(event.milliseconds)}`
    case 'files.hidden':
      return `hidden: ${event.paths.length === 0 ? 'no file' : listed(event.paths, 20)}`
    case 'files.protected':
      return `${counted(event.count, 'path')} protected in ${duration(event.milliseconds)}`
    case 'file.quarantined':
      return `taken away: ${event.path} (${event.rule}); to put it back: ${event.restore}`
    case 'file.protection-renewed':
      return `protection renewed: ${event.path}`
    case 'git.merged':
      return `git settings taken over into ${event.path}: ${listed(event.keys, 20)}`
    case 'git.held':
      return `git settings held back from ${event.path}: ${listed(event.keys, 20)}; kept in ${event.kept}`
    case 'review.opened':
      return `review: proposal ${event.proposal} ${event.continued ? 'gone on with' : 'begun'} (${event.view}${event.because === undefined ? '' : `, because ${event.because}`}) in ${duration(event.milliseconds)}`
    case 'image.step':
      return `image: ${event.message}`
    case 'review.copying':
      return `review: ${size(event.bytes)} of ${size(event.of)} copied`
    case 'review.ended':
      return `review: ${changesInWords(event)} in proposal ${event.proposal}`
    case 'secret.used':
      return `secret ${event.name} put in for ${event.host}:${event.port} (${event.place})${event.count === 1 ? '' : `, ${event.count} times`}`
    case 'secret.echoed':
      return `secret ${event.name} was in an answer of ${event.host}:${event.port}, and was taken out`
    case 'secret.scanned':
      return `what the run wrote was looked through for secrets: ${counted(event.files, 'file')}, ${event.found === 0 ? 'none found' : `${event.found} found: ${listed(event.findings.map(findingInWords), 20, event.found)}`}${event.complete ? '' : '; not all of it'}`
    case 'model.usage':
    case 'budget.warning':
    case 'budget.refused':
    case 'budget.state':
      return describeModel(event)
    case 'limits':
      return `limits: ${event.rows.map(limitText).join(', ') || 'none'}`
    case 'warning':
      return `warning: ${event.message}${event.remedy === undefined ? '' : ` → ${event.remedy}`}`
    case 'journal.full':
      return `the journal reached ${size(event.bytes)}: what follows was counted, not written`
    case 'session.reaped':
      return `anchorhold was killed; cleared up by a later start: ${event.did.join('; ') || 'nothing was left'}`
    case 'session.ended':
      return `ended: ${event.end.kind}${event.end.signal === undefined ? '' : ` by ${event.end.signal}`}${event.end.limit === undefined ? '' : ` (limit of ${event.end.limit})`}, exit code ${event.exitCode}, after ${duration(event.milliseconds)}`
    case 'network.allowed':
    case 'network.refused':
    case 'network.failed':
    case 'network.closed':
    case 'network.repeated':
      return describeNetwork(event)
  }
  // Written by another version, or changed.
  return canonicalJson(event)
}

function describeNetwork(event: Extract<SessionEvent, { kind: `network.${string}` }>): string {
  const where = `${event.host}:${event.port}`
  if (event.kind === 'network.repeated') return `${event.of.replace('network.', '')} ${where}, ${event.count} more times`
  if (event.kind === 'network.allowed') return `allowed ${where} (${event.how}) by ${event.rule}`
  if (event.kind === 'network.closed')
    return `closed ${where} (${event.how}): ${size(event.sent)} sent, ${size(event.received)} received, ${duration(event.milliseconds)}`
  if (event.kind === 'network.failed') return `failed ${where} (${event.how}): ${event.reason}`
  return `refused ${where} (${event.how}): ${event.reason}${event.remedy === undefined ? '' : ` → ${event.remedy}`}`
}
