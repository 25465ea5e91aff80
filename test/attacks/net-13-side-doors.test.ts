// NET-13, 14, 15, 16, 17, 28; SEC-01, 21, 23, 27: daemons, buses, agents, displays, editors and credentials of the host, by variable, by place, by program.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell, makeWorld, start } from '../support/anchorhold.ts'
import { awake, nonce, tcpWitness } from './witnesses.ts'

/** What a host's environment holds; each value carries the test's canary. */
const variables = [
  'SSH_AUTH_SOCK',
  'SSH_AGENT_PID',
  'GPG_AGENT_INFO',
  'DBUS_SESSION_BUS_ADDRESS',
  'DBUS_SYSTEM_BUS_ADDRESS',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'PULSE_SERVER',
  'PIPEWIRE_REMOTE',
  'SESSION_MANAGER',
  'GNOME_KEYRING_CONTROL',
  'VSCODE_IPC_HOOK_CLI',
  'VSCODE_GIT_IPC_HANDLE',
  'VSCODE_GIT_ASKPASS_MAIN',
  'GIT_ASKPASS',
  'SSH_ASKPASS',
  'TMUX',
  'STY',
  'KITTY_LISTEN_ON',
  'EMACS_SOCKET_NAME',
  'CLAUDE_CODE_SSE_PORT',
  'CLAUDE_CODE_IDE_HOST_OVERRIDE',
  'DOCKER_HOST',
  'CONTAINER_HOST',
  'PODMAN_HOST',
  'BUILDKIT_HOST',
  'LIBVIRT_DEFAULT_URI',
  'KUBECONFIG',
  'NOTIFY_SOCKET',
  'LISTEN_FDS',
  'INVOCATION_ID',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'http_proxy',
  'https_proxy',
  'ALL_PROXY',
  'GITHUB_TOKEN',
  'GH_TOKEN',
  'NPM_TOKEN',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'OPENAI_API_KEY',
  'DATABASE_URL',
  'VAULT_TOKEN',
  'PGPASSWORD',
  'OP_SERVICE_ACCOUNT_TOKEN',
  'ANTHROPIC_BASE_URL',
  'OPENAI_BASE_URL',
] as const

it('NET-13 NET-14 NET-15 NET-16 NET-17 NET-28 SEC-01 no variable of the host is inside, by name or by value, in any process', async () => {
  const world = makeWorld()
  const canary = `canary${nonce()}`
  const env = Object.fromEntries(
    variables.map((name) => [name, name.toUpperCase().endsWith('_PROXY') ? `http://user:${canary}@127.0.0.1:9` : `/tmp/${canary}`]),
  )
  const { stdout } = await inCell(
    world,
    'env; for f in /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/auxv; do tr "\\0" "\\n" < $f; done 2>/dev/null; declare -x; ps auxeww 2>/dev/null; :',
    ['--env', 'CONTROL=yes'],
    { env },
  )
  expect(stdout).toContain('CONTROL=yes')
  expect(stdout).not.toContain(canary)
  expect(variables.filter((name) => new RegExp(`^${name}=`, 'm').test(stdout))).toEqual([])
})

it('NET-13 NET-14 NET-15 NET-16 NET-17 the places of sockets are empty: /run, /tmp, /var, the home', async () => {
  const world = makeWorld()
  for (const folder of [
    '.gnupg',
    '.docker/run',
    '.colima/default',
    '.1password',
    '.ssh',
    '.claude/ide',
    '.local/share/containers/podman/machine',
  ])
    mkdirSync(path.join(world.home, folder), { recursive: true })
  const seen = await Promise.all(
    ['.gnupg/S.gpg-agent', '.docker/run/docker.sock', '.colima/default/docker.sock', '.1password/agent.sock'].map((name) =>
      tcpWitness(path.join(world.home, name)),
    ),
  )
  writeFileSync(path.join(world.home, '.claude/ide/4242.lock'), '{"authToken":"x"}')
  const { stdout } = await inCell(
    world,
    `find / -xdev -type s 2>/dev/null; for d in / /run /var /tmp /dev/shm /proc/1/root/run "$HOME" ${world.home}; do find "$d" -maxdepth 4 -type s 2>/dev/null; done
    ls -d /var/run/docker.sock /run/docker* /run/podman /run/containerd /run/crio /run/buildkit /var/run/libvirt /var/lib/lxd /run/snapd* /nix/var/nix/daemon-socket /run/dbus /run/systemd /run/user/*/* /tmp/.X11-unix /tmp/tmux-* /tmp/vscode* \\
      /run/pcscd /dev/tpm* /dev/snd /dev/dri /dev/input /dev/kvm /dev/vsock /dev/vhost-vsock /dev/fuse /dev/net ${world.home}/.* 2>/dev/null; echo end`,
  )
  expect(stdout.replace(`${world.home}/.\n${world.home}/..\n`, '').replaceAll(new RegExp(`^${world.home}/\\.{1,2}\n`, 'gm'), '')).toBe(
    'end\n',
  )
  expect(seen.map((witness) => witness.hits())).toEqual([0, 0, 0, 0])
  await awake(seen[0] ?? expect.fail(), { path: path.join(world.home, '.gnupg/S.gpg-agent') })
})

