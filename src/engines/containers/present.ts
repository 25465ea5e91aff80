// The last look at the paths of a plan's covers, right before it is compiled: a container engine puts them on as it finds them.
import { lstatSync, realpathSync } from 'node:fs'
import { Failure } from '../../errors/failure.ts'
import { isWithin } from '../../host/paths.ts'
import type { Plan } from '../../model/plan.ts'

/**
 * The plan without covers of what is gone: there is nothing to protect.
 * @throws Failure 'engine/cannot' for a link or what is behind one: the engine would follow it, and the link itself could be replaced inside
 */
export function withPresentCovers(plan: Plan): Plan {
  const covers = plan.covers.filter(({ path }) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)
  const linked = covers.find(({ path }) => realOf(path) !== path)
  if (linked === undefined) return { ...plan, covers }
  throw new Failure('engine/cannot', {
    engine: plan.engine,
    what: `protection for a symbolic link (${linked.path})`,
    why: 'a container engine follows it, and the link itself could be replaced inside',
  })
}

/** Whoever reaches the engine's own socket can have everything of this machine. Throws Failure 'engine/cannot'. */
export function refuseSockets(plan: Plan): void {
  const uid = process.getuid?.() ?? 0
  const named = /^unix:\/\/(.*)/.exec(process.env['DOCKER_HOST'] ?? process.env['CONTAINER_HOST'] ?? '')?.[1]
  const sockets = ['/run/docker.sock', '/run/podman/podman.sock', `/run/user/${uid}/docker.sock`, `/run/user/${uid}/podman/podman.sock`]
  for (const socket of named === undefined ? sockets : [...sockets, named]) {
    const real = realOf(socket)
    const shown = plan.mounts.find((mount) => mount.kind === 'bind' && real !== '' && isWithin(real, realOf(mount.from)))
    if (shown === undefined) continue
    throw new Failure('engine/cannot', {
      engine: plan.engine,
      what: `way to show ${shown.to}`,
      why: `the engine's own socket lies in it (${socket})`,
    })
  }
}

function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '' // leads nowhere
    throw error
  }
}
