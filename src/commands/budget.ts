// `anchorhold budget` and `budget raise`: what was spent of what may be, and more of it, also while the cell runs.
import { realpathSync } from 'node:fs'
import type { Command } from 'commander'
import { Failure } from '../errors/failure.ts'
import { moneyPerDollar, openAccounts, type Account, type Accounts } from '../gateway/meter/accounts.ts'
import { whose } from '../gateway/meter/meter.ts'
import { accountsAt } from '../gateway/meter/periods.ts'
import { budgetUnits, type BudgetUnit } from '../model/budget.ts'
import { amountText, parseBudget } from '../policy/budget.ts'
import { jsonLine } from '../report/json-line.ts'
import { printLines } from '../report/output.ts'
import { styleFor } from '../report/style.ts'
import { renderTable } from '../report/table.ts'
import { processContext } from '../run/context.ts'
import { findSession, listSessions } from '../session/list.ts'

interface Flags {
  readonly json?: boolean
}

const more = `
A budget is set by the policy (budget: { session: 5, day: 20, month: 200 }) or by anchorhold run --budget SCOPE=AMOUNT.
Amounts: 5 (dollars), 200k tokens, 50 requests. Days and months are those of this machine's clock: a day's budget is the project's,
a month's is yours in all projects.

  anchorhold budget raise 10                      this session's dollars, to 10 in all
  anchorhold budget raise day=40
  anchorhold budget raise "session=1m tokens" 20261123-18
`

/** Adds `budget` to the program. */
export function register(program: Command): void {
  const budget = program
    .command('budget')
    .summary('show what models have cost of what they may, and raise it')
    .description(
      "Shows the budget of a session, of its project today, and of you this month. Without an ID: this project's newest session.",
    )
    .argument('[id]', 'id of the session, the beginning of one, or its name')
    .option('--json', 'one JSON object')
    .addHelpText('after', more)
    .action((id: string | undefined, flags: Flags) => withAccounts((accounts) => show(accounts, id, flags)))
  budget
    .command('raise')
    .summary('raise a limit, also while the cell runs')
    .description('Sets a limit anew, higher than it was, until its session, day or month is over.')
    .argument('<[scope=]amount>', 'the new limit in all: 10, day=40, "session=1m tokens"')
    .argument('[id]', 'id of the session, the beginning of one, or its name')
    .action((text: string, id: string | undefined) => withAccounts((accounts) => raise(accounts, text, id)))
}

async function withAccounts(work: (accounts: Accounts) => Promise<void>): Promise<void> {
  const { state } = processContext().folders
  using accounts = openAccounts(state)
  try {
    await work(accounts)
  } catch (error) {
    if (error instanceof Failure || !(error instanceof Error && 'code' in error)) throw error
    throw new Failure('budget/unreadable', { path: `${state}/budget`, reason: error.message }, { cause: error })
  }
}

async function read(
  accounts: Accounts,
  id: string | undefined,
): Promise<{ session: string | undefined; project: string; found: readonly Account[] }> {
  const { folders, cwd } = processContext()
  const here = realpathSync(cwd)
  const newest =
    id === undefined ? listSessions(folders.state, { project: here, limit: 1 }).find(({ kind }) => kind === 'session') : undefined
  const session = id === undefined ? newest?.id : findSession(folders.state, id).id
  const project = id === undefined ? here : findSession(folders.state, id).project
  const names = accountsAt(session ?? '', project, new Date()).filter(({ period }) => period !== '')
  const found: Account[] = []
  for (const name of names) found.push(await accounts.read(name))
  return { session, project, found }
}

function limitOf({ policy, raised }: Account, unit: BudgetUnit): number | undefined {
  const [said, more] = [policy[unit], raised[unit]]
  return said === undefined ? more : Math.max(said, more ?? 0)
}

function part(unit: BudgetUnit, amount: number): number {
  return unit === 'usd' ? amount / moneyPerDollar : amount
}

async function show(accounts: Accounts, id: string | undefined, flags: Flags): Promise<void> {
  const { session, project, found } = await read(accounts, id)
  const rows = found.flatMap((account) =>
    budgetUnits.map((unit) => ({
      scope: account.scope,
      period: account.period,
      unit,
      spent: part(unit, account.spent[unit]),
      reserved: part(unit, account.reserved[unit]),
      limit: limitOf(account, unit) ?? null,
      raised: account.raised[unit] !== undefined,
    })),
  )
  if (flags.json === true) return printLines([jsonLine({ schema: 'anchorhold.budget/1', session: session ?? null, project, rows })])
  const columns = [
    { title: 'OF', least: 10 },
    { title: 'SPENT', least: 8 },
    { title: 'RESERVED', least: 8 },
    { title: 'LIMIT', least: 8 },
  ]
  const text = (unit: BudgetUnit, amount: number): string => amountText({ unit, amount })
  const lines = rows
    .filter(({ unit, limit, spent }) => limit !== null || (unit === 'usd' && spent > 0))
    .map(({ scope, period, unit, spent, reserved, limit, raised }) => [
      `${scope} ${period}`,
      text(unit, spent),
      text(unit, reserved),
      limit === null ? 'none' : `${text(unit, limit)}${raised ? ' (raised)' : ''}`,
    ])
  printLines(
    lines.length === 0
      ? [`No budget is set in ${project}, and nothing was metered. Set one: anchorhold run --budget 5 …`]
      : renderTable(columns, lines, styleFor(process.stdout)),
  )
}

async function raise(accounts: Accounts, text: string, id: string | undefined): Promise<void> {
  const { scope, unit, amount } = parseBudget(text, 'anchorhold budget raise')
  const { found } = await read(accounts, id)
  const account = found.find((each) => each.scope === scope)
  const limit = account === undefined ? undefined : limitOf(account, unit)
  if (account === undefined || limit === undefined)
    throw new Failure('budget/no-limit', { unit: unit === 'usd' ? 'dollars' : unit, whose: whose(scope) })
  if (amount <= limit) {
    const [before, given] = [amountText({ unit, amount: limit }), amountText({ unit, amount })]
    throw new Failure('budget/not-higher', { whose: whose(scope), limit: before, given, example: `${scope}=${limit * 2}` })
  }
  const { period, project } = account
  await accounts.raise({ scope, period, ...(project === undefined ? {} : { project }) }, unit, amount)
  printLines([`The budget for ${whose(scope)} is ${amountText({ unit, amount })} now (it was ${amountText({ unit, amount: limit })}).`])
}
