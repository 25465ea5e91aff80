// `anchorhold export`: the policy of a run here as files for a container engine, which work without anchorhold's command line.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import { findAgent } from '../agents/list.ts'
import { gatherCell } from '../export/cell.ts'
import { staying } from '../export/compose.ts'
import { writeExport, type Form } from '../export/write.ts'
import { defaultBase } from '../images/dockerfile.ts'
import { endWithReader, printLines } from '../report/output.ts'
import { plain } from '../report/text.ts'
import { jsonLine } from '../report/json-line.ts'
import { packageVersion } from '../run/context.ts'
import { loadEffective, withPolicyOptions, type PolicyFlags } from './policy-input.ts'

interface Flags extends PolicyFlags {
  readonly to: string
  readonly gatewayNetwork: string
}

const forms: Readonly<Record<Form, string>> = {
  compose: 'a compose project of gateway and cell',
  devcontainer: 'a folder that editors open as a development container',
  docker: 'a script of docker commands',
}

/** Adds `export` to the program. */
export function register(program: Command): void {
  const parent = program
    .command('export')
    .summary('write the policy as files for docker, compose or an editor')
    .description(
      'Writes the policy of a run here as files that keep the same wall with Docker alone: a gateway and a cell, each in its container. Values of secrets are in none of them.',
    )
  for (const [form, what] of Object.entries(forms) as [Form, string][])
    withPolicyOptions(parent.command(form))
      .summary(what)
      .description(`Writes ${what}, from the policy of a run here.`)
      .argument('[command...]', 'what the cell runs: the agent and its arguments, or a command after --')
      .requiredOption('--to <folder>', 'a new folder outside the project')
      .option('--gateway-network <name>', "docker network by which the gateway goes out; host for this machine's own", 'bridge')
      .action((words: readonly string[], flags: Flags) => perform(form, words, flags))
  parent
    .command('dockerfile')
    .summary("the cell's Dockerfile")
    .description('Prints the Dockerfile of the cell, as `anchorhold image dockerfile` does.')
    .option('--project <dir>', 'the project (default: this folder)')
    .action(async (flags: { readonly project?: string }) => {
      const { printDockerfile } = await import('./image.ts')
      await printDockerfile(flags)
    })
}

async function perform(form: Form, words: readonly string[], { to, gatewayNetwork: network, json, ...flags }: Flags): Promise<void> {
  endWithReader()
  const { input, policy } = await loadEffective(flags)
  const agent = findAgent(flags.agent ?? policy.agent ?? (words.length > 0 ? 'command' : 'claude'))
  const stays = form === 'devcontainer' && agent.distribution === undefined && words.length === 0
  await using scope = new AsyncDisposableStack()
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'anchorhold-export-'))
  scope.defer(() => rm(scratch, { recursive: true, force: true }))
  const cell = await gatherCell({ policy, agent, args: stays ? staying : words, load: input, version: packageVersion(), scratch })
  const folder = path.resolve(to)
  const start = await writeExport({
    form,
    cell,
    folder,
    base: cell.image.base === '' ? defaultBase : cell.image.base,
    network,
  })
  const secrets = cell.orders.secrets.map(({ rule }) => rule.name)
  if (json === true) return printLines([jsonLine({ folder, start, secrets, without: cell.without })])
  printLines([
    `Written to ${plain(folder)}. To start: ${plain(start)}`,
    ...(secrets.length === 0 ? [] : [`Set these variables first: ${plain(secrets.join(', '))}`]),
    ...cell.without.map((each) => `  without: ${plain(each)}`),
  ])
}
