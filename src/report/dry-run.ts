// `run --dry-run`: the plan and the exact engine command, for people and for machines, secrets taken out. Runs nothing.
import type { Compiled } from '../model/engine.ts'
import type { Cover, Mount, Plan } from '../model/plan.ts'
import { limitText } from './limits.ts'
import { quoteArgv, quoteWord } from './quote.ts'
import { hideSecrets, type Hide } from './secrets.ts'
import { unstyled, type Style } from './style.ts'
import { plain } from './text.ts'
import { counted, size } from './units.ts'

export interface DryRunInput {
  readonly plan: Plan
  readonly compiled: Compiled
  /** Names given as `--env NAME`, whose values come from the caller's environment: never shown. */
  readonly passedEnv: readonly string[]
  /** Names of secrets, whose variables hold a placeholder. */
  readonly placeholders: readonly string[]
  /** The same with their hosts, in words. */
  readonly secrets: readonly string[]
  /** Allowed hosts in words. */
  readonly hosts: readonly string[]
  /** Limits of the budget in words. */
  readonly budget?: readonly string[]
  readonly style?: Style
}

/** Lines without line feeds. */
export function dryRunLines(input: DryRunInput): readonly string[] {
  const { plan, compiled } = input
  const style = input.style ?? unstyled
  const hide = hideSecrets(plan.env, input.passedEnv, input.placeholders)
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [style.bold(title), ...lines.map((line) => `  ${plain(line)}`)]
  return [
    ...section('Command', [
      quoteArgv(hide.argv(plan.argv)),
      `in ${plan.cwd}`,
      `agent ${plan.agent}, permissions ${plan.permissions}, workspace ${plan.workspace}, terminal ${plan.terminal}`,
    ]),
    ...section('Identity', [
      `${plan.identity.user} (uid ${plan.identity.uid}, gid ${plan.identity.gid}) at ${plan.identity.hostname}, home ${plan.identity.home}`,
    ]),
    ...section(
      'Files',
      plan.mounts.map((mount) => hide.text(mountText(mount))),
    ),
    ...section('Protected and hidden', plan.covers.map(coverText)),
    ...section('Hosts', input.hosts.length === 0 ? ['none'] : input.hosts.map((host) => hide.text(host))),
    ...section('Secrets', input.secrets),
    ...section('Budget', input.budget ?? []),
    ...section(
      'Listeners',
      plan.listeners.map((listener) => `${listener.kind} ${listener.address} port ${listener.port}: ${listener.role}`),
    ),
    ...section(
      'Environment',
      Object.entries(plan.env)
        .sort(byName)
        .map(([name, value]) => `${name}=${quoteWord(hide.variable(name, value))}`),
    ),
    ...section('Limits', compiled.limits.map(limitText)),
    ...(compiled.beside ?? []).flatMap(({ name, argv }) =>
      section(`Engine (${plan.engine}), first the ${name}`, [quoteArgv(hide.argv(argv))]),
    ),
    ...section(`Engine (${plan.engine})`, [quoteArgv(hide.argv(compiled.argv))]),
    ...section(
      'Environment of the engine',
      Object.entries(compiled.env)
        .sort(byName)
        .map(([name, value]) => `${name}=${quoteWord(hide.variable(name, value))}`),
    ),
    ...compiled.inputs.flatMap((entry) =>
      section(`Descriptor ${entry.fd} (${plain(entry.name)}, ${size(entry.content.length)})`, inputLines(entry, hide)),
    ),
  ]
}

/** The same as data: the plan and what the engine would be given, with every secret replaced by "[redacted]". */
export function dryRunJson(input: DryRunInput): Readonly<Record<string, unknown>> {
  const { plan, compiled } = input
  const hide = hideSecrets(plan.env, input.passedEnv, input.placeholders)
  const variables = (env: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(env).map(([name, value]) => [name, hide.variable(name, value)]))
  return {
    kind: 'dry-run',
    plan: {
      ...plan,
      argv: hide.argv(plan.argv),
      env: variables(plan.env),
      mounts: plan.mounts.map((mount) => (mount.kind === 'file' ? { ...mount, content: hide.content(mount.content) } : mount)),
    },
    hosts: input.hosts.map((host) => hide.text(host)),
    secrets: input.secrets,
    budget: input.budget ?? [],
    engine: {
      argv: hide.argv(compiled.argv),
      beside: (compiled.beside ?? []).map(({ name, argv }) => ({ name, argv: hide.argv(argv) })),
      env: variables(compiled.env),
      inputs: compiled.inputs.map((entry) => ({
        fd: entry.fd,
        name: entry.name,
        bytes: entry.content.length,
        content: entry.redact ? '[redacted]' : contentText(entry.content, hide),
      })),
      limits: compiled.limits,
    },
  }
}

function inputLines(entry: Compiled['inputs'][number], hide: Hide): readonly string[] {
  if (entry.redact) return ['[redacted]']
  const text = contentText(entry.content, hide)
  if (text === undefined) return ['(binary)']
  // NUL-separated lists are argument lists: shown as a shell would take them.
  return text.includes('\0') ? groupOptions(text.replace(/\0$/, '').split('\0')) : text.replace(/\n$/, '').split('\n')
}

/** One option with its values per line. */
function groupOptions(words: readonly string[]): readonly string[] {
  const lines: string[][] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last === undefined || word.startsWith('--')) lines.push([word])
    else last.push(word)
  }
  return lines.map(quoteArgv)
}

function contentText(content: Uint8Array, hide: Hide): string | undefined {
  const text = Buffer.from(content).toString('utf8')
  return text.includes('\ufffd') ? undefined : hide.content(text)
}

function mountText(mount: Mount): string {
  if (mount.kind === 'bind')
    return `${mount.mode === 'rw' ? 'writable ' : 'read-only'} ${mount.to}${mount.from === mount.to ? '' : ` (from ${mount.from})`}`
  if (mount.kind === 'overlay') return `view      ${mount.to} (of ${mount.lower}; changes go to ${mount.upper})`
  if (mount.kind === 'tmpfs') return `memory    ${mount.to} (${size(mount.bytes)})`
  if (mount.kind === 'file') return `made      ${mount.to} (${counted(Buffer.byteLength(mount.content), 'byte')})`
  if (mount.kind === 'symlink') return `link      ${mount.to} → ${mount.target}`
  return `folder    ${mount.to}`
}

function coverText(cover: Cover): string {
  if (cover.kind === 'readonly') return `read-only ${cover.path}`
  return cover.kind === 'empty' ? `empty     ${cover.path} (${cover.what})` : `view      ${cover.path} → ${cover.target}`
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1
}
