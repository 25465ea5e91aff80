// `anchorhold demo`: the real agent in a real cell with three disasters in its script, for somebody without an API key.
import type { Command } from 'commander'
import type { EngineChoice } from '../model/policy.ts'
import { processContext } from '../run/context.ts'

interface Flags {
  readonly json?: boolean
  readonly keep?: boolean
  readonly engine?: EngineChoice
  readonly image?: string
}

/** Adds `demo` to the program. */
export function register(program: Command): void {
  program
    .command('demo')
    .summary('see the wall hold, without an API key')
    .description(
      'Runs the real Claude Code in a cell, against a stand-in for its model that plays three disasters between honest work. Needs no key; ends with 0 only if every canary survived.',
    )
    .option('--engine <name>', 'what builds the wall: auto, bubblewrap, docker')
    .option('--image <name>', 'what a container of the demo starts from, as in `run`')
    .option('--json', 'each step as a JSON line')
    .option('--keep', 'leave the stage on disk, and say where')
    .action(async (flags: Flags) => {
      process.exitCode = await perform(flags)
    })
}

/** 128 + SIGINT. */
const interrupted = 130

async function perform(flags: Flags): Promise<number> {
  const [{ playDemo }, { openShow, verdictLines }, { styleFor }, { jsonLine }] = await Promise.all([
    import('../demo/play.ts'),
    import('../demo/show.ts'),
    import('../report/style.ts'),
    import('../report/json-line.ts'),
  ])
  const style = styleFor(process.stdout)
  const linesFor = openShow(style)
  const json = flags.json === true
  const print = (lines: readonly string[]): void => {
    for (const line of lines) process.stdout.write(`${line}\n`)
  }
  const context = processContext()
  const agent = await ensureAgent(context, (text) => (json ? undefined : print([text])))
  if (json) print([jsonLine({ kind: 'agent', version: agent.version, path: agent.path, how: agent.how })])
  else
    print([
      `Claude Code ${agent.version} (${agent.how}), and a model that only follows a script: no key, no request leaves this machine.`,
      '',
    ])
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  process.stdout.on('error', onSignal) // a reader that went away (`| head`): clean up and end
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  try {
    const result = await playDemo({
      agent,
      context: { ...context, standing: async (asked) => (await import('../prove/require.ts')).requireStanding(asked) },
      keep: flags.keep === true,
      ...(flags.engine === undefined ? {} : { engine: flags.engine }),
      ...(flags.image === undefined ? {} : { image: flags.image }),
      signal: stop.signal,
      onStep: (step) => print(json ? [jsonLine(step)] : linesFor(step)),
    })
    if (stop.signal.aborted) return interrupted
    print(json ? [jsonLine({ kind: 'verdict', ...result })] : verdictLines(result, style))
    return result.exitCode
  } catch (error) {
    if (stop.signal.aborted) return interrupted // the stage and the cell are gone by now
    throw error
  }
}

/** The agent that is there, or a copy of anchorhold's own, installed now and said so. */
async function ensureAgent(context: ReturnType<typeof processContext>, say: (text: string) => void) {
  const [{ findClaude, claudeDistribution }, { installCopy }, { Failure }] = await Promise.all([
    import('../agents/claude.ts'),
    import('../agents/own-copy.ts'),
    import('../errors/failure.ts'),
  ])
  const search = { hostEnv: context.env, hostHome: context.home }
  try {
    return await findClaude(search)
  } catch (error) {
    if (!(error instanceof Failure) || !['agent/not-installed', 'agent/too-old'].includes(error.code)) throw error
  }
  say(
    `Claude Code is not here yet. Installing ${claudeDistribution.package}@${claudeDistribution.pinned} with npm for anchorhold alone (about 400 MB, once) …`,
  )
  const began = performance.now()
  const copy = await installCopy(claudeDistribution, 'Claude Code', search)
  say(`Installed in ${((performance.now() - began) / 1000).toFixed(0)} s.`)
  return copy
}
