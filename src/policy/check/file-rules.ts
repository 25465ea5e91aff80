// Policy check: folders of the host in the cell: what they hold, what obeys them, which protections are lifted.
import { show } from '../show.ts'
import { writableMounts } from './writable.ts'
import type { CheckRule, Hit } from './types.ts'

export const fileRules: readonly CheckRule[] = [
  {
    id: 'mount-credentials',
    severity: 'error',
    title: 'a mount in which credentials lie',
    source: 'attacks.md FS-01, CFG-13; ATT&CK T1552.001',
    example: {
      has: 'files:\n  mount:\n    - { path: ~/keys } # here\n',
      mended: 'files:\n  mount:\n    - { path: ~/library }\n',
    },
    find: ({ policy, seen }) =>
      policy.files.mount.flatMap(({ path, origin }): readonly Hit[] => {
        const found = (seen?.credentials ?? []).filter(({ mount }) => mount === path)
        const [first] = found
        if (first === undefined) return []
        const more = found.length === 1 ? '' : ` and ${found.length - 1} more`
        return [
          {
            subject: show(path, 300),
            origin,
            means: `the agent can read ${show(first.file, 300)} (${first.what})${more}.`,
            instead: `files: { hide: [${[...new Set(found.map(({ file, mount }) => hideGlob(file, mount)))].slice(0, 5).join(', ')}] }`,
          },
        ]
      }),
  },
  {
    id: 'mount-refused',
    severity: 'error',
    title: 'a mount with which no run starts',
    source: 'attacks.md CFG-13',
    example: {
      has: 'files:\n  mount:\n    - { path: ~/.ssh } # here\n',
      mended: 'files:\n  mount:\n    - { path: ~/library }\n',
    },
    find: ({ policy, seen }) =>
      policy.files.mount.flatMap(({ path, origin }) =>
        (seen?.refused ?? [])
          .filter(({ mount }) => mount === path)
          .map(({ reason }) => ({ subject: show(path, 300), origin, means: `every run with this policy is refused: ${reason}.` })),
      ),
  },
  {
    id: 'host-runs-it',
    severity: 'error',
    title: 'a writable folder from which the host runs programs, or which it obeys',
    source: 'attacks.md PER-27; ATT&CK T1546, T1574.007',
    example: {
      has: 'files:\n  mount:\n    - { path: ~/scripts, mode: rw } # here\n',
      mended: 'files:\n  mount:\n    - { path: ~/scripts, mode: ro }\n',
    },
    find: ({ policy, origins, seen }) =>
      (seen?.obeyed ?? []).map(({ root, file, how }) => {
        const mount = policy.files.mount.find(({ path }) => path === root)
        return {
          subject: show(file, 300),
          origin: mount?.origin ?? origins['workspace.mode'] ?? { kind: 'built-in', source: 'default' },
          means: `what the agent writes there is run outside the wall: ${how}.`,
          instead: mount === undefined ? 'workspace: { mode: review }' : `- { path: ${JSON.stringify(root)}, mode: ro }`,
        }
      }),
  },
  {
    id: 'writable-mount',
    severity: 'note',
    title: 'a further folder that the agent changes directly',
    source: 'docs/review.md',
    example: {
      has: 'files:\n  mount:\n    - { path: ~/shared, mode: rw } # here\n',
      mended: 'files:\n  mount:\n    - { path: ~/shared, mode: ro }\n',
    },
    find: ({ policy }) =>
      writableMounts(policy).map(({ path, origin }) => ({
        subject: show(path, 300),
        origin,
        means: 'what other projects use is changed at once, and nobody has looked at it.',
        instead: `- { path: ${JSON.stringify(path)}, mode: ro }`,
      })),
  },
  {
    id: 'lifted-protection',
    severity: 'warning',
    title: 'a built-in protection that is lifted',
    source: 'attacks.md FS-07; docs/policy.md',
    example: {
      has: 'files:\n  unprotect:\n    - .vscode # here\n',
      mended: 'files:\n  protect:\n    - deploy\n',
    },
    find: ({ policy }) =>
      policy.files.unprotect.map(({ glob, origin }) => ({
        subject: glob,
        origin,
        means: 'the host runs or obeys what lies there, or it holds keys: now the agent may write or read it.',
        instead: 'workspace: { mode: review }',
      })),
  },
  {
    id: 'idle-hide',
    severity: 'note',
    title: 'a pattern of hide that matches nothing',
    source: 'docs/policy.md',
    example: {
      has: 'files:\n  hide:\n    - no-such-file.json # here\n',
      mended: 'files:\n  hide:\n    - present.json\n',
    },
    find: ({ policy, seen }) =>
      policy.files.hide
        .filter(({ glob }) => seen?.idleHides?.has(glob) === true)
        .map(({ glob, origin }) => ({
          subject: glob,
          origin,
          means:
            'nothing there has such a name now (dependency folders left out); if it was meant for a file that exists, that file is not hidden.',
        })),
  },
]

function hideGlob(file: string, mount: string): string {
  const inner = file === mount ? file : file.slice(mount.length + 1)
  return JSON.stringify(inner.split('/').at(-1) ?? inner)
}
