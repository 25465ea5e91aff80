// What an engine says of itself, in one question; docker's and podman's answers as the same facts. Neighbours: facts.ts, examine.ts.
import { existsSync } from 'node:fs'
import { callerEnv } from '../../host/caller-env.ts'
import { systemPath } from '../../host/process.ts'
import { ask, containerProgram, lastSentence } from '../../images/program.ts'
import type { ContainerProgram } from '../../model/image.ts'
import type { Dialect } from './dialect.ts'

export interface Found {
  readonly kind: 'found'
  readonly version: string
  readonly rootless: boolean
  /** Why the cell's socket and folders can't be shared with it; absent where they can. */
  readonly elsewhere?: string
  /** User numbers are other ones inside than outside. */
  readonly remapped: boolean
  readonly seccomp: boolean
  readonly runtime: { readonly name: string; readonly version: string }
  readonly memory: boolean
  readonly pids: boolean
  readonly cpu: boolean
  /** How its command line is told to show a folder without what is mounted below it. */
  readonly alone: string
}
export type Looked = Found | { readonly kind: 'absent' } | { readonly kind: 'silent'; readonly said: string; readonly denied: boolean }

/** The program where the system has it; never one from a project or the caller's PATH (attacks.md PER-31). */
export function findProgram(name: string): string | undefined {
  return systemPath
    .split(':')
    .map((folder) => `${folder}/${name}`)
    .find((file) => existsSync(file))
}

/** As this user has it set up. */
export function programOf({ name }: Dialect): ContainerProgram {
  return containerProgram(name, callerEnv(process.env))
}

export async function look(dialect: Dialect): Promise<Looked> {
  if (findProgram(dialect.name) === undefined) return { kind: 'absent' }
  const answer = await ask(programOf(dialect), dialect.info)
  const said = lastSentence(answer.stderr)
  const silent = { kind: 'silent', said, denied: /permission denied/i.test(answer.stderr) } as const
  if (answer.code !== 0) return silent
  const info = record(JSON.parse(answer.stdout))
  return dialect.name === 'docker' ? readDocker(info, silent) : readPodman(info)
}

function readDocker(info: Fields, silent: Looked): Looked {
  // The command line answers for itself where the daemon doesn't.
  if (typeof info['ServerVersion'] !== 'string' || info['ServerVersion'] === '') return silent
  const security = texts(info['SecurityOptions'])
  const has = (name: string): boolean => security.some((entry) => entry.split(',').includes(`name=${name}`))
  const host = process.env['DOCKER_HOST'] ?? ''
  const elsewhere = text(info['OperatingSystem']).includes('Docker Desktop')
    ? 'Docker Desktop runs it in a machine of its own'
    : /^(?:tcp|ssh|https?):/.test(host)
      ? `DOCKER_HOST is ${host.slice(0, host.indexOf(':'))}, another machine`
      : text(info['OSType']) === 'linux'
        ? undefined
        : `it runs ${text(info['OSType'])}`
  return {
    kind: 'found',
    version: info['ServerVersion'],
    rootless: has('rootless'),
    ...(elsewhere === undefined ? {} : { elsewhere }),
    remapped: has('userns'),
    seccomp: has('seccomp'),
    runtime: { name: text(info['DefaultRuntime']), version: text(record(info['RuncCommit'])['ID']) },
    memory: info['MemoryLimit'] === true,
    pids: info['PidsLimit'] === true,
    cpu: info['CpuCfsQuota'] === true,
    alone: Number.parseInt(text(record(info['ClientInfo'])['Version']), 10) >= 25 ? 'bind-recursive=disabled' : 'bind-nonrecursive=true',
  }
}

function readPodman(info: Fields): Found {
  const host = record(info['host'])
  const security = record(host['security'])
  const runtime = record(host['ociRuntime'])
  const rootless = security['rootless'] === true
  const controllers = texts(host['cgroupControllers'])
  // Without root only version 2 delegates; as root all of version 1 is there.
  const has = (name: string): boolean => controllers.includes(name) || (!rootless && text(host['cgroupVersion']) === 'v1')
  return {
    kind: 'found',
    version: text(record(info['version'])['Version']),
    rootless,
    ...(host['serviceIsRemote'] === true ? { elsewhere: 'its machine is another one' } : {}),
    remapped: false,
    seccomp: security['seccompEnabled'] === true,
    runtime: { name: text(runtime['name']), version: /(?:runc|crun) version (\S+)/.exec(text(runtime['version']))?.[1] ?? '' },
    memory: has('memory'),
    pids: has('pids'),
    cpu: has('cpu'),
    alone: 'bind-nonrecursive=true',
  }
}

type Fields = Readonly<Record<string, unknown>>
export function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text) : []
}
