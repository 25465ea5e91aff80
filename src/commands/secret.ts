// `anchorhold secret set|list|remove`: the store of secrets. A value comes from standard input or a hidden prompt, never from an argument.
import type { Command } from 'commander'
import { buffer } from 'node:stream/consumers'
import { Failure } from '../errors/failure.ts'
import { askHidden } from '../host/ask-hidden.ts'
import { jsonLine } from '../report/json-line.ts'
import { printLines } from '../report/output.ts'
import { processContext } from '../run/context.ts'
import { listStored, removeStored, writeStored } from '../secrets/store.ts'
import { checkName, checkValue, withoutLineEnd } from '../secrets/value.ts'
import { addScan } from './secret-scan.ts'

/** Adds `secret` to the program. */
export function register(program: Command): void {
  const secret = program
    .command('secret')
    .summary('keep secrets for the gateway')
    .description('Keeps values that policies name with "from: store". They are put in by the gateway; no cell ever has them.')
  secret
    .command('set')
    .summary('keep a value')
    .description(
      'Keeps the value of a secret: typed at a prompt that does not show it, or from standard input. In a file of yours alone (mode 600), not encrypted: a key for it would lie beside it, for whoever can read the file.',
    )
    .argument('<name>', 'the name under which policies ask for it')
    .action(set)
  secret
    .command('list')
    .summary('names and times, never values')
    .description('Lists the names that the store has, and when each was set. Values are never shown.')
    .option('--json', 'one JSON object for each line')
    .action(list)
  secret
    .command('remove')
    .summary('forget a value')
    .description('Takes a secret out of the store.')
    .argument('<name>', 'the name it is kept under')
    .action(remove)
  addScan(secret)
}

async function set(name: string): Promise<void> {
  checkName(name)
  const typed = process.stdin.isTTY ? await askHidden(`Value of ${name} (not shown): `) : (await buffer(process.stdin)).toString('utf8')
  const value = typed === undefined ? '' : withoutLineEnd(typed)
  if (value === '') throw new Failure('secret/no-value', { secret: name })
  await writeStored(processContext().folders.data, name, checkValue(name, value, 'as it came in'))
  printLines([`Kept: ${name}. In a policy: secrets: [{ name: ${name}, from: store, hosts: [HOST] }]`])
}

async function list({ json }: { readonly json?: boolean }): Promise<void> {
  const stored = await listStored(processContext().folders.data)
  if (json === true) return printLines(stored.map(({ name, changedAt }) => jsonLine({ name, changedAt: changedAt.toISOString() })))
  printLines(
    stored.length === 0
      ? ['The store is empty. anchorhold secret set NAME keeps a value.']
      : stored.map(({ name, changedAt }) => `${name}  set ${changedAt.toISOString()}`),
  )
}

async function remove(name: string): Promise<void> {
  checkName(name)
  if (!(await removeStored(processContext().folders.data, name))) throw new Failure('secret/not-stored', { secret: name })
  printLines([`Removed: ${name}.`])
}
