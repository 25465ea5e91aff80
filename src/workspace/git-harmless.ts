// Which entries of a git configuration can neither run code nor redirect what the host does (attacks.md PER-02, PER-03; CVE-2025-59041).
// An allow-list: a key that is not named here is not harmless, whatever a later git makes of it. Pure.
import path from 'node:path'
import type { ConfigEntry } from './git-config.ts'
import { isWithin } from '../host/paths.ts'

export interface GitPlace {
  /** The git-dir that the file configures, absolute. */
  readonly gitDir: string
  /** Writable roots. */
  readonly roots: readonly string[]
}

/** `inert`: neither runs nor redirects by itself while the session goes on, but does not stay in the end. */
export type EntryVerdict = 'harmless' | 'inert' | 'dangerous'

export function judgeEntry(entry: ConfigEntry, place: GitPlace): EntryVerdict {
  const value = entry.value ?? 'true'
  if (value.length > 4096 || /[\u0000-\u001f\u007f]/.test(value) || /[\u0000-\u001f\u007f]/.test(entry.subsection ?? '')) return 'dangerous'
  const plain = entry.subsection === undefined
  const name = plain ? `${entry.section}.${entry.name}` : `${entry.section}.*.${entry.name}`
  const rule = rules[name]
  if (rule === undefined) return inert.has(name) ? 'inert' : 'dangerous'
  if (rule(value, place)) return 'harmless'
  return inertWhenOdd.has(name) &&
    /^(file:\/\/\/|[/.+]|[\w][\w/.*+-]*(:[\w/.*+-]*)?$)/.test(value) &&
    !value.includes('::') &&
    !/[\s]/.test(value)
    ? 'inert'
    : 'dangerous'
}

type Rule = (value: string, place: GitPlace) => boolean
const flag: Rule = (value) => /^(true|false|yes|no|on|off|0|1|)$/i.test(value)
const number: Rule = (value) => /^\d{1,12}[kmg]?$/i.test(value)
const word: Rule = (value) => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)
const oneOf =
  (...words: readonly string[]): Rule =>
  (value) =>
    words.includes(value.toLowerCase())
