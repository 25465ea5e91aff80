// The syscall filter depends on four words alone: in the bundle its programs lie ready, made by the very function that they stand for. A step of
// bundle.ts; test/engines/seccomp/ready.test.ts compares all of them.
import { compileFilter } from '../src/engines/seccomp/compile.ts'
import type { Architecture } from '../src/engines/seccomp/numbers.ts'
import type { FilterOptions } from '../src/engines/seccomp/rules.ts'
import type { Plugin } from 'rolldown'

export const architectures: readonly Architecture[] = ['x86_64', 'aarch64']
export const options: readonly FilterOptions[] = [false, true].flatMap((pinned) =>
  [false, true].map((coreHandler) => ({ pinned, coreHandler })),
)

/** Source of a module with the same `compileFilter`. */
export function readyFilters(): string {
  const programs = architectures.flatMap((architecture) =>
    options.map((option) => {
      const key = [architecture, option.pinned, option.coreHandler].join(' ')
      return [key, Buffer.from(compileFilter(architecture, option)).toString('base64')]
    }),
  )
  return `const programs = ${JSON.stringify(Object.fromEntries(programs))}
export function compileFilter(architecture, { pinned, coreHandler }) {
  return new Uint8Array(Buffer.from(programs[\`\${architecture} \${pinned} \${coreHandler}\`], 'base64'))
}
`
}

export const withReadyFilters: Plugin = {
  name: 'ready-filters',
  load: (id) => (id.endsWith('/src/engines/seccomp/compile.ts') ? { code: readyFilters(), moduleType: 'js' } : null),
}
