// The read-only base of every cell: system folders, a reduced /etc, private scratch. Pure.
import type { Mount } from '../model/plan.ts'
import type { SystemFacts } from '../host/system.ts'
import type { Identity } from './identity.ts'

const MiB = 2 ** 20

/** Default size of the cell's /tmp in bytes where the policy has no `limits.tmp`. */
export const defaultTmpBytes: number = 2048 * MiB
const runBytes = 64 * MiB
const shmBytes = 512 * MiB

/** What any program finds of this machine, where the system folders don't come from an image. */
export function hostMounts(facts: SystemFacts): readonly Mount[] {
  const roots = Object.entries(facts.roots).flatMap(([to, entry]): Mount[] => {
    if (entry.kind === 'absent') return []
    return [entry.kind === 'link' ? { kind: 'symlink', target: entry.target, to } : { kind: 'bind', from: to, to, mode: 'ro' }]
  })
  const etc = facts.etc.map((entry): Mount =>
    entry.link === undefined
      ? { kind: 'bind', from: entry.path, to: entry.path, mode: 'ro' }
      : { kind: 'symlink', target: entry.link, to: entry.path },
  )
  return [
    { kind: 'bind', from: '/usr', to: '/usr', mode: 'ro' },
    ...roots,
    { kind: 'dir', to: '/etc', mode: 0o755 },
    ...etc,
    { kind: 'dir', to: '/var', mode: 0o755 },
    { kind: 'symlink', target: '/run', to: '/var/run' },
  ]
}

/** What every cell has, whatever it is made from. */
export function systemMounts(identity: Identity, tmpBytes: number): readonly Mount[] {
  return [
    ...accountFiles(identity),
    { kind: 'tmpfs', to: '/tmp', bytes: tmpBytes, mode: 0o1777 },
    { kind: 'tmpfs', to: '/var/tmp', bytes: tmpBytes, mode: 0o1777 },
    { kind: 'tmpfs', to: '/run', bytes: runBytes, mode: 0o755 },
    { kind: 'dir', to: `/run/user/${identity.uid}`, mode: 0o700 },
    { kind: 'tmpfs', to: '/dev/shm', bytes: shmBytes, mode: 0o1777 },
  ]
}

/** One user, loopback names only, and the gateway as the one resolver. */
function accountFiles(identity: Identity): readonly Mount[] {
  const { user, uid, gid, home, hostname } = identity
  return [
    { kind: 'file', to: '/etc/passwd', content: `${user}:x:${uid}:${gid}:${user}:${home}:/bin/bash\n` },
    { kind: 'file', to: '/etc/group', content: `${user}:x:${gid}:\n` },
    { kind: 'file', to: '/etc/hostname', content: `${hostname}\n` },
    { kind: 'file', to: '/etc/hosts', content: `127.0.0.1 localhost ${hostname}\n::1 localhost\n` },
    {
      kind: 'file',
      to: '/etc/nsswitch.conf',
      content: 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n',
    },
    { kind: 'file', to: '/etc/resolv.conf', content: 'nameserver 127.0.0.1\noptions timeout:5 attempts:1\n' },
  ]
}
