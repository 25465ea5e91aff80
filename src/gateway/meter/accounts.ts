// Gateway, meter: what was spent and what is reserved, in one file for all cells of a user. SQLite: its lock is the kernel's, which a killed
// process gives back, and a change is there whole or not at all. meter steps reserve and settle; `anchorhold budget` shows and raises.
import { chmodSync, closeSync, constants, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { liveness, type ProcessMark } from '../../host/liveness.ts'
import type { BudgetLimit, BudgetUnit } from '../../model/budget.ts'
import { accountsFile } from './accounts-file.ts'
import { meteredSchema, type MeteredNow } from './metered.ts'
import { accountKey, type AccountName } from './periods.ts'

/** Of dollars: ten-billionths, as price.ts counts. */
export type Amounts = Readonly<Record<BudgetUnit, number>>
export const nothing: Amounts = { usd: 0, tokens: 0, requests: 0 }
export const moneyPerDollar = 1e10
/** So that a year can be looked back on, and the file does not grow for ever. */
const keptDays = 400

export interface Account extends AccountName {
  readonly spent: Amounts
  readonly reserved: Amounts
  /** What the last policy said of it that did, and what it was raised to: absolute, for as long as the account's period lasts. */
  readonly policy: Readonly<Partial<Record<BudgetUnit, number>>>
  readonly raised: Readonly<Partial<Record<BudgetUnit, number>>>
}

export interface Standing extends BudgetLimit {
  readonly account: AccountName
  /** In the limit's own unit (dollars, not parts of them). */
  readonly spent: number
  readonly reserved: number
}

export type Reserved =
  | { readonly kind: 'reserved'; readonly id: number; readonly standings: readonly Standing[] }
  /** Nothing is left; or nothing beside what others have reserved. */
  | { readonly kind: 'spent' | 'busy'; readonly standing: Standing; readonly standings: readonly Standing[] }

export interface Accounts extends Disposable {
  /** Writes down which limits hold, before any request; accounts whose period is long over (`keptDays`) go. */
  declare(names: readonly AccountName[], limits: readonly BudgetLimit[]): Promise<void>
  /** Takes a request's worst case into all accounts, or none. `limits`: the policy's. */
  reserve(names: readonly AccountName[], limits: readonly BudgetLimit[], worst: Amounts, mark: ProcessMark): Promise<Reserved>
  /** The reservation goes, what was really used comes. Without a reservation (0) it is only added. */
  settle(names: readonly AccountName[], id: number, used: Amounts, metered?: MeteredNow): Promise<void>
  raise(name: AccountName, unit: BudgetUnit, amount: number): Promise<void>
  read(name: AccountName): Promise<Account>
}

const schema = `
create table if not exists account (key text primary key, usd integer not null default 0, tokens integer not null default 0, requests integer not null default 0) strict;
create table if not exists reserved (id integer not null, key text not null, usd integer not null, tokens integer not null, requests integer not null,
  pid integer not null, start integer not null, machine text not null, primary key (id, key)) strict;
create table if not exists allowed (key text not null, unit text not null, policy real, raised real, primary key (key, unit)) strict;
create table if not exists counter (id integer primary key autoincrement) strict;
`

/** `budget/accounts.sqlite` in the state folder, for its owner alone; made when it is first needed. Rejects with what the system or SQLite says. */
export function openAccounts(stateDir: string): Accounts {
  let opened: Database | undefined
  let ready = false
  let last: Promise<unknown> = Promise.resolve()
  /** One after the other in this process, too: a connection has one transaction. */
  const change = <T>(work: (database: Database) => T): Promise<T> => {
    const next = last.then(async () => {
      const database = (opened ??= openDatabase(stateDir))
      if (!ready) await transact(database, () => database.exec(schema + meteredSchema))
      ready = true
      return transact(database, () => work(database))
    })
    last = next.catch(() => undefined) // met by whoever asked for it
    return next
  }
  return {
    declare: (names, limits) =>
      change((database) => {
        removeOld(database, new Date())
        declare(database, names, limits)
      }),
    reserve: (names, limits, worst, mark) =>
      change((database): Reserved => {
        forget(database)
        declare(database, names, limits)
        const standings = names.flatMap((name) => standingsOf(read(database, name), limits))
        const full = standings.find(({ spent, amount }) => spent >= amount)
        if (full !== undefined) return { kind: 'spent', standing: full, standings }
        const waiting = standings.find(({ spent, reserved, amount }) => spent + reserved >= amount)
        if (waiting !== undefined) return { kind: 'busy', standing: waiting, standings }
        const id = Number(database.prepare('insert into counter default values').run().lastInsertRowid)
        database.prepare('delete from counter where id < ?').run(id)
        const insert = database.prepare('insert into reserved values (?, ?, ?, ?, ?, ?, ?, ?)')
        for (const name of names)
          insert.run(id, accountKey(name), worst.usd, worst.tokens, worst.requests, mark.pid, mark.start, mark.machine)
        return { kind: 'reserved', id, standings }
      }),
    settle: (names, id, used, metered) =>
      change((database) => {
        database.prepare('delete from reserved where id = ?').run(id)
        const add = database.prepare(
          `insert into account values (?, ?, ?, ?) on conflict do update set
           usd = usd + excluded.usd, tokens = tokens + excluded.tokens, requests = requests + excluded.requests`,
        )
        for (const name of names) add.run(accountKey(name), used.usd, used.tokens, used.requests)
        if (metered === undefined || metered.requests === 0) return
        database
          .prepare(
            `insert into metered values (?, ?, ?, ?) on conflict do update set
             requests = requests + excluded.requests, tokens = tokens + excluded.tokens, usd = usd + excluded.usd`,
          )
          .run(metered.agentSession, metered.requests, used.tokens, metered.usd)
      }),
    raise: (name, unit, amount) =>
      change((database) => {
        database
          .prepare('insert into allowed (key, unit, raised) values (?, ?, ?) on conflict do update set raised = excluded.raised')
          .run(accountKey(name), unit, amount)
      }),
    read: (name) =>
      change((database) => {
        forget(database)
        return read(database, name)
      }),
    [Symbol.dispose]: () => {
      opened?.close()
      opened = undefined
    },
  }
}

type Database = DatabaseSync

function openDatabase(stateDir: string): Database {
  const file = accountsFile(stateDir)
  const folder = path.dirname(file)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  closeSync(openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600))
  const sqlite = process.getBuiltinModule('node:sqlite')
  return new sqlite.DatabaseSync(file, { timeout: 0 })
}