it('NET-13 NET-14 NET-15 NET-16 SEC-23 SEC-27 the programs that ask for them obtain nothing', async () => {
  const world = makeWorld()
  const canary = `canary${nonce()}`
  const files = [
    '.git-credentials',
    '.netrc',
    '.npmrc',
    '.pypirc',
    '.aws/credentials',
    '.config/gh/hosts.yml',
    '.config/gcloud/credentials.db',
    '.docker/config.json',
    '.claude/.credentials.json',
    '.codex/auth.json',
    '.ssh/id_ed25519',
    '.kube/config',
    '.password-store/x.gpg',
  ]
  for (const file of files) {
    mkdirSync(path.dirname(path.join(world.home, file)), { recursive: true })
    writeFileSync(path.join(world.home, file), `https://user:${canary}@host.test machine x password ${canary}`)
  }
  const script = `
    printf 'protocol=https\\nhost=host.test\\n\\n' | GIT_TERMINAL_PROMPT=0 git credential fill; printf 'protocol=https\\nhost=host.test\\n\\n' | git -c credential.helper=store credential fill </dev/null
    for c in 'gh auth token' 'aws configure export-credentials' 'gcloud auth print-access-token' 'secret-tool search --all a b' 'pass show x' 'ssh-add -l' 'gpg -K' 'docker ps' 'podman --remote ps' 'systemctl --user list-units'
      'systemd-run --user true' 'busctl list' 'dbus-send --session --print-reply --dest=org.freedesktop.DBus / x.y' 'xclip -o' 'wl-paste' 'tmux ls' 'code --wait x' 'kubectl config view --raw' 'virsh list' 'loginctl' 'snap list' 'nix store ping' 'npm whoami'; do timeout 5 $c; done
    cat $HOME/.claude/.credentials.json $HOME/.git-credentials $HOME/.ssh/* ~root/.ssh/* ${files.map((file) => `'${world.home}/${file}'`).join(' ')} ; grep -ra ${canary} / --include='*' -l --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr -s; echo end`
  const shell = script.replaceAll(/for c in ([\s\S]*?); do/g, (_all, list: string) => `for c in ${list.replaceAll('\n', ' ')}; do`)
  const { stdout, stderr } = await inCell(world, shell)
  expect(stdout).toMatch(/end\n$/)
  expect(stdout + stderr).not.toContain(canary)
  expect(stdout).not.toMatch(/CONTAINER ID|unique name|UNIT +LOAD|^password=/m)
})

it('SEC-21 nothing that is passed to the cell by name stands in an argument list or a stranger’s environment on the host', async () => {
  const world = makeWorld()
  const canary = `canary${nonce()}`
  const { outcome } = start(
    world,
    [
      'run',
      '--env',
      'HANDED',
      '--',
      'sh',
      '-c',
      'test "$HANDED" && : > up; i=0; while [ ! -e seen ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done',
    ],
    { env: { HANDED: canary } },
  )
  await expect.poll(() => readdirSync(world.project), { timeout: 20_000 }).toContain('up')
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => read(`/proc/${pid}/cmdline`))
  writeFileSync(path.join(world.project, 'seen'), '')
  expect(lines.some((line) => line.includes('anchorhold-cell'))).toBe(true)
  expect(lines.filter((line) => line.includes(canary))).toEqual([])
  expect((await outcome).code).toBe(0)
})

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error) return '' // it ended meanwhile
    throw error
  }
}
