// What an engine needs to hold a cell, what is missing, and the command for it. No side effect.
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { nativePath } from '../../host/paths.ts'
import type { Finding } from '../../model/engine.ts'
import type { Dialect } from './dialect.ts'
import { older, openEscapes, type Mended } from './escapes.ts'
import { look, type Found, type Looked } from './look.ts'

const floors = { docker: '20.10.0', podman: '4.3.0' } as const
export async function examine(dialect: Dialect): Promise<readonly Finding[]> {
  return findings(dialect, await look(dialect))
}

/** `missing` in any row means that `launch` can't work. */
export function findings(dialect: Dialect, looked: Looked): readonly Finding[] {
  if (process.platform !== 'linux')
    return [{ id: `${dialect.name}/kernel`, level: 'missing', what: `a cell of ${dialect.title} needs Linux, this is ${process.platform}` }]
  const here = reachable(dialect, looked)
  return looked.kind === 'found' ? [here, ...fit(dialect, looked), ...known(dialect, looked), ...helpers(dialect)] : [here]
}

function reachable({ name, title }: Dialect, looked: Looked): Finding {
  const id = `${name}/program`
  switch (looked.kind) {
    case 'absent':
      return { id, level: 'missing', what: `${title} is not installed`, remedy: install(name) }
    case 'silent':
      if (looked.denied && name === 'docker')
        return {
          id,
          level: 'missing',
          what: `${title} refuses this user (${looked.said})`,
          remedy: `sudo usermod -aG docker ${userInfo().username} && newgrp docker (whoever is in that group is as good as root; Podman needs no group)`,
        }
      return {
        id,
        level: 'missing',
        what: `${title} does not answer: ${looked.said}`,
        remedy: name === 'docker' ? 'sudo systemctl start docker' : 'podman info',
      }
    case 'found':
      return {
        id,
        level: 'ok',
        what: `${title} ${looked.version}${looked.rootless ? ', without root' : ''}, ${looked.runtime.name} ${looked.runtime.version}`.trim(),
      }
  }
}

/** With this system's package manager. */
function install(name: Dialect['name']): string {
  const rights = process.getuid?.() === 0 ? '' : 'sudo '
  const debian = existsSync('/usr/bin/apt-get')
  if (debian) return `${rights}apt-get update && ${rights}apt-get install -y ${name === 'docker' ? 'docker.io' : 'podman uidmap'}`
  return existsSync('/usr/bin/dnf')
    ? `${rights}dnf install -y ${name === 'docker' ? 'moby-engine' : 'podman'}`
    : `Install ${name} with this system's package manager`
}

function fit(dialect: Dialect, found: Found): readonly Finding[] {
  const { name, title } = dialect
  const lacks: Finding[] = []
  const missing = (id: string, what: string, remedy: string): void =>
    void lacks.push({ id: `${name}/${id}`, level: 'missing', what, remedy })
  if (older(found.version, floors[name]))
    missing('version', `${title} ${found.version} is older than ${floors[name]}`, `Install a newer ${title}`)
  if (found.elsewhere !== undefined)
    missing(
      'place',
      `${title} cannot share this machine's sockets and folders: ${found.elsewhere}`,
      'Use an engine that runs on this machine itself',
    )
  if (found.remapped)
    missing(
      'userns-remap',
      `${title} gives containers other user numbers (userns-remap), so that what they write has another owner`,
      `Take userns-remap out of /etc/docker/daemon.json, or use rootless ${title}`,
    )
  if (!found.seccomp) missing('seccomp', `${title} has no syscall filters here`, `Install ${title} with seccomp support`)
  return lacks
}

function known({ name, title }: Dialect, { version, runtime, memory, pids }: Found): readonly Finding[] {
  const runtimes: readonly string[] = ['runc', 'crun'] satisfies readonly Mended[]
  const open = [
    ...openEscapes(name, version).map((entry) => ({ ...entry, of: `${title} ${version}` })),
    ...(runtimes.includes(runtime.name) && runtime.version !== ''
      ? openEscapes(runtime.name as Mended, runtime.version).map((entry) => ({ ...entry, of: `${runtime.name} ${runtime.version}` }))
      : []),
  ]
  return [
    ...open.map(({ of, flaw, mended }): Finding => ({
      id: `${name}/escape`,
      level: 'warning',
      what: `${of} has ${flaw}, mended in ${mended.join(', ')}; a distribution may have mended it in its own package`,
      remedy: 'Install all updates of this system',
    })),
    ...(memory && pids
      ? []
      : [
          {
            id: `${name}/cgroups`,
            level: 'warning',
            what: `${title} has no control groups for memory and processes here, so these limits are not kept`,
            remedy: 'https://rootlesscontaine.rs/getting-started/common/cgroup2/',
          } as const,
        ]),
  ]
}

function helpers({ name }: Dialect): readonly Finding[] {
  const lacking = (['anchorhold-hold', 'anchorhold-init', 'anchorhold-enter', 'anchorhold-bridge'] as const).filter(
    (each) => !existsSync(nativePath(each)),
  )
  if (lacking.length === 0) return []
  return [{ id: `${name}/helpers`, level: 'missing', what: `${lacking.join(', ')} is not built`, remedy: 'npm run build' }]
}
