// The three containers of an exported project, as data that a compose file and a script are printed from. Pure. The holder gives its network to the
// cell and has nothing else; the gateway has a way out and nothing of the cell but the listeners; the cell has no right over its network.
import type { Cover, Mount } from '../model/plan.ts'
import type { ExportedCell } from './cell.ts'
import { places } from './orders.ts'

export interface Service {
  readonly name: 'gateway' | 'holder' | 'cell'
  readonly image: string
  /** Folder with its Dockerfile, below the export. */
  readonly build: 'gateway' | 'cell'
  readonly entrypoint: readonly [string, ...string[]]
  readonly command: readonly string[]
  readonly user: string
  /** `service:holder`: that container's. */
  readonly network: string
  readonly capAdd: readonly string[]
  readonly sysctls: Readonly<Record<string, string>>
  readonly init: boolean
  readonly tmpfs: readonly string[]
  /** `from`: absolute, or below the export (`./policy.json`). */
  readonly binds: readonly { readonly from: string; readonly to: string; readonly mode: 'ro' | 'rw' }[]
  readonly volumes: readonly { readonly name: string; readonly to: string }[]
  /** Undefined: the value is the starter's own variable of that name. */
  readonly environment: readonly (readonly [name: string, value: string | undefined])[]
  /** File below the export. */
  readonly seccomp?: string
  readonly pids: number
  readonly memory?: number
  readonly cpus?: number
  readonly ulimits: Readonly<Record<string, number>>
  readonly shmBytes?: number
  readonly workdir?: string
  /** Tells that it is ready. */
  readonly health?: readonly string[]
  readonly after: readonly Service['name'][]
}

/** A file below the export. */
export interface MadeFile {
  readonly path: string
  readonly content: string
  readonly mode: number
}

export interface Services {
  readonly services: readonly Service[]
  readonly files: readonly MadeFile[]
}

export interface ServicesInput {
  readonly cell: ExportedCell
  /** Tags of the two images. */
  readonly images: { readonly gateway: string; readonly cell: string }
  /** The network that the gateway goes out by. */
  readonly network: string
}

export const seccompFile = 'seccomp.json'
const door = { name: 'door', to: '/run/anchorhold' } as const
const bare = { capAdd: [], sysctls: {}, init: false, tmpfs: [], binds: [], volumes: [], environment: [], ulimits: {} } as const

export function servicesOf({ cell, images, network }: ServicesInput): Services {
  const { identity, limits, orders, listeners } = cell
  const user = `${identity.uid}:${identity.gid}`
  const lend = `${places.program}/lend`
  const gateway: Service = {
    ...bare,
    name: 'gateway',
    image: images.gateway,
    build: 'gateway',
    entrypoint: [lend],
    command: ['take', places.door, `${places.program}/node`, `${places.program}/gateway.cjs`],
    user,
    network,
    tmpfs: ['/tmp:rw,nosuid,nodev,noexec,size=16777216,mode=1777'],
    binds: [
      { from: './gateway.json', to: places.orders, mode: 'ro' },
      { from: './state', to: places.state, mode: 'rw' },
    ],
    volumes: [door],
    environment: orders.secrets.map(({ rule }) => [rule.name, undefined]),
    pids: 128,
    health: ['test', '-e', places.ready],
    after: [],
  }
  const holder: Service = {
    ...bare,
    name: 'holder',
    image: images.gateway,
    build: 'gateway',
    entrypoint: [lend],
    command: ['hold', places.door, ...listeners.map(({ kind, address, port }) => `${kind[0]}:${address}:${port}`)],
    user: '0:0',
    network: 'none',
    capAdd: ['NET_ADMIN', 'NET_BIND_SERVICE'],
    sysctls: Object.fromEntries(['all', 'default', 'lo'].map((name) => [`net.ipv6.conf.${name}.disable_ipv6`, '0'])),
    volumes: [door],
    pids: 8,
    after: ['gateway'],
  }
  const { binds, tmpfs, shm, files } = laidOut(cell)
  return {
    services: [
      gateway,
      holder,
      {
        ...bare,
        name: 'cell',
        image: images.cell,
        build: 'cell',
        entrypoint: ['/usr/bin/env'],
        command: cell.argv,
        user,
        network: 'service:holder',
        init: true,
        tmpfs,
        binds,
        environment: Object.entries(cell.env),
        seccomp: seccompFile,
        pids: limits.processes ?? -1,
        ...(limits.memory === undefined ? {} : { memory: limits.memory }),
        ...(limits.cpus === undefined ? {} : { cpus: limits.cpus }),
        ulimits: {
          // With a limit of 0 a crash would still be handed to the host's program (core(5)).
          core: 1,
          ...(limits.openFiles === undefined ? {} : { nofile: limits.openFiles }),
          ...(limits.fileSize === undefined ? {} : { fsize: limits.fileSize }),
        },
        ...(shm === undefined ? {} : { shmBytes: shm }),
        workdir: cell.project,
        after: ['gateway', 'holder'],
      },
    ],
    files,
  }
}

function laidOut({ mounts, covers, identity }: ExportedCell): {
  readonly binds: Service['binds']
  readonly tmpfs: readonly string[]
  readonly shm: number | undefined
  readonly files: readonly MadeFile[]
} {
  const files: MadeFile[] = []
  const made = (content: string): string => {
    const known = files.find((file) => file.content === content && file.path.startsWith('files/'))
    const file = known ?? { path: `files/${files.length}`, content, mode: 0o644 }
    if (known === undefined) files.push(file)
    return `./${file.path}`
  }
  const bindOf = (mount: Mount): Service['binds'] => {
    if (mount.kind === 'bind') return [{ from: mount.from, to: mount.to, mode: mount.mode }]
    return mount.kind === 'file' ? [{ from: made(mount.content), to: mount.to, mode: 'ro' }] : []
  }
  const coverOf = (cover: Cover): Service['binds'][number] => {
    // A configuration that git could write to has no twin in a container.
    if (cover.kind !== 'empty') return { from: cover.path, to: cover.path, mode: 'ro' }
    return { from: cover.what === 'file' ? made('') : './files/empty', to: cover.path, mode: 'ro' }
  }
  const tmpfs = mounts.flatMap((mount) => (mount.kind === 'tmpfs' ? [mount] : []))
  const owner = (mode: number): string => (mode === 0o1777 ? '' : `,uid=${identity.uid},gid=${identity.gid}`)
  return {
    binds: [
      { from: './home', to: identity.home, mode: 'rw' },
      { from: './state/ca-certificates.crt', to: places.system, mode: 'ro' },
      ...mounts.flatMap(bindOf),
      ...covers.map(coverOf),
    ],
    tmpfs: tmpfs
      .filter(({ to }) => to !== '/dev/shm')
      .map(({ to, bytes, mode }) => `${to}:rw,nosuid,nodev,exec,size=${bytes},mode=${mode.toString(8)}${owner(mode)}`),
    shm: tmpfs.find(({ to }) => to === '/dev/shm')?.bytes,
    files,
  }
}
