// Plan → what bubblewrap executes: argv, its argument file, the syscall filter, the supervisor's records. Pure.
// Neighbours: facts.ts before it, launch.ts after it. Works with bubblewrap 0.8 and later.
import path from 'node:path'
import type { Compiled, EngineFacts } from '../../model/engine.ts'
import type { Mount, Plan } from '../../model/plan.ts'
import { Failure } from '../../errors/failure.ts'
import { compileFilter } from '../seccomp/compile.ts'
import { procCovers } from './proc.ts'
import { enforceLimits } from './limits.ts'
import { argumentsFd, coversPath, enterPath, filterFd, firstFileFd, infoFd, lastFd, ownFolder, supervisorFd } from './places.ts'
import { supervisorRecords } from './records.ts'

type Input = Compiled['inputs'][number]

/** Throws Failure('engine/bad-plan') for what can't be said to bubblewrap: NUL bytes, relative paths, too many files. */
export function compile(plan: Plan, facts: EngineFacts): Compiled {
  refuseUnsayable(plan)
  const limits = enforceLimits(plan.limits, facts, plan.workspace)
  const pinned = limits.some((row) => row.name === 'cpus' && row.how.startsWith('affinity'))
  const files: Input[] = []
  const args = [
    ...namespaces(plan),
    ...fileSystem(plan, String(facts['enter']), files),
    ...environment(plan),
    '--seccomp',
    String(filterFd),
    '--info-fd',
    String(infoFd),
    '--chdir',
    plan.cwd,
  ]
  const covers = [...procCovers, ...plan.covers]
  const views = plan.mounts.some((mount) => mount.kind === 'overlay')
  const filter = compileFilter(facts['arch'] === 'aarch64' ? 'aarch64' : 'x86_64', { pinned, coreHandler: facts['coreHandler'] === true })
  return {
    argv: [String(facts['bwrap']), '--args', String(argumentsFd), '--', enterPath, ...(views ? ['--views'] : []), ...plan.argv],
    env: {},
    inputs: [
      { fd: supervisorFd, name: 'supervisor', content: supervisorRecords(plan, covers, limits, facts), redact: false },
      { fd: argumentsFd, name: 'bubblewrap arguments', content: Buffer.from(args.map((arg) => `${arg}\0`).join('')), redact: false },
      { fd: filterFd, name: 'syscall filter', content: filter, redact: false },
      ...files,
    ],
    limits,
  }
}

function namespaces(plan: Plan): string[] {
  return [
    '--unshare-user',
    '--uid',
    String(plan.identity.uid),
    '--gid',
    String(plan.identity.gid),
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--disable-userns',
    '--die-with-parent',
    '--cap-drop',
    'ALL',
    '--hostname',
    plan.identity.hostname,
    // Without a terminal the command gets a session of its own: /dev/tty is nobody's then.
    ...(plan.terminal === 'none' ? ['--new-session'] : []),
  ]
}

function fileSystem(plan: Plan, enter: string, files: Input[]): string[] {
  const args = ['--dev', '/dev', '--proc', '/proc']
  const made = new Set(['/', '/dev', '/proc'])
  args.push(...parents('/sys/devices/system/cpu', made), '--ro-bind-try', '/sys/devices/system/cpu', '/sys/devices/system/cpu')
  const own = ownPosition(plan.mounts)
  plan.mounts.forEach((mount, index) => {
    if (index === own) args.push(...ownMounts(enter))
    args.push(...parents(mount.to, made), ...mountArguments(mount, files))
  })
  if (own === plan.mounts.length) args.push(...ownMounts(enter))
  if (!plan.mounts.some((mount) => mount.to === '/dev/shm'))
    args.push('--perms', '01777', '--size', String(64 * 2 ** 20), '--tmpfs', '/dev/shm')
  // The folders that bubblewrap made to hang mounts on are a memory file system of their own: read-only too.
  args.push('--remount-ro', ownFolder, '--remount-ro', '/dev', '--remount-ro', '/')
  return args
}

/** bubblewrap would make the folders above a mount for the owner alone, where the mount is. */
function parents(to: string, made: Set<string>): string[] {
  const folder = path.dirname(to)
  if (made.has(folder)) return []
  made.add(folder)
  return [...parents(folder, made), '--perms', '0755', '--dir', folder]
}

/** anchorhold's own folder comes after what lies on /run, and before what the plan puts below it. */
function ownPosition(mounts: readonly Mount[]): number {
  return mounts.findLastIndex((mount) => mount.to === '/run' || mount.to === '/') + 1
}

function ownMounts(enter: string): string[] {
  return [
    '--perms',
    '0755',
    '--size',
    String(2 ** 20),
    '--tmpfs',
    ownFolder,
    '--perms',
    '0755',
    '--dir',
    coversPath,
    '--ro-bind',
    enter,
    enterPath,
  ]
}

function mountArguments(mount: Mount, files: Input[]): string[] {
  switch (mount.kind) {
    case 'bind':
      return [mount.mode === 'rw' ? '--bind' : '--ro-bind', mount.from, mount.to]
    case 'overlay':
      return ['--bind', mount.place, mount.to]
    case 'tmpfs':
      return ['--perms', octal(mount.mode), '--size', String(mount.bytes), '--tmpfs', mount.to]
    case 'dir':
      return ['--perms', octal(mount.mode ?? 0o755), '--dir', mount.to]
    case 'symlink':
      return ['--symlink', mount.target, mount.to]
    case 'file': {
      const fd = firstFileFd + files.length
      if (fd > lastFd) throw new Failure('engine/bad-plan', { why: `more than ${lastFd - firstFileFd + 1} generated files` })
      files.push({ fd, name: mount.to, content: Buffer.from(mount.content), redact: false })
      return ['--perms', '0444', '--ro-bind-data', String(fd), mount.to]
    }
  }
}

function environment(plan: Plan): string[] {
  return ['--clearenv', ...Object.entries(plan.env).flatMap(([name, value]) => ['--setenv', name, value])]
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

/** bubblewrap reads NUL-separated words: a NUL in a value would become an option of its own (CVE-2024-32462 class). */
function refuseUnsayable(plan: Plan): void {
  const words = [
    ...plan.argv,
    plan.cwd,
    plan.identity.hostname,
    ...Object.entries(plan.env).flat(),
    ...plan.mounts.flatMap((mount) => [
      mount.to,
      ...(mount.kind === 'bind'
        ? [mount.from]
        : mount.kind === 'overlay'
          ? [mount.lower, mount.upper, mount.work, mount.place]
          : mount.kind === 'symlink'
            ? [mount.target]
            : []),
    ]),
    ...plan.covers.flatMap((cover) => [cover.path, ...(cover.kind === 'link' ? [cover.target] : [])]),
  ]
  if (words.some((word) => word.includes('\0'))) throw new Failure('engine/bad-plan', { why: 'a value holds a NUL byte' })
  if (plan.argv.length === 0 || plan.argv[0] === '') throw new Failure('engine/bad-plan', { why: 'there is no command' })
  const paths = [plan.cwd, ...plan.mounts.map((mount) => mount.to), ...plan.covers.map((cover) => cover.path)]
  const relative = paths.find((each) => !each.startsWith('/'))
  if (relative !== undefined) throw new Failure('engine/bad-plan', { why: `not an absolute path: ${relative}` })
  if (Object.keys(plan.env).some((name) => name === '' || name.includes('=')))
    throw new Failure('engine/bad-plan', { why: 'a bad name of a variable' })
}
