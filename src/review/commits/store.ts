// The commits that an agent made in its view, read without trusting the view's git folder: its objects are copied beside a configuration of
// anchorhold's own, its packs get new indexes, and alternates, replacements, grafts and hooks stay behind. Neighbour: replay.ts.
import * as fs from 'node:fs'
import path from 'node:path'
import type { Review } from '../open-review.ts'
import { objectFormatOf } from '../patch/format.ts'
import { contentOf } from '../tree.ts'
import { linesOf, must, ownGit, userGit } from './git.ts'

export interface MovedBranch {
  /** `refs/heads/x`. */
  readonly name: string
  readonly tip: string
  /** Oldest first; only what the real repository does not have. */
  readonly commits: readonly string[]
}

export interface Store extends Disposable {
  readonly gitDir: string
  readonly branches: readonly MovedBranch[]
  /** Of the real repository: reference to object. */
  readonly real: ReadonlyMap<string, string>
}

const objectName = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/
const branchName = /^refs\/heads\/(?!.*(?:\.\.|\/\/|@\{|\.lock(?:\/|$)|\/\.))[^\s~^:?*[\\\x00-\x1f\x7f./-][^\s~^:?*[\\\x00-\x1f\x7f]*$/

/** Undefined where no branch moved. @throws Failure apply/git */
export function openStore(review: Review): Store | undefined {
  const moved = movedBranches(review)
  if (moved.size === 0) return undefined
  const { project } = review.proposal
  const common = must(userGit(project, ['rev-parse', '--path-format=absolute', '--git-common-dir']), 'finding the repository')
    .toString()
    .replace(/\n$/, '')
  const real = new Map(
    linesOf(must(userGit(project, ['for-each-ref', '--format=%(refname) %(objectname)']), 'reading the branches')).map(
      (line) => line.split(' ') as [string, string],
    ),
  )
  const head = userGit(project, ['rev-parse', '--verify', '-q', 'HEAD'])
  const gitDir = fs.mkdtempSync(path.join(review.folder, 'git-'))
  const dispose = (): void => fs.rmSync(gitDir, { recursive: true, force: true })
  try {
    makeFolder(gitDir, project, path.join(common, 'objects'))
    copyObjects(review, gitDir)
    const known = [...new Set([...real.values(), ...(head.code === 0 ? linesOf(head.stdout) : [])])]
    const branches = [...moved].flatMap(([name, tip]): readonly MovedBranch[] => {
      const input = [tip, ...known.map((each) => `^${each}`), ''].join('\n')
      const listed = ownGit(gitDir, ['rev-list', '--topo-order', '--reverse', '--stdin'], { input })
      return listed.code !== 0 ? [] : [{ name, tip, commits: linesOf(listed.stdout) }]
    })
    return { gitDir, branches, real, [Symbol.dispose]: dispose }
  } catch (error) {
    dispose()
    throw error
  }
}

/** References that the view has otherwise than the project, by their own files and the packed ones. */
function movedBranches(review: Review): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const gone = new Set<string>()
  const read = (change: Review['changes'][number]): string =>
    contentOf(review.sidesOf(change).after, change.path, change.after, 16 * 2 ** 20).toString('utf8')
  const history = review.changes.filter(({ root, git }) => root === 0 && git === 'history')
  for (const change of history.filter(({ path: name, after }) => name === '.git/packed-refs' && after?.kind === 'file')) {
    const before = contentOf(review.sidesOf(change).before, change.path, change.before).toString('utf8')
    for (const line of read(change).split('\n')) {
      const [tip = '', name = ''] = line.split(' ')
      if (objectName.test(tip) && branchName.test(name) && !before.includes(line)) found.set(name, tip)
    }
  }
  for (const change of history) {
    const name = change.path.replace(/^\.git\//, '')
    if (!branchName.test(name)) continue
    const tip = read(change).trim()
    if (change.after === undefined) gone.add(name)
    else if (change.after.kind === 'file' && objectName.test(tip)) found.set(name, tip)
  }
  return found
}

function makeFolder(gitDir: string, project: string, objects: string): void {
  for (const folder of ['objects/pack', 'objects/info', 'refs']) fs.mkdirSync(path.join(gitDir, folder), { recursive: true, mode: 0o700 })
  const sha256 = objectFormatOf(project) === 'sha256'
  fs.writeFileSync(path.join(gitDir, 'HEAD'), 'ref: refs/heads/none\n')
  fs.writeFileSync(
    path.join(gitDir, 'config'),
    `[core]\n\trepositoryformatversion = ${sha256 ? 1 : 0}\n\tbare = true\n${sha256 ? '[extensions]\n\tobjectformat = sha256\n' : ''}`,
  )
  fs.writeFileSync(
    path.join(gitDir, 'objects/info/alternates'),
    `${objects.includes('\n') || objects.startsWith('"') ? JSON.stringify(objects) : objects}\n`,
  )
}

/** Single objects as they are (git checks a name against its content when it reads one); packs get an index of our own. */
function copyObjects(review: Review, gitDir: string): void {
  for (const change of review.changes) {
    if (change.root !== 0 || change.git !== 'history' || change.after?.kind !== 'file') continue
    const inner = change.path.replace(/^\.git\/objects\//, '')
    if (inner === change.path) continue
    const loose = /^[0-9a-f]{2}\/[0-9a-f]{38}(?:[0-9a-f]{24})?$/.test(inner)
    const pack = /^pack\/pack-[0-9a-f]+\.pack$/.test(inner)
    if (!loose && !pack) continue
    const target = path.join(gitDir, 'objects', inner)
    fs.mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 })
    fs.writeFileSync(target, contentOf(review.sidesOf(change).after, change.path, change.after), { mode: 0o400 })
    if (pack) must(ownGit(gitDir, ['index-pack', target]), "reading the agent's objects")
  }
}
