// What programs of the host would run or obey later, by name, at any depth (design.md 8; attacks.md PER rows marked (a)).
// Git's own folders (config, hooks, worktrees, submodules, bare repositories) are found by their shape, see git-names.ts.
import type { ProtectedName } from './names.ts'

const sealed = (glob: string, kind: ProtectedName['kind'], reason: string): ProtectedName => ({ glob, kind, keep: 'sealed', reason })

const forge = (glob: string, kind: ProtectedName['kind'], reason: string): ProtectedName => ({ ...sealed(glob, kind, reason), where: 'repository' })

export const protectedNames: readonly ProtectedName[] = [
  // Editors (PER-11, PER-12, PER-13): tasks, settings and launchers are read when the folder is opened.
  sealed('.vscode', 'either', 'when the folder is opened in an editor (tasks, settings, launch, MCP servers)'),
  sealed('*.code-workspace', 'file', 'when the workspace is opened in an editor'),
  sealed('.idea', 'either', 'when the folder is opened in a JetBrains editor (run configurations, startup tasks)'),
  sealed('.fleet', 'either', 'when the folder is opened in Fleet'),
  sealed('.zed', 'either', 'when the folder is opened in Zed (tasks, language servers)'),
  sealed('*.sublime-project', 'file', 'when the project is opened in Sublime Text (build systems)'),
  sealed('.nova', 'either', 'when the folder is opened in Nova (tasks)'),
  sealed('.exrc', 'file', 'when vim starts in the folder'),
  sealed('.vimrc', 'file', 'when vim starts in the folder'),
  sealed('.nvimrc', 'file', 'when nvim starts in the folder'),
  sealed('.nvim.lua', 'file', 'when nvim starts in the folder'),
  sealed('.dir-locals.el', 'file', 'when emacs visits a file of the folder'),
  sealed('.dir-locals-2.el', 'file', 'when emacs visits a file of the folder'),
  // Shells and directory hooks (PER-18, PER-27).
  sealed('.envrc', 'file', 'when a shell with direnv enters the folder'),
  sealed('mise.toml', 'file', 'when a shell with mise enters the folder'),
  sealed('.mise.toml', 'file', 'when a shell with mise enters the folder'),
  sealed('mise.local.toml', 'file', 'when a shell with mise enters the folder'),
  sealed('.mise', 'folder', 'when a shell with mise enters the folder'),
  sealed('.autoenv', 'file', 'when a shell with autoenv enters the folder'),
  // A project that is a dotfiles repository is linked into the home folder; elsewhere these names don't occur at the root.
  ...['.bashrc', '.bash_profile', '.bash_login', '.bash_logout', '.bash_aliases', '.profile', '.zshrc', '.zshenv', '.zprofile', '.zlogin', '.zlogout',
    '.kshrc', '.cshrc', '.tcshrc', '.login', '.inputrc', '.tmux.conf', '.screenrc', '.gdbinit', '.lldbinit', '.psqlrc', '.sqliterc', '.irbrc', '.pryrc',
    '.ripgreprc', '.curlrc', '.wgetrc', '.gitconfig', '.xinitrc', '.xprofile', '.xsession', '.xsessionrc', '.Xresources'].map((name) =>
    sealed(`/${name}`, 'file', 'when a shell or tool starts, where the project is a dotfiles repository')),
  sealed('/.config/fish', 'either', 'when a shell starts, where the project is a dotfiles repository'),
  sealed('/.config/git', 'either', 'with every git command, where the project is a dotfiles repository'),
  sealed('/.config/autostart', 'either', 'at login, where the project is a dotfiles repository'),
  sealed('/.config/systemd', 'either', 'at login, where the project is a dotfiles repository'),
  sealed('/.ssh', 'either', 'with every ssh connection, where the project is a home folder'),
  sealed('.gdbinit', 'file', 'when gdb starts in the folder'),
  sealed('.lldbinit', 'file', 'when lldb starts in the folder'),
  // Git hooks kept in the work tree, and what runs on the forge with its secrets (PER-29).
  sealed('.husky', 'either', 'with the next commit or push'),
  sealed('.githooks', 'either', 'with the next commit or push, where core.hooksPath names it'),
  sealed('lefthook.yml', 'file', 'with the next commit or push'),
  sealed('lefthook.yaml', 'file', 'with the next commit or push'),
  sealed('lefthook-local.yml', 'file', 'with the next commit or push'),
  sealed('.lefthook', 'either', 'with the next commit or push'),
  sealed('.lefthook.yml', 'file', 'with the next commit or push'),
  sealed('.lefthook.yaml', 'file', 'with the next commit or push'),
  forge('.pre-commit-config.yaml', 'file', 'with the next commit or push'),
  forge('.pre-commit-config.yml', 'file', 'with the next commit or push'),
  forge('.pre-commit-hooks.yaml', 'file', 'with the next commit or push'),
  forge('.overcommit.yml', 'file', 'with the next commit or push'),
  forge('.github/workflows', 'either', 'on the forge after the next push, with its secrets'),
  forge('.github/actions', 'either', 'on the forge after the next push, with its secrets'),
  forge('.gitea/workflows', 'either', 'on the forge after the next push, with its secrets'),
  forge('.forgejo/workflows', 'either', 'on the forge after the next push, with its secrets'),
  forge('.gitlab-ci.yml', 'file', 'on the forge after the next push, with its secrets'),
  forge('.circleci', 'either', 'in continuous integration after the next push, with its secrets'),
  forge('.buildkite', 'either', 'in continuous integration after the next push, with its secrets'),
  forge('.travis.yml', 'file', 'in continuous integration after the next push, with its secrets'),
  forge('azure-pipelines.yml', 'file', 'in continuous integration after the next push, with its secrets'),
  forge('bitbucket-pipelines.yml', 'file', 'in continuous integration after the next push, with its secrets'),
  forge('Jenkinsfile', 'file', 'in continuous integration after the next push, with its secrets'),
  forge('.drone.yml', 'file', 'in continuous integration after the next push, with its secrets'),
  forge('.woodpecker.yml', 'file', 'in continuous integration after the next push, with its secrets'),
  forge('.woodpecker', 'either', 'in continuous integration after the next push, with its secrets'),
  // Agents: settings, hooks, commands and tool servers are obeyed by the next start on the bare host (PER-15, PER-16; CVE-2026-25725, CVE-2025-54135).
  sealed('.claude/settings*.json', 'file', 'when Claude Code starts in the folder (hooks, permissions, environment)'),
  ...['hooks', 'commands', 'agents', 'skills', 'plugins', 'output-styles'].map((name) => sealed(`.claude/${name}`, 'either', 'when Claude Code works in the folder')),
  sealed('.claude-plugin', 'either', 'when Claude Code loads the folder as a plugin'),
  sealed('.mcp.json', 'file', 'when an agent starts in the folder (it starts the servers named there)'),
  sealed('mcp.json', 'file', 'when an agent starts in the folder (it starts the servers named there)'),
  ...['.cursor', '.codex', '.gemini', '.kiro', '.windsurf', '.amazonq', '.opencode', '.continue', '.roo', '.cline', '.crush', '.qwen', '.augment'].map((name) =>
    sealed(name, 'either', 'when an agent starts in the folder')),
  sealed('opencode.json', 'file', 'when OpenCode starts in the folder'),
  sealed('opencode.jsonc', 'file', 'when OpenCode starts in the folder'),
  sealed('crush.json', 'file', 'when Crush starts in the folder'),
  sealed('.crush.json', 'file', 'when Crush starts in the folder'),
  sealed('.aider.conf.yml', 'file', 'when aider starts in the folder'),
  // Containers for development: initializeCommand runs on the host (PER-14).
  sealed('.devcontainer', 'either', 'when the folder is opened in a development container (initializeCommand runs on the host)'),
  sealed('.devcontainer.json', 'file', 'when the folder is opened in a development container (initializeCommand runs on the host)'),
  // Other version control (PER-10).
  sealed('.hg/hgrc', 'file', 'with every Mercurial command (hooks, extensions)'),
  sealed('.hg/hgrc-not-shared', 'file', 'with every Mercurial command (hooks, extensions)'),
  sealed('.jj/repo/config.toml', 'file', 'with every Jujutsu command'),
  sealed('.jj/workspace-config.toml', 'file', 'with every Jujutsu command'),
  sealed('.sl/config', 'file', 'with every Sapling command'),
  sealed('.bzr/branch/branch.conf', 'file', 'with every Bazaar command'),
  // anchorhold's own: the next run would read it.
  sealed('anchorhold.yaml', 'file', 'with the next anchorhold run (it is this wall)'),
  sealed('anchorhold.yml', 'file', 'with the next anchorhold run (it is this wall)'),
  // No code in it, but the next `git submodule update` on the host obeys it: what it says is read (PER-08; CVE-2018-17456, CVE-2024-32002, CVE-2025-48384).
  { glob: '.gitmodules', kind: 'either', keep: 'judged', reason: 'with the next git submodule command' },
]
