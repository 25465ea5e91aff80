// What one run says on stderr, from banner to summary, in text or JSON lines. commands/run.ts calls it in this order.
import type { Compiled } from '../model/engine.ts'
import type { Emit } from '../model/events.ts'
import type { Plan } from '../model/plan.ts'
import type { Policy } from '../model/policy.ts'
import type { Session } from '../session/open.ts'
import { limitsInWords, warningText } from './budget.ts'
import { dryRunJson, dryRunLines, type DryRunInput } from './dry-run.ts'
import { hostsInWords, secretsInWords } from './hosts.ts'
import { eventJson, resultJson } from './json.ts'
import { jsonLine } from './json-line.ts'
import { startLines } from './start.ts'
import { styleFor } from './style.ts'
import { plain } from './text.ts'
import { summarize } from './summary.ts'
import { size } from './units.ts'

export interface ReportInput {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
}

/** A run as far as a report needs it. */
export interface Reported {
  readonly session: Session
  readonly plan: Plan
  readonly compiled: Compiled
  /** Without it no host is listed, and every variable is hidden from a dry run. */
  readonly policy?: Policy
}

export interface RunReport {
  /** For the session's `onEvent`: writes one JSON line each with `--json`, else nothing. */
  readonly event: Emit
  start(run: Reported): void
  /** On stdout: the plan is what was asked for. */
  dryRun(run: Reported): void
  end(run: Reported, result: { readonly exitCode: number }): void
}

export function openReport(input: ReportInput): RunReport {
  const tell = (lines: readonly string[]) => {
    if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`)
  }
  return {
    event: (event) => {
      if (input.json) tell([eventJson(event)])
      else if (event.kind === 'budget.warning' && !input.quiet) tell([`anchorhold: ${warningText(event)}`])
      else if (event.kind === 'image.step' && !input.quiet) tell([`anchorhold: ${plain(event.message)}`])
      else if (event.kind === 'review.copying' && !input.quiet)
        tell([`anchorhold: copying the project, ${size(event.bytes)} of ${size(event.of)}`])
    },
    start: (run) => {
      if (!input.json && !input.quiet) tell(banner(run, input))
    },
    dryRun: (run) => {
      const asked = dryRunInput(run)
      const lines = input.json ? [jsonLine(dryRunJson(asked))] : dryRunLines(asked)
      process.stdout.write(`${lines.join('\n')}\n`)
    },
    end: ({ session }, { exitCode }) => {
      const { id, folder, state } = session
      const { quiet, verbose } = input
      tell(
        input.json
          ? [jsonLine(resultJson({ session: id, folder, exitCode, state }))]
          : summarize({
              session: id,
              state,
              get style() {
                return styleFor(process.stderr) // opens the stream: only where there is something to say
              },
              quiet,
              verbose,
            }),
      )
    },
  }
}

function banner({ session, plan, compiled, policy }: Reported, { quiet, verbose }: ReportInput): readonly string[] {
  return startLines({
    session: session.id,
    project: session.record.project,
    agent: plan.agent,
    engine: plan.engine,
    workspace: plan.workspace,
    permissions: plan.permissions,
    ...(session.state.review === undefined ? {} : { view: session.state.review }),
    hosts: policy === undefined ? [] : hostsInWords(policy.network),
    secrets: policy === undefined ? [] : secretsInWords(policy.secrets),
    budget: limitsInWords(policy?.budget ?? []),
    ...(session.state.proven === undefined ? {} : { proven: session.state.proven }),
    hidden: session.state.hiddenPaths,
    limits: compiled.limits,
    style: styleFor(process.stderr),
    quiet,
    verbose,
  })
}

function dryRunInput({ plan, compiled, policy }: Reported): DryRunInput {
  return {
    plan,
    compiled,
    passedEnv:
      policy === undefined ? Object.keys(plan.env) : policy.env.filter((rule) => rule.value === undefined).map((rule) => rule.name),
    placeholders: policy === undefined ? [] : policy.secrets.map(({ name }) => name),
    secrets: policy === undefined ? [] : secretsInWords(policy.secrets),
    hosts: policy === undefined ? [] : hostsInWords(policy.network),
    budget: limitsInWords(policy?.budget ?? []),
    style: styleFor(process.stdout),
  }
}
