// What differs between the command lines of container engines, as data. Everything else in this folder is the same for each.
import type { ContainerProgram } from '../../model/image.ts'

export interface Dialect {
  readonly name: ContainerProgram['name']
  readonly title: string
  /** After `run`, of every container. */
  readonly common: readonly string[]
  readonly holder: readonly string[]
  readonly cell: readonly string[]
  /** Where the engine runs without root: how the cell's user is said, and which number that is inside. */
  readonly rootless: { readonly options: readonly string[]; readonly user: 'own' | 'root' }
  /** Whether it asks for more open files and processes than the caller may have, unless told otherwise. */
  readonly asksForMore: boolean
  /** Options of a memory file system: of each, and for one that belongs to the container's user. */
  readonly tmpfs: { readonly each: string; readonly owned: (uid: number, gid: number) => string }
  /** Whether volumes that an image declares have to be laid over, one by one. */
  readonly volumes: 'cover' | 'ignored'
  /** Its command lines that say what engine that is. */
  readonly info: readonly string[]
}

export const docker: Dialect = {
  name: 'docker',
  title: 'Docker',
  common: ['--rm', '--pull', 'never', '--log-driver', 'none', '--no-healthcheck'],
  // A new namespace without a network has IPv6 switched off there.
  holder: ['all', 'default', 'lo'].flatMap((name) => ['--sysctl', `net.ipv6.conf.${name}.disable_ipv6=0`]),
  // Keys that would leave the cell running behind its terminal: nobody types these.
  cell: ['--detach-keys=ctrl-^,ctrl-_,ctrl-^,ctrl-_,ctrl-^,ctrl-_'],
  rootless: { options: [], user: 'root' },
  asksForMore: false,
  tmpfs: { each: '', owned: (uid, gid) => `,uid=${uid},gid=${gid}` },
  volumes: 'cover',
  info: ['info', '--format', '{{json .}}'],
}

export const podman: Dialect = {
  name: 'podman',
  title: 'Podman',
  common: [
    '--rm',
    '--pull',
    'never',
    '--log-driver',
    'none',
    '--no-healthcheck',
    '--http-proxy=false',
    '--image-volume',
    'ignore',
    '--read-only-tmpfs=false',
    '--systemd',
    'false',
  ],
  holder: ['--sysctl', 'net.ipv4.ip_unprivileged_port_start=0'],
  cell: ['--detach-keys='],
  rootless: { options: ['--userns', 'keep-id'], user: 'own' },
  asksForMore: true,
  // Nothing of the image's is copied into it.
  tmpfs: { each: ',notmpcopyup', owned: () => ',U' },
  volumes: 'ignored',
  info: ['info', '--format', 'json'],
}
