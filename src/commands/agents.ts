// `anchorhold agents`: which agents are here, and a copy of one for anchorhold alone.
import type { Command } from 'commander'
import { claudeDistribution } from '../agents/claude.ts'
import { agents } from '../agents/list.ts'
import { installCopy } from '../agents/own-copy.ts'
import { Failure } from '../errors/failure.ts'
import { plainDeep, plain } from '../report/text.ts'
import { processContext } from '../run/context.ts'

/** Adds `agents` and `agents install` to the program. */
export function register(program: Command): void {
  const command = program
    .command('agents')
    .summary('which agents are here; install one')
    .description('Shows the agents that anchorhold knows, with version and place.')
    .option('--json', 'as JSON')
    .action(async (flags: { readonly json?: boolean }) => {
      process.exitCode = await list(flags.json === true)
    })
  command
    .command('install')
    .summary('install a copy for anchorhold alone')
    .description("Installs an agent with npm, as npm is set up here, into anchorhold's own data folder. The cell sees it read-only.")
    .argument('<name>', 'claude')
    .option('--version <version>', `default: ${claudeDistribution.pinned}`)
    .action(async (name: string, flags: { readonly version?: string }) => install(name, flags.version))
    .exitOverride()
}

async function list(json: boolean): Promise<number> {
  const { env, home } = processContext()
  const rows = await Promise.all(
    agents.map(async (agent) => ({
      name: agent.name,
      title: agent.title,
      findings: await agent.examine({ hostEnv: env, hostHome: home }),
    })),
  )
  if (json) process.stdout.write(`${JSON.stringify(plainDeep(rows), null, 2)}\n`)
  else {
    for (const { name, findings } of rows) {
      for (const { what, remedy } of findings)
        process.stdout.write(`${plain(name)}  ${plain(what)}\n${remedy === undefined ? '' : `        ${plain(remedy)}\n`}`)
    }
  }
  return rows.some(({ findings }) => findings.some(({ level }) => level === 'missing')) ? 1 : 0
}

async function install(name: string, version: string | undefined): Promise<void> {
  if (name !== claudeDistribution.program) throw new Failure('agent/not-installable', { name, known: claudeDistribution.program })
  const { env, home } = processContext()
  const wanted = version ?? claudeDistribution.pinned
  const onStart = (): void => void process.stderr.write(`Installing ${claudeDistribution.package}@${plain(wanted)} with npm …\n`)
  const copy = await installCopy(claudeDistribution, 'Claude Code', { hostEnv: env, hostHome: home, version: wanted, onStart })
  process.stdout.write(`Claude Code ${plain(copy.version)} at ${plain(copy.path)}\n`)
}
