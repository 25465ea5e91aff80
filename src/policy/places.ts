// Data for project.ts: folders of the host that are never one project, each with its reason.

/** Folders refused themselves; a project may lie in them. */
const tooWide: ReadonlySet<string> = new Set([
  '/home',
  '/root',
  '/tmp',
  '/var',
  '/var/tmp',
  '/var/www',
  '/opt',
  '/srv',
  '/mnt',
  '/media',
  '/run',
  '/run/user',
  '/dev/shm',
  '/usr/src',
  '/usr/local/src',
  '/Users',
  '/Volumes',
  '/private',
  '/private/tmp',
  '/private/var',
  '/Applications',
  '/Library',
  '/System',
  '/nix',
  '/snap',
])

/** Folders refused with everything below, but for what `except` names. */
const system: readonly { readonly folder: string; readonly except?: readonly string[] }[] = [
  { folder: '/usr', except: ['/usr/src', '/usr/local/src'] },
  { folder: '/etc' },
  { folder: '/bin' },
  { folder: '/sbin' },
  { folder: '/lib' },
  { folder: '/lib32' },
  { folder: '/lib64' },
  { folder: '/libx32' },
  { folder: '/boot' },
  { folder: '/proc' },
  { folder: '/sys' },
  { folder: '/dev', except: ['/dev/shm'] },
  { folder: '/lost+found' },
  { folder: '/nix/store' },
  ...['lib', 'log', 'cache', 'spool', 'run', 'mail', 'backups', 'db', 'lock', 'opt'].map((name) => ({ folder: `/var/${name}` })),
]

/** Why a canonical path is a system folder, or undefined. */
export function systemReason(folder: string): string | undefined {
  if (folder === '/') return 'it is the whole file system'
  if (tooWide.has(folder)) return `${folder} holds more than one project`
  const below = (outer: string) => folder === outer || folder.startsWith(`${outer}/`)
  for (const { folder: outer, except = [] } of system) {
    if (below(outer) && !except.some(below)) return `${outer} belongs to the system`
  }
  // Sockets of every service lie in /run; only a folder of a user's own below /run/user/UID could be a project.
  if (below('/run') && !/^\/run\/user\/\d+\/[^/]+/.test(folder)) return '/run holds the sockets of the system'
  if (/^\/run\/user\/\d+\/(bus|systemd|dbus-1|keyring|gnupg|docker|podman|containerd|pulse|pipewire|wayland)/.test(folder))
    return 'it belongs to a service'
  return undefined
}

/** Names directly below home that hold credentials, or settings and programs the host obeys. */
export const credentialFolders: ReadonlySet<string> = new Set([
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.gcloud',
  '.oci',
  '.kube',
  '.docker',
  '.config',
  '.local',
  '.cache',
  '.password-store',
  '.pki',
  '.vault-token',
  '.mozilla',
  '.thunderbird',
  '.claude',
  '.claude.json',
  '.codex',
  '.gemini',
  '.cursor',
  '.windsurf',
  '.kiro',
  '.aider',
  '.copilot',
  '.continue',
  '.netrc',
  '.npmrc',
  '.pypirc',
  '.pgpass',
  '.my.cnf',
  '.git-credentials',
  '.gitconfig',
  '.npm',
  '.yarn',
  '.pnpm-store',
  '.cargo',
  '.rustup',
  '.gem',
  '.m2',
  '.gradle',
  '.ivy2',
  '.sbt',
  '.nvm',
  '.volta',
  '.bun',
  '.deno',
  '.pyenv',
  '.rbenv',
  '.asdf',
  '.vscode',
  '.vscode-server',
  '.vim',
  '.emacs.d',
  '.oh-my-zsh',
  '.bashrc',
  '.bash_profile',
  '.bash_login',
  '.bash_history',
  '.profile',
  '.zshrc',
  '.zshenv',
  '.zprofile',
  '.zsh_history',
  '.inputrc',
  '.terraform.d',
  '.ansible',
  '.chef',
  '.subversion',
  '.wine',
  '.steam',
  '.var',
  '.snap',
  '.gnome',
  '.kde',
  '.fly',
  '.heroku',
  '.railway',
  '.databricks',
])

/** Folders below home that hold only what was downloaded: a mount may name them or what lies in them (`.cache`: only what lies in it). */
export const mountableCaches: readonly string[] = [
  '.cache',
  '.cargo/registry',
  '.cargo/git',
  '.m2/repository',
  '.gradle/caches',
  '.npm/_cacache',
  '.pnpm-store',
  '.rustup/toolchains',
  '.nvm/versions',
]
