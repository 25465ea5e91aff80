// Detector for credentials in what would be applied. The scan itself (secrets/scan) is done before by scanned.ts; what is found is never shown,
// only what it looks like and where it is.
import type { Detector } from './rule.ts'

const most = 5

export const leakDetectors: readonly Detector[] = [
  {
    id: 'credential',
    kind: 'leaks',
    source: 'FS-30; secrets/scan',
    detect: ({ added, found, binary, change }) => {
      // What is on the reader's disk already, and stays where it is, is no news.
      const fresh = binary || change.action === 'added' ? undefined : new Set(added().map(({ line }) => line))
      return found
        .filter(({ line }) => fresh === undefined || fresh.has(line))
        .slice(0, most)
        .map(({ line, name, mine }) => ({
          reason: mine === true ? `the value of your secret ${name}` : `what looks like a credential: ${name}`,
          ...(binary ? {} : { line }),
        }))
    },
  },
]
