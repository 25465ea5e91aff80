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
      if (change.git !== 'hooks' || change.action === 'deleted') return []
      const name = change.path.split('/').at(-1) ?? ''
      return samples.has(name) ? [] : [{ reason: `with git: the hook ${name}` }]
    },
  },
  {
    id: 'git-config',
    kind: 'runs',
    source: 'PER-02, PER-03; git-config(1)',
    detect: ({ change, before, after }) => {
      if (change.git !== 'config' || change.action === 'deleted') return []
      const place = { gitDir: '', roots: [] }
      const keys = newEntries(before, after).filter((entry) => judgeEntry(entry, place) === 'dangerous')
      return keys.slice(0, 10).map(({ key, value }) => ({ reason: `with git: sets ${key} = ${value ?? 'true'}` }))
    },
  },
  {
    id: 'git-other',
    kind: 'runs',
    source: 'PER-07, TRM-19, TRM-20',
    detect: ({ change }) => {
      if (change.git !== 'other' || change.action === 'deleted') return []
      const inner = (gitPartOf(change.path) ?? gitPartOf(`.git/${change.path}`))?.inner ?? ''
      if (inner === '') return [{ reason: 'with git: says where the repository is' }]
      return /^(?:description|info\/exclude|branches)$/.test(inner)
        ? []
        : [{ reason: `with git: ${inner} changes how the repository is read` }]
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
