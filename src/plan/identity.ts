// Who the cell's one user is. A root caller appears as an ordinary user: most agents refuse full autonomy to root.
import type { Plan } from '../model/plan.ts'

export type Identity = Plan['identity']

/** The uid and gid inside; outside they are the caller's own, so that files in the project keep their owner. */
export function makeIdentity(caller: { readonly uid: number; readonly gid: number }): Identity {
  const root = caller.uid === 0
  return { uid: root ? 1000 : caller.uid, gid: root ? 1000 : caller.gid, user: 'agent', home: '/home/agent', hostname: 'anchorhold' }
}
