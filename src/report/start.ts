// What a terminal shows before the command starts: the wall of this run in at most six lines.
// In a pipe nothing, unless asked for: the command's own output is all a pipe wants.
import type { EnforcedLimit } from '../model/engine.ts'
import type { EngineName, PermissionMode, WorkspaceMode } from '../model/policy.ts'
import type { Standing } from '../model/proof.ts'
import { limitText } from './limits.ts'
import { unstyled, type Style } from './style.ts'
import { plain } from './text.ts'
import { counted, duration, listed } from './units.ts'

export interface StartInput {
  readonly session: string
  readonly project: string
  /** Name of the agent, or of the plain command. */
  readonly agent: string
  readonly engine: EngineName
  readonly workspace: WorkspaceMode
  readonly permissions: PermissionMode
  /** Of a review: how the project is kept apart, and why it is no overlay. */
  readonly view?: { readonly view: string; readonly because?: string; readonly continued: boolean; readonly proposal: string }
  /** Allowed hosts in words ("api.github.com", "*.example.org:5432", "preset claude"). */
  readonly hosts: readonly string[]
  /** Secrets with their hosts in words. */
  readonly secrets?: readonly string[]
  /** Limits of the budget in words. */
  readonly budget?: readonly string[]
  /** Hidden paths, relative to the project. */
  readonly hidden: readonly string[]
  /** Of a run in `auto`: since when it stands that the wall holds. */
  readonly proven?: Standing
  readonly limits: readonly EnforcedLimit[]
  readonly style?: Style
  readonly quiet?: boolean
  readonly verbose?: boolean
}

/** Lines without line feeds. With `verbose` nothing is left out and the banner shows in a pipe too. */
export function startLines(input: StartInput): readonly string[] {
  const style = input.style ?? unstyled
  if (input.quiet === true || (!style.terminal && input.verbose !== true)) return []
  const most = input.verbose === true ? Infinity : 6
  const weak = input.limits.filter((limit) => !limit.enforced)
  const row = (name: string, text: string) =>
    `  ${style.dim(name.padEnd(8))} ${plain(text, { max: input.verbose === true ? 8_192 : Math.max(40, style.width - 12) })}`
  return [
    `${style.bold('anchorhold')} ${plain(`${input.agent} in ${input.project}`, { max: Math.max(40, style.width - 12) })}`,
    row('wall', `${input.engine}, workspace ${input.workspace}, permissions ${input.permissions}, session ${input.session}`),
    ...(input.proven === undefined || input.verbose !== true ? [] : [row('proven', provenText(input.proven))]),
    ...(input.view === undefined ? [] : [row('review', viewText(input.view))]),
    row('hosts', input.hosts.length === 0 ? 'none' : listed(input.hosts, most)),
    ...(input.secrets === undefined || input.secrets.length === 0 ? [] : [row('secrets', listed(input.secrets, most))]),
    ...(input.budget === undefined || input.budget.length === 0 ? [] : [row('budget', input.budget.join(', '))]),
    ...(input.hidden.length === 0 ? [] : [row('hidden', `${counted(input.hidden.length, 'file')}: ${listed(input.hidden, most)}`)]),
    ...(input.limits.length === 0
      ? []
      : [
          row(
            'limits',
            input.limits
              .filter((limit) => limit.enforced || input.verbose === true)
              .map(limitText)
              .join(', ') || 'none is enforced here',
          ),
        ]),
    ...(weak.length === 0 || input.verbose === true ? [] : [style.warn(row('', weak.map(limitText).join(', ')))]),
  ]
}

function provenText({ date, probes, fresh }: Standing): string {
  const when = fresh ? 'just now' : `${duration(Math.max(0, Date.now() - Date.parse(date)))} ago`
  return `${when}, by ${counted(probes, 'probe')}`
}

function viewText({ view, because, continued, proposal }: NonNullable<StartInput['view']>): string {
  const how = { overlay: 'changes go to an overlay', reflink: 'on a copy that shares its blocks', copy: 'on a copy' }[view] ?? view
  return `${how}${because === undefined ? '' : ` (no overlay: ${because})`}, ${continued ? 'goes on with' : 'kept as'} proposal ${proposal}`
}
