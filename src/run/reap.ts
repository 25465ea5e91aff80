// Before a run: what a killed anchorhold left behind is ended and swept. Costs one readdir where nothing was.
import { engines } from '../engines/list.ts'
import { reapSessions } from '../session/reap.ts'
import { sweepAfterCrash } from '../workspace/open.ts'

/** Sessions whose process is gone: their cells end, files planted meanwhile are quarantined, the record says 'crashed'. */
export async function reapBefore(stateDir: string): Promise<void> {
  await reapSessions({ stateDir, engines, sweep: sweepAfterCrash })
}
