// Detectors for git's own files: hooks, configuration that runs programs, replaced objects; and for files that change what git does.
import { judgeEntry } from '../../workspace/git-harmless.ts'
import { parseGitConfig, type ConfigEntry } from '../../workspace/git-config.ts'
import { gitPartOf } from '../git-part.ts'
import type { Detector } from './rule.ts'

/** Entries that are not in the other text. */
function newEntries(before: string, after: string): readonly ConfigEntry[] {
  const old = new Set(parseGitConfig(before).entries.map(({ key, value }) => `${key}=${value ?? ''}`))
  return parseGitConfig(after).entries.filter(({ key, value }) => !old.has(`${key}=${value ?? ''}`))
}

const place = { gitDir: '', roots: [] }

/** Where the user pulls from and pushes to: no new entry is one of theirs, a changed one is. */
const leadsElsewhere = /^(?:remote|branch|submodule)\..*\.(?:url|pushurl|fetch|remote|merge)$/

const samples = new Set(
  [
    'applypatch-msg',
    'commit-msg',
    'fsmonitor-watchman',
    'post-update',
    'pre-applypatch',
    'pre-commit',
    'pre-merge-commit',
    'pre-push',
    'pre-rebase',
    'pre-receive',
    'prepare-commit-msg',
    'push-to-checkout',
    'update',
    'sendemail-validate',
  ].map((name) => `${name}.sample`),
)

export const gitDetectors: readonly Detector[] = [
  {
    id: 'git-hook',
    kind: 'runs',
    source: 'PER-01; githooks(5)',
    detect: ({ change }) => {
      if (change.git !== 'hooks' || (change.before ?? change.after)?.kind === 'folder') return []
      const name = change.path.split('/').at(-1) ?? ''
      if (samples.has(name)) return []
      return [{ reason: change.action === 'deleted' ? `with git, no longer: the hook ${name}` : `with git: the hook ${name}` }]
    },
  },
  {
    id: 'git-config',
    kind: 'runs',
    source: 'PER-02, PER-03; git-config(1)',
    detect: ({ change, before, after }) => {
      if (change.git !== 'config') return []
      if (change.action === 'deleted') return [{ reason: 'with git: the settings of the repository are gone' }]
      const keys = newEntries(before, after).filter((entry) => judgeEntry(entry, place) === 'dangerous')
      return keys.slice(0, 10).map(({ key, value }) => ({ reason: `with git: sets ${key} = ${value ?? 'true'}` }))
    },
  },
  {
    id: 'git-config-yours',
    kind: 'deceives',
    source: 'PER-03; git-config(1)',
    detect: ({ change, before, after }) => {
      if (change.git !== 'config' || change.action === 'deleted') return []
      const was = parseGitConfig(before).entries
      const is = new Set(parseGitConfig(after).entries.map(({ key }) => key))
      const said = (entry: ConfigEntry): string => `${entry.key} = ${entry.value ?? 'true'}`
      const set = newEntries(before, after).flatMap((entry) => {
        const verdict = judgeEntry(entry, place)
        if (verdict === 'inert') return [`sets ${said(entry)}`]
        const old = was.find(({ key }) => key === entry.key)
        return verdict === 'harmless' && old !== undefined && leadsElsewhere.test(entry.key)
          ? [`sets ${said(entry)}, which was ${old.value ?? 'true'}`]
          : []
      })
      const gone = was.filter((entry) => !is.has(entry.key) && judgeEntry(entry, place) !== 'harmless')
      return [...set, ...gone.map((entry) => `takes away ${said(entry)}`)]
        .slice(0, 10)
        .map((what) => ({ reason: `${what}: that is yours to decide` }))
    },
  },
  {
    id: 'git-exclude',
    kind: 'deceives',
    source: 'TRM-19; gitignore(5)',
    names: ['info/exclude'],
    detect: ({ change }) =>
      change.git === 'other' && change.action !== 'deleted'
        ? [{ reason: 'git status would pass over other files, and no commit shows it' }]
        : [],
  },
  {
    id: 'git-other',
    kind: 'runs',
    source: 'PER-07, TRM-19, TRM-20',
    detect: ({ change }) => {
      if (change.git !== 'other') return []
      const inner = (gitPartOf(change.path) ?? gitPartOf(`.git/${change.path}`))?.inner ?? ''
      if (inner === '') return [{ reason: 'with git: says where the repository is' }]
      if (/^(?:description|branches)$/.test(inner) || (inner === 'info/exclude' && change.action !== 'deleted')) return []
      return [{ reason: `with git: ${inner} changes how the repository is read` }]
    },
  },
  {
    id: 'attribute-driver',
    kind: 'runs',
    source: 'PER-05; gitattributes(5)',
    names: ['.gitattributes', '/.git/info/attributes'],
    detect: ({ added }) =>
      added()
        .filter(({ text }) => /\s(?:filter|merge|diff)=\S/.test(text))
        .slice(0, 5)
        .map(({ text, line }) => ({ reason: `with git: chooses a driver (${text.trim()})`, line })),
  },
  {
    id: 'submodule-entry',
    kind: 'supply-chain',
    source: 'PER-08, TRM-15; CVE-2025-48384',
    names: ['.gitmodules'],
    detect: ({ before, after }) =>
      newEntries(before, after)
        .slice(0, 10)
        .map(({ key, value }) => ({ reason: `a submodule from elsewhere: ${key} = ${value ?? ''}` })),
  },
  {
    id: 'environment-variable',
    kind: 'runs',
    source: 'PER-18; CVE-2025-61260',
    names: ['.env', '.env.*', '.envrc', '.flaskenv', '*.env'],
    detect: ({ added }) =>
      added().flatMap(({ text, line }) => {
        const name =
          /^\s*(?:export\s+)?((?:NODE_OPTIONS|LD_[A-Z_]+|DYLD_[A-Z_]+|PYTHON(?:PATH|STARTUP|HOME)|BASH_ENV|ENV|PERL5(?:LIB|OPT)|RUBYOPT|JAVA_TOOL_OPTIONS|GIT_[A-Z_]+|PATH|[A-Z0-9_]*_BASE_URL|(?:HTTPS?|ALL)_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE))\s*=/i.exec(
            text,
          )?.[1]
        return name === undefined ? [] : [{ reason: `sets ${name}, which programs obey`, line }]
      }),
  },
  {
    id: 'host-mount',
    kind: 'escapes',
    source: 'PER-28',
    names: ['compose*.y*ml', 'docker-compose*.y*ml', 'devcontainer.json', '.devcontainer', '*.y*ml'],
    detect: ({ added }) => {
      const hit = added().find(({ text }) =>
        /privileged["']?\s*[:=]\s*["']?true|docker\.sock|network_mode:\s*["']?host|pid:\s*["']?host|hostPath:|cap_add:|^\s*-\s*["']?(?:\/|~|\$HOME|\$\{HOME\})[^:]*:/i.test(
          text,
        ),
      )
      return hit === undefined ? [] : [{ reason: `gives a container the host: ${hit.text.trim()}`, line: hit.line }]
    },
  },
]
