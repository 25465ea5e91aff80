// The demo as people read it: each step in a line or three, the wall's words apart from the agent's.
// Lines come back; the command prints them.
import type { Style } from '../report/style.ts'
import { plain } from '../report/text.ts'
import type { Finding } from './findings.ts'
import type { DemoResult, Step } from './play.ts'

/** Lines for each step, none where it says nothing new. Paths of the stage are shown without the folder it lies in. */
export function openShow(style: Style): (step: Step) => readonly string[] {
  const stage = { root: '' }
  return (step) => {
    if (step.kind === 'stage') stage.root = step.root
    return linesFor(shortened(step, stage.root), style)
  }
}

/** Every path of the stage without its root, so that lines stay readable. */
function shortened(step: Step, root: string): Step {
  const short = (text: string): string => text.replaceAll(root, '')
  if (root === '') return step
  if (step.kind === 'stage')
    return { ...step, project: short(step.project), precious: short(step.precious), secrets: step.secrets.map(short) }
  if (step.kind === 'act') return { ...step, command: short(step.command) }
  if (step.kind === 'answer') return { ...step, text: short(step.text) }
  if (step.kind !== 'finding') return step
  return { ...step, finding: { ...step.finding, evidence: step.finding.evidence.map(({ ok, what }) => ({ ok, what: short(what) })) } }
}

function linesFor(step: Step, style: Style): readonly string[] {
  switch (step.kind) {
    case 'stage':
      return [
        `${style.bold('The stage')} ${style.dim(`(below ${plain(step.root)})`)}`,
        `  project            ${plain(step.project)}`,
        `  must survive       ${plain(step.precious)}`,
        `  must stay secret   ${step.secrets.map((file) => plain(file)).join(', ')}`,
        '',
        style.bold('The agent works, without a single prompt'),
      ]
    case 'act':
      return step.disaster
        ? [`  ${style.bad('✗')} ${style.bold(`agent ${step.title}`)}`, ...commandLines(step.command, style)]
        : [`  ${style.dim('•')} agent ${step.title}`]
    case 'answer':
      return step.disaster ? answerLines(step.text, style) : []
    case 'wall':
      return wallLines(step, style)
    case 'work':
      return [
        '',
        style.bold('What got done (seen from a second, read-only cell)'),
        ...step.output.split('\n').map((line) => `  ${plain(line, { max: style.width - 4 })}`),
        ...step.log.slice(0, 1).map((line) => `  commit: ${plain(line, { max: style.width - 12 })}`),
        '',
        style.bold('What the wall did (from witnesses, files and the journal, not from the agent)'),
      ]
    case 'finding':
    default:
      return findingLines(step.finding, style)
  }
}

function findingLines({ ok, title, evidence }: Finding, style: Style): readonly string[] {
  return [
    `  ${ok ? style.good('✔') : style.bad('✘')} ${style.bold(title)}`,
    ...evidence.map((item) => (item.ok ? style.dim(`      ${plain(item.what)}`) : style.bad(`    ! ${plain(item.what)}`))),
  ]
}

/** The last lines. */
export function verdictLines(result: DemoResult, style: Style): readonly string[] {
  const seconds = (result.milliseconds / 1000).toFixed(1)
  const failed = result.findings.filter((finding) => !finding.ok).length
  const verdict = result.ok
    ? style.good(`The wall held and the work got done (${seconds} s).`)
    : style.bad(`${failed} of ${result.findings.length} findings failed: do not trust this machine's wall before that is understood.`)
  const next = result.ok
    ? ['', 'With a key of your own, in a project of your own:', '  ANTHROPIC_API_KEY=… anchorhold run --mode auto claude']
    : ['  anchorhold doctor says what this machine lacks.']
  return ['', style.bold(verdict), ...(result.root === undefined ? [] : [`Everything was kept in ${plain(result.root)}`]), ...next]
}

function commandLines(command: string, style: Style): readonly string[] {
  return [style.dim(`      $ ${plain(command, { max: Math.max(40, style.width - 8) })}`)]
}

/** The last words that came back, enough to see how it ended. */
function answerLines(text: string, style: Style): readonly string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return lines.slice(0, 3).map((line) => style.dim(`      ${plain(line, { max: Math.max(40, style.width - 8) })}`))
}

function wallLines(step: Extract<Step, { kind: 'wall' }>, style: Style): readonly string[] {
  const { event } = step
  if (event.kind === 'network.refused') {
    if (event.host === '.') return [] // the self-test of the resolver
    const where = event.how === 'dns' ? event.host : `${event.host}:${event.port}`
    return [`      ${style.good('wall')} refused ${plain(where)}: ${plain(event.reason, { max: Math.max(40, style.width - 30) })}`]
  }
  if (event.kind === 'warning') return [`      ${style.warn('wall')} ${plain(event.message)}`]
  if (event.kind === 'wall.proven') return [style.dim(`  wall proven: ${event.probes} probes were tried from inside, none got through`)]
  if (event.kind === 'wall.checked') return [style.dim(`  wall checked: ${event.probes} probes in ${event.milliseconds} ms`)]
  return []
}
