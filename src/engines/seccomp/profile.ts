// The rules → a seccomp profile that a container engine enforces by itself, to the same effect as compile.ts: for cells into which processes come
// from outside (`docker exec`), where no first program of ours could put the filter on. Pure. Neighbours: rules.ts and cubes.ts before it.
import { cubesOf, without, type Cube } from './cubes.ts'
import { errno, rulesFor, type Action, type FilterOptions, type Rule } from './rules.ts'

interface Entry {
  readonly names: readonly string[]
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO'
  readonly errnoRet?: number
  readonly args?: readonly Comparison[]
}
interface Comparison {
  readonly index: number
  readonly value: bigint
  readonly valueTwo: bigint
  readonly op: 'SCMP_CMP_MASKED_EQ'
}

/** JSON (OCI runtime specification, `linux.seccomp`) for x86-64 and AArch64. What is in no rule answers ENOSYS where the engine knows how, else EPERM. */
export function containerProfile(options: FilterOptions): string {
  const syscalls = rulesFor(options).flatMap(entriesOf)
  return stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: errno.ENOSYS,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: [] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: [] },
    ],
    syscalls,
  })
}

function entriesOf({ names, clauses = [], action }: Rule): readonly Entry[] {
  if (clauses.length === 0) return [{ names, ...answer(action) }]
  let left: readonly Cube[] = [new Map()]
  const entries: Entry[] = []
  for (const { when, then } of [...clauses, { when: [], then: action }]) {
    const all = cubesOf(when)
    // Of what no clause before has decided.
    const undecided = without(all, without([new Map()], left))
    entries.push(...undecided.map((cube) => ({ names, ...answer(then), args: comparisons(cube) })))
    left = without(left, all)
  }
  return entries
}

function answer(action: Action): Pick<Entry, 'action' | 'errnoRet'> {
  return action === 'allow' ? { action: 'SCMP_ACT_ALLOW' } : { action: 'SCMP_ACT_ERRNO', errnoRet: errno[action] }
}

function comparisons(cube: Cube): readonly Comparison[] {
  return [...cube].map(([index, { mask, want }]) => ({ index, value: mask, valueTwo: want, op: 'SCMP_CMP_MASKED_EQ' }))
}

/** Numbers of 64 bits as they are, which JSON may hold and JavaScript's own numbers may not. */
function stringify(value: unknown): string {
  const big = new Map<string, string>()
  const text = JSON.stringify(
    value,
    (_key, each: unknown) => {
      if (typeof each !== 'bigint') return each
      const mark = `bigint:${each}`
      big.set(`"${mark}"`, each.toString())
      return mark
    },
    1,
  )
  return `${text.replaceAll(/"bigint:\d+"/g, (mark) => big.get(mark) ?? mark)}\n`
}
