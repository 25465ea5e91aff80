// How many changes a review ended with, in words. Used by the summary, the log and `anchorhold sessions`.
import { counted } from './units.ts'

/** "7 files changed, 2 need your eyes"; without `eyes` nobody has looked for risks yet. */
export function changesInWords({ changes, eyes }: { readonly changes: number; readonly eyes?: number }): string {
  if (changes === 0) return 'nothing changed'
  const risky = eyes === undefined || eyes === 0 ? '' : `, ${eyes} ${eyes === 1 ? 'needs' : 'need'} your eyes`
  return `${counted(changes, 'file')} changed${risky}`
}
