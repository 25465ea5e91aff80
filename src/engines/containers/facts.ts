// What compile needs to know of this engine, this image and this machine, looked up once per run.
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { isatty } from 'node:tty'
import { Failure } from '../../errors/failure.ts'
import { callerEnv } from '../../host/caller-env.ts'
import { nativePath } from '../../host/paths.ts'
import { mustAsk } from '../../images/program.ts'
import type { EngineFacts, GroundInput } from '../../model/engine.ts'
import type { Image } from '../../model/image.ts'
import type { Dialect } from './dialect.ts'
import { findings } from './examine.ts'
import { findProgram, look, programOf, record } from './look.ts'

/** Asks nobody. */
export function ownFacts({ name }: Dialect): EngineFacts {
  return {
    program: findProgram(name) ?? `/usr/bin/${name}`,
    hold: nativePath('anchorhold-hold'),
    init: nativePath('anchorhold-init'),
    enter: nativePath('anchorhold-enter'),
    files: filesFolder(),
    arch: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
    coreHandler: handsCoresToProgram(),
  }
}

/** @throws Failure 'engine/not-available' where the engine can't hold a cell, with the remedy */
export async function lookUpFacts(dialect: Dialect, image: Image | undefined, stdio: GroundInput['stdio']): Promise<EngineFacts> {
  const [found, volumes] = await Promise.all([look(dialect), volumesOf(dialect, image)])
  const missing = findings(dialect, found).filter(({ level }) => level === 'missing')
  if (found.kind !== 'found' || missing.length > 0) {
    const why = missing.map(({ what }) => what).join('; ')
    throw new Failure('engine/not-available', {
      engine: dialect.name,
      why,
      remedy: missing.map(({ remedy }) => remedy ?? 'See: anchorhold doctor').join('\n'),
    })
  }
  const { alone, memory, pids, cpu, rootless } = found
  const user = userOf(dialect, rootless)
  const tmpfs = { tmpfs: dialect.tmpfs.each, tmpfsOwned: dialect.tmpfs.owned(user.uid, user.gid) }
  return {
    ...ownFacts(dialect),
    ...user,
    ...tmpfs,
    ...(dialect.asksForMore ? ownLimits() : {}),
    alone,
    memory,
    pids,
    cpu,
    volumes,
    terminal: onTerminal(stdio),
  }
}

/** The number of the cell's user in its container, and how the engine is told; outside it is the caller. */
function userOf({ rootless }: Dialect, without: boolean): { readonly uid: number; readonly gid: number; readonly mapping: string } {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  if (!without) return { uid, gid, mapping: '' }
  return { ...(rootless.user === 'root' ? { uid: 0, gid: 0 } : { uid, gid }), mapping: rootless.options.join('\0') }
}

/** Paths that the image declares as volumes, NUL-separated: the engine would make one of its own for each. */
async function volumesOf(dialect: Dialect, image: Image | undefined): Promise<string> {
  if (image === undefined || dialect.volumes === 'ignored') return ''
  const answer = await mustAsk(programOf(dialect), ['image', 'inspect', '--format', '{{json .Config.Volumes}}', image.id])
  return Object.keys(record(JSON.parse(answer))).join('\0')
}

/** A container's terminal is one for all three streams: where one of them leads elsewhere, its bytes would be changed. */
function onTerminal({ stdin, stdout, stderr }: GroundInput['stdio']): boolean {
  return [stdin, stdout, stderr].every((stream, fd) => stream !== 'ignore' && isatty(stream === 'inherit' ? fd : stream))
}

/** Enough for everything; higher ones need rights that not even every root has. */
const mostAsked = 16_384

/** Hard limits of this process, as `--ulimit` takes them (proc_pid_limits(5)). */
function ownLimits(): { readonly nofile: string; readonly nproc: string } {
  const text = readFileSync('/proc/self/limits', 'utf8')
  const hard = (name: string): number => Number(new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(text)?.[1] ?? Infinity)
  const own = (name: string): string => String(Math.min(hard(name), mostAsked))
  return { nofile: own('Max open files'), nproc: own('Max processes') }
}

/** `$XDG_CACHE_HOME/anchorhold/files`. */
function filesFolder(): string {
  const env = callerEnv(process.env)
  const given = env['XDG_CACHE_HOME']
  const cache = given !== undefined && path.isAbsolute(given) ? given : path.join(env['HOME'] ?? homedir(), '.cache')
  return path.join(cache, 'anchorhold', 'files')
}

/** Whether a crash starts a program of the host, or talks to one (core(5)): Ubuntu's apport, systemd-coredump. */
function handsCoresToProgram(): boolean {
  const file = '/proc/sys/kernel/core_pattern'
  return existsSync(file) && /^[|@]/.test(readFileSync(file, 'utf8'))
}
