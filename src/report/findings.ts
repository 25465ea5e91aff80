// What the scan at the end of a run found, in words. Used by the summary and the log.
import type { ScanEvent } from '../model/events.ts'
import { plain } from './text.ts'

/** "the value of DEPLOY_TOKEN (base64) in notes.txt:3", "what looks like a GitHub Token in home:/.agent/log:1". */
export function findingInWords({ of, name, form, file, line }: ScanEvent['findings'][number]): string {
  const what =
    of === 'known' ? `the value of ${name}${form === undefined || form === 'as it is' ? '' : ` (${form})`}` : `what looks like: ${name}`
  return `${plain(what)} in ${plain(file, { max: 300 })}:${line}`
}
