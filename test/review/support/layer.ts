// A real overlay: an original, a view of it in a user namespace of its own, and what a shell script does there. What is left is the upper layer.
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import type { Change } from '../../../src/model/change.ts'
import { collectUpper, type Sides } from '../../../src/review/collect.ts'
import { openBelow } from '../../../src/review/below.ts'
import type { Proposal } from '../../../src/review/proposal.ts'
import type { FoundProposal } from '../../../src/review/find.ts'
import { readProposal, writeProposal } from '../../../src/review/record.ts'
import { readUpper } from '../../../src/review/upper.ts'

export interface Layer {
  readonly root: string
  /** The original, as the host has it. */
  readonly project: string
  readonly upper: string
  /** Runs a shell script in the view. */
  inView(script: string): void
  /** What the script left, as a whole tree beside the original (a copy of the view). */
  copyOfView(): string
  /** The view as a proposal that waits, in a folder of its own. */
  proposal(): FoundProposal
  collect(): Promise<{ readonly changes: readonly Change[]; readonly sides: Sides }>
}

export function makeLayer(): Layer {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-layer-')))
  onTestFinished(() => removeTree(root))
  const [project, upper, work, view] = ['project', 'upper', 'work', 'view'].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
    string,
  ]
  for (const folder of [project, upper, work, view]) mkdirSync(folder)
  const inView = (script: string): void => {
    const mount = `mount -t overlay overlay -o userxattr,lowerdir="$1",upperdir="$2",workdir="$3" "$4" && cd "$4" && exec sh -c "$5"`
    execFileSync('unshare', ['-Urm', 'sh', '-c', mount, 'sh', project, upper, work, view, script], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  }
  return {
    root,
    project,
    upper,
    inView,
    copyOfView() {
      const copy = path.join(root, `copy-${Math.random().toString(36).slice(2)}`)
      inView(`cp -a . '${copy}'`)
      return copy
    },
    proposal() {
      const folder = path.join(root, 'proposal')
      mkdirSync(folder, { recursive: true })
      const proposal = readProposal(folder) ?? proposalOf(project, upper)
      writeProposal(folder, proposal)
      return { proposal, folder }
    },
    async collect() {
      const before = openBelow(project)
      const after = openBelow(upper, { asOwner: true })
      onTestFinished(() => {
        before[Symbol.dispose]()
        after[Symbol.dispose]()
      })
      const sides = { before, after }
      return { changes: collectUpper(await readUpper(proposalOf(project, upper), root), 0, sides), sides }
    },
  }
}

function proposalOf(project: string, upper: string): Proposal {
  const id = '20260101-000000-test'
  const roots = [{ path: project, purpose: 'project' as const, upper }]
  return {
    version: 1,
    id,
    project,
    created: '',
    kind: 'overlay',
    state: 'open',
    roots,
    runs: [{ session: id, startedNs: '9'.repeat(19), endedNs: '9'.repeat(19) }],
    hidden: [],
  }
}

/** Everything below a folder: kind, mode and content by path (latin1: every byte counts). */
export function snapshot(folder: string, withMode: 'modes' | 'git-modes' = 'modes'): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  const walk = (at: Buffer, shown: string): void => {
    for (const name of readdirSync(at, { encoding: 'buffer' })) {
      const inner = Buffer.concat([at, Buffer.from('/'), name])
      const key = `${shown}${name.toString('latin1')}`
      const stat = lstatSync(inner)
      if (stat.isDirectory()) {
        if (withMode === 'modes') found[`${key}/`] = (stat.mode & 0o7777).toString(8)
        walk(inner, `${key}/`)
      } else if (stat.isSymbolicLink()) found[key] = `-> ${readlinkSync(inner, { encoding: 'buffer' }).toString('latin1')}`
      else if (stat.isFile()) {
        const mode = withMode === 'modes' ? (stat.mode & 0o7777).toString(8) : (stat.mode & 0o100) === 0 ? 'plain' : 'executable'
        found[key] = `${mode} ${readFileSync(inner).toString('latin1')}`
      } else found[key] = 'special'
    }
  }
  walk(Buffer.from(folder), '')
  return found
}

/** Also where a script took its own rights away, and under names that are no text. */
export function removeTree(root: string): void {
  execFileSync('sh', ['-c', 'chmod -R u+rwx "$1" 2>/dev/null; rm -rf "$1"', 'sh', root])
}
