// `anchorhold doctor`: what is there, what is missing, and the exact command for it; `--fix` runs those commands after showing them.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { agents } from '../agents/list.ts'
import { engines, selectEngine } from '../engines/list.ts'
import { Failure } from '../errors/failure.ts'
import { callerEnv } from '../host/caller-env.ts'
import { examineHost } from '../host/findings.ts'
import { packageRoot } from '../host/paths.ts'
import { systemPath } from '../host/process.ts'
import type { Finding } from '../model/engine.ts'
import { jsonLine } from '../report/json-line.ts'
import { printLines } from '../report/output.ts'
import { quoteArgv } from '../report/quote.ts'
import { styleFor, type Style } from '../report/style.ts'
import { plain } from '../report/text.ts'
import { processContext } from '../run/context.ts'
import { examineReview } from '../review/examine.ts'
import { reapSessions } from '../session/reap.ts'
import { sweepAfterCrash } from '../workspace/open.ts'

interface Flags {
  readonly json?: boolean
  readonly fix?: boolean
}
interface Section {
  readonly title: string
  readonly findings: readonly Finding[]
}

/** Adds `doctor` to the program. */
export function register(program: Command): void {
  program
    .command('doctor')
    .summary('say what is missing on this machine, and the command for it')
    .description('Examines this machine, every engine and every agent. Exit code 1 when the default engine cannot run here.')
    .option('--json', 'findings as one JSON object')
    .option('--fix', 'run the commands that mend what is missing, after showing them (asks on a terminal)')
    .action(async (flags: Flags) => {
      process.exitCode = await perform(flags)
    })
}

async function perform(flags: Flags): Promise<number> {
  const before = await examine()
  const fixable = before.flatMap(({ findings }) => findings).filter((finding) => finding.level !== 'ok' && finding.fix !== undefined)
  if (flags.json !== true) printLines(sectionLines(before, styleFor(process.stdout)))
  const mended = flags.fix === true && fixable.length > 0 && (await mend(fixable))
  const after = mended ? await examine() : before
  if (mended && flags.json !== true) printLines(['', ...sectionLines(after, styleFor(process.stdout))])
  const ready = await readiness()
  if (flags.json === true)
    printLines([
      jsonLine({
        ready: ready === undefined,
        ...(ready === undefined ? {} : { reason: ready.message, remedy: ready.remedy }),
        sections: after,
      }),
    ])
  else
    printLines([
      '',
      ready === undefined ? 'Ready: anchorhold run works here.' : `Not ready: ${plain(ready.message)}`,
      ...(ready === undefined ? [] : [`  → ${plain(ready.remedy, { lines: true }).replaceAll('\n', '\n    ')}`]),
    ])
  return ready === undefined ? 0 : 1
}

async function examine(): Promise<readonly Section[]> {
  const { env, home, folders, cwd } = processContext()
  const [ofEngines, ofAgents, review, leftovers] = await Promise.all([
    Promise.all(engines.map(async (engine) => ({ title: engine.traits.title, findings: await engine.examine() }))),
    Promise.all(agents.map(async (agent) => ({ title: agent.title, findings: await agent.examine({ hostEnv: env, hostHome: home }) }))),
    examineReview({ stateDir: folders.state, dataDir: folders.data, lower: cwd }),
    clearUp(folders.state),
  ])
  return [
    { title: 'This machine', findings: [...examineHost({ stateDir: folders.state }), leftovers] },
    ...ofEngines,
    { title: 'Review (this folder)', findings: review },
    ...ofAgents,
  ]
}

async function clearUp(stateDir: string): Promise<Finding> {
  const reaped = await reapSessions({ stateDir, engines, sweep: sweepAfterCrash })
  const problems = reaped.flatMap(({ session, problems }) => problems.map((problem) => `${session}: ${problem}`))
  if (problems.length > 0) return { id: 'leftovers', level: 'warning', what: `not cleared up after killed runs: ${problems.join('; ')}` }
  return {
    id: 'leftovers',
    level: 'ok',
    what: reaped.length === 0 ? 'nothing is left of killed runs' : `cleared up after ${reaped.map(({ session }) => session).join(', ')}`,
  }
}

/** Why the default engine can't run; undefined where it can. */
async function readiness(): Promise<Failure | undefined> {
  try {
    await selectEngine('auto')
    return undefined
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

function sectionLines(sections: readonly Section[], style: Style): readonly string[] {
  return sections.flatMap(({ title, findings }) => [
    style.bold(plain(title)),
    ...findings.flatMap((finding) => findingLines(finding, style)),
  ])
}

function findingLines(finding: Finding, style: Style): readonly string[] {
  const sign = { ok: style.good('ok     '), warning: style.warn('warning'), missing: style.bad('missing') }[finding.level]
  return [
    `  ${sign} ${plain(finding.what)}`,
    ...(finding.remedy === undefined || finding.level === 'ok' ? [] : [`          → ${plain(finding.remedy)}`]),
  ]
}

/** Shows every command, asks once on a terminal, runs them one after the other. False when the user declined. */
async function mend(findings: readonly Finding[]): Promise<boolean> {
  // The same mend may stand in several findings.
  const commands = [...new Map(findings.flatMap(({ fix }) => (fix === undefined ? [] : [[quoteArgv(fix), fix] as const]))).values()]
  process.stderr.write(`\nTo be run:\n${commands.map((argv) => `  ${quoteArgv(argv)}\n`).join('')}`)
  if (process.stdin.isTTY && process.stderr.isTTY && !(await agreed())) return false
  for (const argv of commands) {
    const [named, ...args] = argv
    if (named === undefined) continue
    const program = named === 'anchorhold' ? path.join(packageRoot(), 'bin', 'anchorhold') : named
    process.stderr.write(`$ ${quoteArgv(argv)}\n`)
    // Nothing is looked up in a project: neither its folder nor the caller's PATH counts.
    const env = { ...callerEnv(process.env), PATH: `${path.dirname(process.execPath)}:${systemPath}` }
    // What they print belongs to people, not into --json's output.
    const { status, error } = spawnSync(program, args, { cwd: '/', env, stdio: ['inherit', process.stderr.fd, process.stderr.fd] })
    if (status !== 0)
      process.stderr.write(`anchorhold: that did not work (${plain(error?.message ?? `exit code ${status ?? 'unknown'}`)}); going on\n`)
  }
  return true
}

async function agreed(): Promise<boolean> {
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await reader.question('Run them? [y/N] ')
  reader.close()
  return /^y(es)?$/i.test(answer.trim())
}