const reference: Rule = (value) => /^(refs\/)?[A-Za-z0-9][^\s~^:?*[\\]*$/.test(value) && !value.includes('..')
const either =
  (...options: readonly Rule[]): Rule =>
  (value, place) =>
    options.some((rule) => rule(value, place))
const anything: Rule = () => true

const remoteName: Rule = (value) => value === '.' || (word(value, { gitDir: '', roots: [] }) && !value.includes('..'))
/** Only into what tracks a remote, never over the user's own branches. */
const fetchSpec: Rule = (value) =>
  /^\+?refs\/[^\s:]+:refs\/(remotes|tags|notes)\/[^\s:]+$/.test(value) || /^\+?refs\/(heads|tags)\/[^\s:]+$/.test(value)
const insideRoot: Rule = (value, { gitDir, roots }) => {
  if (value === '' || value.startsWith('~')) return false
  const target = path.resolve(gitDir, value)
  return roots.some((root) => isWithin(target, root))
}

/** https, http, ssh, git, `user@host:path`, or a folder inside a writable root. Never a transport helper (`ext::sh -c …`). */
export const remoteUrl: Rule = (value, place) => {
  if (value.includes('::') || value.startsWith('-') || value === '') return false
  if (/^(https?|ssh|git|git\+ssh|ssh\+git):\/\//i.test(value))
    return /^[a-z+]+:\/\/(?!-)([^\s/@]+@)?(?!-)(\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+)(:\d+)?([/?#]\S*)?$/i.test(value)
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return /^file:\/\/\//i.test(value) && insideRoot(value.slice(7), place)
  if (/^[^/]*:/.test(value)) return /^(?!-)([A-Za-z0-9._-]+@)?(?!-)[A-Za-z0-9._-]+:(?!-)[^\s:]\S*$/.test(value)
  // git takes a relative address from the work tree; both readings have to stay inside.
  return insideRoot(value, place) && insideRoot(value, { ...place, gitDir: path.dirname(place.gitDir) })
}

const flags = (names: string): Readonly<Record<string, Rule>> => Object.fromEntries(names.split(' ').map((name) => [name, flag]))

const rules: Readonly<Record<string, Rule | undefined>> = {
  ...flags(
    'core.filemode core.bare core.ignorecase core.symlinks core.precomposeunicode core.sparsecheckout core.sparsecheckoutcone core.commitgraph core.preloadindex core.quotepath core.trustctime core.splitindex core.multipackindex core.untrackedcache',
  ),
  'core.repositoryformatversion': oneOf('0', '1'),
  'core.logallrefupdates': either(flag, oneOf('always')),
  'core.untrackedcache': either(flag, oneOf('keep')),
  'core.autocrlf': either(flag, oneOf('input')),
  'core.eol': oneOf('lf', 'crlf', 'native'),
  'core.safecrlf': either(flag, oneOf('warn')),
  'core.abbrev': either(number, oneOf('auto', 'no')),
  'core.compression': number,
  'core.bigfilethreshold': number,
  'core.worktree': insideRoot,
  'extensions.objectformat': oneOf('sha1', 'sha256'),
  'extensions.refstorage': oneOf('files', 'reftable'),
  'extensions.worktreeconfig': flag,
  'extensions.relativeworktrees': flag,
  'remote.*.url': remoteUrl,
  'remote.*.fetch': fetchSpec,
  'remote.*.tagopt': oneOf('--tags', '--no-tags'),
  'remote.*.prune': flag,
  'remote.*.prunetags': flag,
  'remote.*.skipdefaultupdate': flag,
  'remote.*.skipfetchall': flag,
  'remote.*.gh-resolved': word,
  'branch.*.remote': remoteName,
  'branch.*.merge': reference,
  'branch.*.rebase': either(flag, oneOf('merges', 'interactive', 'i', 'm')),
  'branch.*.description': anything,
  'branch.*.vscode-merge-base': reference,
  'branch.*.gh-merge-base': reference,
  'submodule.*.url': remoteUrl,
  'submodule.*.active': flag,
  'submodule.*.branch': reference,
  'submodule.*.path': insideRootPath,
  'submodule.*.update': oneOf('checkout', 'rebase', 'merge', 'none'),
  'submodule.*.ignore': oneOf('all', 'dirty', 'untracked', 'none'),
  'submodule.*.shallow': flag,
  'submodule.*.fetchrecursesubmodules': either(flag, oneOf('on-demand')),
  'submodule.recurse': flag,
  'submodule.active': anything,
  'pull.rebase': either(flag, oneOf('merges', 'interactive')),
  'pull.ff': either(flag, oneOf('only')),
  'push.autosetupremote': flag,
  'push.default': oneOf('nothing', 'current', 'upstream', 'tracking', 'simple', 'matching'),
  'fetch.prune': flag,
  'gc.auto': number,
  'index.version': number,
  'feature.manyfiles': flag,
  'merge.conflictstyle': oneOf('merge', 'diff3', 'zdiff3'),
  'rerere.enabled': flag,
  'lfs.repositoryformatversion': number,
  'receive.denycurrentbranch': oneOf('warn', 'refuse'),
  'receive.denynonfastforwards': flag,
}

function insideRootPath(value: string): boolean {
  return value !== '' && !path.isAbsolute(value) && !value.split('/').includes('..') && !value.startsWith('-')
}

/** Tell who writes, where to push, what to fetch lazily: nothing runs by them, but they are the user's to decide. */
const inert: ReadonlySet<string> = new Set([
  'user.name',
  'user.email',
  'author.name',
  'author.email',
  'committer.name',
  'committer.email',
  'remote.*.promisor',
  'remote.*.partialclonefilter',
  'remote.*.mirror',
  'extensions.partialclone',
  'remote.pushdefault',
  'branch.*.pushremote',
  'init.defaultbranch',
  'clone.defaultremotename',
  'branch.autosetupmerge',
  'branch.autosetuprebase',
  'core.sharedrepository',
  'rebase.autostash',
  'rebase.autosquash',
  'color.ui',
  'fetch.recursesubmodules',
  'maintenance.auto',
  'gc.autodetach',
])
/** Known keys with a value that is not ours to keep: a local address outside, an unusual refspec. */
const inertWhenOdd: ReadonlySet<string> = new Set([
  'remote.*.url',
  'remote.*.fetch',
  'submodule.*.url',
  'branch.*.remote',
  'branch.*.merge',
])

/** `.gitmodules`: git refuses commands there by itself since CVE-2018-17456; odd paths and addresses are refused here too (CVE-2025-48384). */
export function judgeModulesEntry(entry: ConfigEntry): boolean {
  const value = entry.value ?? ''
  if (entry.section !== 'submodule' || entry.subsection === undefined || /[\u0000-\u001f\u007f]/.test(value + entry.subsection))
    return false
  if (entry.subsection.split('/').includes('..') || entry.subsection.startsWith('-')) return false
  switch (entry.name) {
    case 'path':
      return insideRootPath(value) && !value.split('/').some((part) => part.toLowerCase() === '.git')
    case 'url':
      return (
        value !== '' &&
        !value.startsWith('-') &&
        !value.includes('::') &&
        (/^(\.\.?\/|\/)/.test(value) || remoteUrl(value, { gitDir: '/', roots: ['/'] }))
      )
    case 'branch':
      return value === '.' || reference(value, { gitDir: '', roots: [] })
    case 'update':
      return ['checkout', 'rebase', 'merge', 'none'].includes(value)
    default:
      return ['ignore', 'shallow', 'fetchrecursesubmodules', 'active'].includes(entry.name)
  }
}
