// Plan → the command lines of holder and cell, and the files that they name. Pure. Neighbours: mounts.ts, limits.ts; launch.ts runs them.
import { Failure } from '../../errors/failure.ts'
import type { Compiled, EngineFacts, MadeFile } from '../../model/engine.ts'
import type { Plan } from '../../model/plan.ts'
import { checkFields } from '../fields.ts'
import { compileFilter } from '../seccomp/compile.ts'
import { ociProfile } from '../seccomp/oci.ts'
import type { Dialect } from './dialect.ts'
import { madeFile } from './files.ts'
import { enforceLimits, limitOptions } from './limits.ts'
import { bind, mountOptions } from './mounts.ts'

/** Where the engine's own things lie inside (native/init-enter.c). */
const inside = '/run/anchorhold'
/** The bridge's socket as only the holder sees it. */
export const doorInside: string = `${inside}/door`

interface Named {
  readonly session: string
  /** Reference or id of an image. */
  readonly image: string
  readonly hostname: string
  readonly state: string
}

/** The holder's command line. `door`: socket of the bridge on the host; without one it holds alone. */
export function holderWords(dialect: Dialect, facts: EngineFacts, named: Named, door: string | undefined): readonly string[] {
  const filter = madeFile(String(facts['files']), profileOf(facts))
  return [
    String(facts['program']),
    'run',
    ...(door === undefined ? ['--detach'] : []),
    ...common(dialect, named, 'hold'),
    '--hostname',
    named.hostname,
    '--network',
    'none',
    ...dialect.holder,
    '--cap-drop',
    'ALL',
    '--cap-add',
    'NET_ADMIN',
    '--cap-add',
    'NET_BIND_SERVICE',
    '--security-opt',
    `seccomp=${filter.path}`,
    '--user',
    '0:0',
    '--pids-limit',
    '8',
    ...bind(String(facts['hold']), `${inside}/hold`, 'ro'),
    ...(door === undefined ? [] : bind(door, doorInside, 'rw')),
    '--entrypoint',
    `${inside}/hold`,
    named.image,
    ...(door === undefined ? [] : [doorInside]),
  ]
}

export function holderFiles(facts: EngineFacts): readonly MadeFile[] {
  return [madeFile(String(facts['files']), profileOf(facts))]
}

/** Throws Failure('engine/bad-plan') for what can't be said to a container engine. */
export function compile(dialect: Dialect, plan: Plan, facts: EngineFacts): Compiled {
  refuseUnsayable(plan)
  if (plan.image === undefined) throw new Failure('engine/bad-plan', { why: 'there is no image' })
  const folder = String(facts['files'])
  const limits = enforceLimits(plan.limits, facts, plan.workspace)
  const named = { session: plan.session, image: plan.image.id, hostname: plan.identity.hostname, state: '' }
  const options = { pinned: false, coreHandler: facts['coreHandler'] === true }
  const architecture = facts['arch'] === 'aarch64' ? 'aarch64' : 'x86_64'
  const filter = madeFile(folder, compileFilter(architecture, options))
  const order = madeFile(folder, orderOf(plan), plan.session)
  const mounts = mountOptions(plan, facts)
  const user = `${facts['uid']}:${facts['gid']}`
  const mapping = String(facts['mapping'] ?? '')
  return {
    argv: [
      String(facts['program']),
      'run',
      '--interactive',
      ...(plan.terminal === 'inherit' && facts['terminal'] === true ? ['--tty'] : []),
      ...common(dialect, named, 'cell'),
      '--network',
      `container:${nameOf('hold', plan.session)}`,
      ...dialect.cell,
      '--ipc',
      'private',
      '--cap-drop',
      'ALL',
      // Mapping number 0 of a container to another one asks for this (user_namespaces(7)); process 1 lets go of it.
      ...(facts['uid'] === plan.identity.uid && facts['gid'] === plan.identity.gid ? [] : ['--cap-add', 'SETFCAP']),
      '--security-opt',
      `seccomp=${madeFile(folder, profileOf(facts)).path}`,
      ...(mapping === '' ? [] : mapping.split('\0')),
      '--user',
      user,
      '--ulimit',
      // With a limit of 0 a crash would still be handed to the host's program (core(5)).
      options.coreHandler ? 'core=1:1' : 'core=0:0',
      ...(['nofile', 'nproc'] as const).flatMap((name) =>
        typeof facts[name] === 'string' ? ['--ulimit', `${name}=${facts[name]}:${facts[name]}`] : [],
      ),
      ...limitOptions(limits),
      '--workdir',
      plan.cwd,
      ...mounts.words,
      ...bind(String(facts['init']), `${inside}/init`, 'ro'),
      ...bind(String(facts['enter']), `${inside}/enter`, 'ro'),
      ...bind(filter.path, `${inside}/filter`, 'ro'),
      ...bind(order.path, `${inside}/order`, 'ro'),
      '--entrypoint',
      `${inside}/init`,
      plan.image.id,
      ...plan.argv,
    ],
    env: {},
    inputs: [],
    files: [...holderFiles(facts), filter, order, ...mounts.files],
    beside: [{ name: 'holder', argv: holderWords(dialect, facts, named, undefined) }],
    limits,
  }
}

export function nameOf(part: 'hold' | 'cell', session: string): string {
  return `anchorhold-${part}-${session}`
}

export const sessionLabel = 'anchorhold.session'

function common(dialect: Dialect, { session }: Named, part: 'hold' | 'cell'): readonly string[] {
  return [
    ...dialect.common,
    '--name',
    nameOf(part, session),
    '--label',
    `${sessionLabel}=${session}`,
    '--read-only',
    '--security-opt',
    'no-new-privileges',
  ]
}

function profileOf(facts: EngineFacts): string {
  return ociProfile(facts['arch'] === 'aarch64' ? 'aarch64' : 'x86_64', { pinned: false, coreHandler: facts['coreHandler'] === true })
}

/** What process 1 reads (native/init-enter.c): its user inside, the whole environment, the checks. */
function orderOf(plan: Plan): string {
  const env = Object.entries(plan.env).map(([name, value]) => `${name}=${value}`)
  const words = [plan.identity.uid, plan.identity.gid, env.length, ...env, ...plan.preflight.flatMap(checkFields)]
  return words.map((word) => `${word}\0`).join('')
}

function refuseUnsayable(plan: Plan): void {
  const words = [...plan.argv, plan.cwd, plan.identity.hostname, ...Object.entries(plan.env).flat()]
  if (words.some((word) => word.includes('\0'))) throw new Failure('engine/bad-plan', { why: 'a value holds a NUL byte' })
  if (plan.argv.length === 0 || plan.argv[0] === '') throw new Failure('engine/bad-plan', { why: 'there is no command' })
  const paths = [plan.cwd, ...plan.mounts.map((mount) => mount.to), ...plan.covers.map((cover) => cover.path)]
  const relative = paths.find((each) => !each.startsWith('/'))
  if (relative !== undefined) throw new Failure('engine/bad-plan', { why: `not an absolute path: ${relative}` })
  if (Object.keys(plan.env).some((name) => name === '' || name.includes('=')))
    throw new Failure('engine/bad-plan', { why: 'a bad name of a variable' })
}
