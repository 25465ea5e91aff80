// The rules → a seccomp profile as container engines read it (OCI runtime specification, `linux.seccomp`). Pure. Neighbour: compile.ts.
// It is the outer of two: calls that are judged by their arguments are allowed here, since process 1 puts the exact filter on before the command.
import type { Architecture } from './numbers.ts'
import { errno, rulesFor, type FilterOptions } from './rules.ts'

/** What process 1 of a cell needs beyond the command: a user namespace for another user number, and the cell's connections. */
const ofProcessOne: ReadonlySet<string> = new Set(['unshare', 'process_vm_readv', 'pidfd_getfd'])

const architectures: Readonly<Record<Architecture, string>> = { x86_64: 'SCMP_ARCH_X86_64', aarch64: 'SCMP_ARCH_AARCH64' }

export function ociProfile(architecture: Architecture, options: FilterOptions): string {
  const rules = rulesFor(options).map(({ names, action, clauses }) => ({
    names: names.filter((name) => !ofProcessOne.has(name)),
    answer: action === 'allow' || clauses?.some(({ then }) => then === 'allow') === true ? ('allow' as const) : action,
  }))
  const syscalls = rules
    .filter(({ names }) => names.length > 0)
    .map(({ names, answer }) => ({
      names,
      ...(answer === 'allow' ? { action: 'SCMP_ACT_ALLOW' } : { action: 'SCMP_ACT_ERRNO', errnoRet: errno[answer] }),
    }))
  return `${JSON.stringify(
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: errno.ENOSYS,
      architectures: [architectures[architecture]],
      syscalls: [...syscalls, { names: [...ofProcessOne], action: 'SCMP_ACT_ALLOW' }],
    },
    null,
    1,
  )}\n`
}
