// What of this machine bubblewrap needs, and what to do where it is missing. No side effect.
import { existsSync } from 'node:fs'
import { access, constants, readFile } from 'node:fs/promises'
import os from 'node:os'
import type { Finding } from '../../model/engine.ts'
import { nativePath } from '../../host/paths.ts'
import { capture } from '../../host/process.ts'
import { findBubblewrap } from './facts.ts'
import { appArmorProfile, appArmorProfilePath } from './apparmor.ts'

const floor = { kernel: [5, 14], bubblewrap: [0, 8, 0] } as const

const managers = [
  ['apt-get', 'apt-get update', 'apt-get install -y bubblewrap'],
  ['dnf', 'dnf install -y bubblewrap'],
  ['pacman', 'pacman -S --noconfirm --needed bubblewrap'],
  ['zypper', 'zypper --non-interactive install bubblewrap'],
  ['apk', 'apk add bubblewrap'],
] as const

/** `missing` in any row means that `launch` can't work. */
export async function examine(): Promise<readonly Finding[]> {
  const rows = await Promise.all([kernel(), bubblewrap(), helpers(), namespaces()])
  return rows.flat()
}

async function kernel(): Promise<readonly Finding[]> {
  const release = os.release()
  if (process.platform !== 'linux')
    return [{ id: 'bubblewrap/kernel', level: 'missing', what: `bubblewrap needs Linux, this is ${process.platform}` }]
  if (atLeast(release, floor.kernel)) return [{ id: 'bubblewrap/kernel', level: 'ok', what: `Linux ${release}` }]
  return [
    {
      id: 'bubblewrap/kernel',
      level: 'missing',
      what: `Linux ${release} is older than 5.14, the first whose process limit counts per user namespace`,
      remedy: 'Install a newer kernel of your distribution and restart',
    },
  ]
}

async function bubblewrap(): Promise<readonly Finding[]> {
  const id = 'bubblewrap/program'
  const install = howToInstall()
  const file = findBubblewrap()
  if (file === undefined) return [{ id, level: 'missing', what: 'bubblewrap is not installed', ...install }]
  const { stdout, code, stderr } = await capture([file, '--version'])
  if (code !== 0) return [{ id, level: 'missing', what: `${file} does not start: ${stderr.trim()}`, ...install }]
  const version = /(\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? ''
  if (atLeast(version, floor.bubblewrap)) return [{ id, level: 'ok', what: `bubblewrap ${version} (${file})` }]
  return [{ id, level: 'missing', what: `bubblewrap ${version} is older than 0.8.0, the first with --disable-userns`, ...install }]
}

/** With this system's package manager; a fresh Debian has no package lists yet. */
function howToInstall(): Pick<Finding, 'remedy' | 'fix'> {
  const known = managers.find(([program]) => existsSync(`/usr/bin/${program}`) || existsSync(`/sbin/${program}`))
  if (known === undefined) return { remedy: "Install bubblewrap with this system's package manager" }
  const [, ...commands] = known
  const rights = process.getuid?.() === 0 ? [] : ['sudo']
  const remedy = commands.map((command) => [...rights, command].join(' ')).join(' && ')
  return { remedy, fix: [...rights, 'sh', '-c', commands.join(' && ')] }
}

async function helpers(): Promise<readonly Finding[]> {
  const names = ['anchorhold-cell', 'anchorhold-enter'] as const
  return Promise.all(
    names.map(async (name): Promise<Finding> => {
      const id = `bubblewrap/${name}`
      const works = await access(nativePath(name), constants.X_OK).then(
        () => true,
        () => false,
      )
      if (works) return { id, level: 'ok', what: `${nativePath(name)} is built` }
      return { id, level: 'missing', what: `${nativePath(name)} is not built`, remedy: 'npm run build' }
    }),
  )
}

/** Tries it: settings alone don't tell what a container or a security module refuses. */
async function namespaces(): Promise<readonly Finding[]> {
  const id = 'bubblewrap/user-namespaces'
  const file = findBubblewrap()
  if (file === undefined) return []
  const { code, stderr } = await capture([nativePath('anchorhold-cell'), '--check', file])
  if (code === 0) return [{ id, level: 'ok', what: 'user and network namespaces can be made' }]
  const why = stderr.trim()
  if ((await setting('kernel/apparmor_restrict_unprivileged_userns')) === '1') {
    return [
      {
        id,
        level: 'missing',
        what: `AppArmor keeps user namespaces from programs without a profile (${why})`,
        remedy: `Write this to ${appArmorProfilePath}, then run: sudo apparmor_parser -r ${appArmorProfilePath}\n${appArmorProfile(nativePath('anchorhold-cell'))}`,
      },
    ]
  }
  if ((await setting('kernel/unprivileged_userns_clone')) === '0') {
    return [
      {
        id,
        level: 'missing',
        what: 'user namespaces are switched off for ordinary users',
        remedy: 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
        fix: ['sysctl', '-w', 'kernel.unprivileged_userns_clone=1'],
      },
    ]
  }
  if ((await setting('user/max_user_namespaces')) === '0') {
    return [
      {
        id,
        level: 'missing',
        what: 'the number of user namespaces is limited to 0',
        remedy: 'sudo sysctl -w user.max_user_namespaces=15000',
        fix: ['sysctl', '-w', 'user.max_user_namespaces=15000'],
      },
    ]
  }
  return [
    {
      id,
      level: 'missing',
      what: `user namespaces are refused here: ${why}`,
      remedy:
        'In a container, start it with --security-opt seccomp=unconfined or use a machine where user namespaces are allowed (the kernel refuses them in every chroot; systemd-nspawn works)',
    },
  ]
}

function setting(name: string): Promise<string | undefined> {
  return readFile(`/proc/sys/${name}`, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  )
}

function atLeast(version: string, lowest: readonly number[]): boolean {
  const parts = version.split(/[.-]/).map(Number)
  for (const [index, low] of lowest.entries()) {
    const part = parts[index] ?? 0
    if (Number.isNaN(part) || part < low) return false
    if (part > low) return true
  }
  return true
}