/** One at a time over all processes; waits without holding this one up. */
async function transact<T>(database: Database, work: () => T): Promise<T> {
  await whenFree(() => database.exec('begin immediate'))
  try {
    const value = work()
    await whenFree(() => database.exec('commit')) // others that only look can be in the way of the last step
    return value
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

/** Half a minute at most. */
async function whenFree(work: () => void): Promise<void> {
  const until = Date.now() + 30_000
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || Date.now() > until) throw error
    }
    await sleep(2 + Math.random() * 8)
  }
}

function read(database: Database, name: AccountName): Account {
  const key = accountKey(name)
  const row = database.prepare('select usd, tokens, requests from account where key = ?').get(key)
  const sums = database
    .prepare('select total(usd) as usd, total(tokens) as tokens, total(requests) as requests from reserved where key = ?')
    .get(key)
  const allowed = database.prepare('select unit, policy, raised from allowed where key = ?').all(key)
  const said = (column: 'policy' | 'raised'): Account['policy'] =>
    Object.fromEntries(allowed.flatMap((each) => (each[column] === null ? [] : [[String(each['unit']), Number(each[column])]])))
  return { ...name, spent: amountsOf(row), reserved: amountsOf(sums), policy: said('policy'), raised: said('raised') }
}

/** What killed processes had reserved. */
function forget(database: Database): void {
  for (const { pid, start, machine } of database.prepare('select distinct pid, start, machine from reserved').all()) {
    const mark = { pid: Number(pid), start: Number(start), machine: String(machine) }
    if (liveness(mark) === 'gone')
      database.prepare('delete from reserved where pid = ? and start = ? and machine = ?').run(mark.pid, mark.start, mark.machine)
  }
}

/** Accounts of periods that began before; those with a reservation stay. */
function removeOld(database: Database, now: Date): void {
  const oldest = new Date(now.getTime() - keptDays * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '')
  const keys = database.prepare('select key from account union select key from allowed except select key from reserved').all()
  for (const row of keys) {
    const key = String(row['key'])
    const [, period = ''] = key.split(' ', 2)
    const began = period.replaceAll('-', '').slice(0, 8)
    if (!/^\d{6}(?:\d\d)?$/.test(began) || began >= oldest.slice(0, began.length)) continue
    for (const table of ['account', 'allowed']) database.prepare(`delete from ${table} where key = ?`).run(key)
  }
}

/** So that `anchorhold budget` can show limits that no request has met yet. */
function declare(database: Database, names: readonly AccountName[], limits: readonly BudgetLimit[]): void {
  const say = database.prepare(
    'insert into allowed (key, unit, policy) values (?, ?, ?) on conflict do update set policy = excluded.policy',
  )
  for (const { scope, unit, amount } of limits) for (const name of names) if (name.scope === scope) say.run(accountKey(name), unit, amount)
}

/** The limits that are an account's, raised where they were, with what they are held against. */
export function standingsOf(account: Account, limits: readonly BudgetLimit[]): readonly Standing[] {
  return limits.flatMap((limit) => {
    const { scope, period, project } = account
    if (limit.scope !== scope) return []
    const { unit } = limit
    const parts = unit === 'usd' ? moneyPerDollar : 1
    const amount = Math.max(limit.amount, account.raised[unit] ?? 0)
    const name = { scope, period, ...(project === undefined ? {} : { project }) }
    return [{ account: name, scope, unit, amount, spent: account.spent[unit] / parts, reserved: account.reserved[unit] / parts }]
  })
}

function amountsOf(row: Readonly<Record<string, unknown>> | undefined): Amounts {
  return { usd: Number(row?.['usd'] ?? 0), tokens: Number(row?.['tokens'] ?? 0), requests: Number(row?.['requests'] ?? 0) }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}
