// Gateway, meter: the session's own view of its budget: lets a request through, or says why not; counts what it was; warns. The step
// (steps/meter.ts) asks it for each request; accounts.ts keeps what all cells share.
import { setTimeout as sleep } from 'node:timers/promises'
import { ownMark } from '../../host/liveness.ts'
import type { BudgetLimit } from '../../model/budget.ts'
import type { Emit } from '../../model/events.ts'
import { amountText } from '../../policy/budget.ts'
import type { PriceTable } from '../../usage/price.ts'
import { standingsOf, type Accounts, type Amounts, type Standing } from './accounts.ts'
import { accountKey, accountsAt, type AccountName } from './periods.ts'

export interface MeterInput {
  readonly session: string
  readonly project: string
  readonly limits: readonly BudgetLimit[]
  readonly accounts: Accounts
  readonly table: PriceTable
  readonly emit: Emit
  /** How long a request waits while only the reservations of others stand in its way. Default: a minute. */
  readonly waitMilliseconds?: number
}

export interface Admission {
  readonly names: readonly AccountName[]
  readonly id: number
}

export interface Meter {
  readonly limits: readonly BudgetLimit[]
  readonly table: PriceTable
  readonly emit: Emit
  /** The limits are known to `anchorhold budget` from now on. */
  begin(): void
  /** Or the reason why it must not be sent. */
  admit(worst: Amounts): Promise<Admission | { readonly refused: string; readonly busy: boolean }>
  /** Once for each admission, however the request ended. */
  settle(admission: Admission, used: Amounts, agentSession?: string): Promise<void>
  refuse(reason: string): void
  /** What the agent is to be told, until `noted`. */
  note(): string | undefined
  noted(): void
  /** Work that goes on after an answer is through; `close` waits for it. */
  track(work: Promise<void>): void
  /** Waits for what is under way, and tells where the budget stands. Idempotent. */
  close(): Promise<void>
}

const warnAt = 0.8
/** Refusals that are told one by one. */
const mostTold = 100

export function openMeter(input: MeterInput): Meter {
  const { session, project, limits, accounts, table, emit } = input
  const mark = ownMark()
  const namesNow = (): readonly AccountName[] => accountsAt(session, project, new Date())
  const warned = new Set<string>()
  const under = new Set<Promise<void>>()
  const waiting = new Set<() => void>()
  let notes: string[] = []
  let told = 0
  let closed = false

  const warn = (standings: readonly Standing[]): void => {
    for (const standing of standings) {
      const { account, scope, unit, amount, spent } = standing
      const key = `${accountKey(account)} ${unit} ${amount}`
      if (amount <= 0 || spent < amount * warnAt || warned.has(key)) continue
      warned.add(key)
      emit({ kind: 'budget.warning', scope, unit, spent, limit: amount, raise: raiseCommand(session, standing) })
      notes.push(
        `${Math.floor((spent / amount) * 100)} % of the budget for ${whose(scope)} is spent (${amountText({ unit, amount: spent })} of ${amountText({ unit, amount })}).`,
      )
    }
  }
  const standing = async (): Promise<readonly Standing[]> => {
    const found: Standing[] = []
    for (const name of namesNow())
      if (limits.some(({ scope }) => scope === name.scope)) found.push(...standingsOf(await accounts.read(name), limits))
    return found
  }
  const refuse = (reason: string): void => {
    told += 1
    if (told <= mostTold) emit({ kind: 'budget.refused', reason })
  }
  const track = (work: Promise<void>): void => {
    under.add(work)
    work.then(
      () => under.delete(work),
      (error: unknown) => {
        under.delete(work)
        const reason = error instanceof Error ? error.message : 'unknown error'
        emit({ kind: 'warning', code: 'budget/accounts', message: `The accounts of the budget could not be written: ${reason}` })
      },
    )
  }
  return {
    limits,
    table,
    emit,
    refuse,
    track,
    begin: () => (limits.length === 0 ? undefined : track(accounts.declare(namesNow(), limits))),
    async admit(worst) {
      const until = Date.now() + (input.waitMilliseconds ?? 60_000)
      for (;;) {
        const names = namesNow()
        if (limits.length === 0) return { names, id: 0 }
        const reserved = await accounts.reserve(names, limits, worst, mark)
        warn(reserved.standings)
        if (reserved.kind === 'reserved') return { names, id: reserved.id }
        const { standing: full } = reserved
        if (reserved.kind === 'spent') {
          const reason = `the budget for ${whose(full.scope)} is spent: ${amountText({ unit: full.unit, amount: full.spent })} of ${amountText(full)}. To go on, the user can raise it while this runs: ${raiseCommand(session, full)}`
          return { refused: reason, busy: false }
        }
        if (closed || Date.now() >= until)
          return {
            refused: `the rest of the budget for ${whose(full.scope)} is reserved for requests that are under way (${amountText(full)} in all); try again when they are over`,
            busy: true,
          }
        const abort = new AbortController()
        const wake = (): void => abort.abort()
        waiting.add(wake)
        await sleep(250, undefined, { signal: abort.signal }).catch(() => undefined) // woken
        waiting.delete(wake)
      }
    },
    async settle({ names, id }, used, agentSession) {
      const metered = agentSession === undefined ? undefined : { agentSession, requests: used.requests, usd: used.usd }
      await accounts.settle(names, id, used, metered)
      for (const wake of waiting) wake()
      if (limits.length > 0) warn(await standing())
    },
    note: () =>
      notes.length === 0
        ? undefined
        : `<system-reminder>A note of anchorhold, the sandbox that this session runs in: ${notes.join(' ')} Requests to models end when it is used up. Finish what matters most, and leave the work in a state that can be used.</system-reminder>`,
    noted: () => {
      notes = []
    },
    async close() {
      if (closed) return
      closed = true
      await Promise.race([Promise.allSettled(under), sleep(2_000, undefined, { ref: false })])
      if (limits.length > 0)
        emit({
          kind: 'budget.state',
          rows: (await standing()).map(({ scope, unit, amount, spent }) => ({ scope, unit, spent, limit: amount })),
        })
    },
  }
}

export function whose(scope: BudgetLimit['scope']): string {
  return { session: 'this session', day: 'this project today', month: 'this month' }[scope]
}

/** Twice as much, for the user to change. */
function raiseCommand(session: string, { scope, unit, amount }: Standing): string {
  const more = unit === 'usd' ? `${Number(Math.max(amount * 2, 0.01).toFixed(2))}` : `'${Math.max(1, amount * 2)} ${unit}'`
  return `anchorhold budget raise ${scope}=${more} ${session}`
}
