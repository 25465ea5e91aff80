// One budget for many processes: ten at once never pass it together, and one that is killed leaves neither a lock nor a reservation nor half a state.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openAccounts, type Accounts } from '../../../src/gateway/meter/accounts.ts'
import { accountsAt } from '../../../src/gateway/meter/periods.ts'
import { ownMark } from '../../../src/host/liveness.ts'
import type { BudgetLimit } from '../../../src/model/budget.ts'

const buyer = path.join(import.meta.dirname, 'fixtures/buyer.ts')
const at = new Date('2026-11-23T12:00:00')
const day: BudgetLimit = { scope: 'day', unit: 'usd', amount: 1 }

function makeState(): { readonly folder: string; readonly accounts: Accounts } {
  const folder = mkdtempSync(path.join(tmpdir(), 'ah-accounts-'))
  const accounts = openAccounts(folder)
  onTestFinished(() => {
    accounts[Symbol.dispose]()
    rmSync(folder, { recursive: true, force: true })
  })
  return { folder, accounts }
}

/** A process that buys for `price` cents until it is refused; says `reserved` before each and `spent` in the end. */
function buy(
  folder: string,
  session: string,
  price: number,
  hold: 'settle' | 'hold' = 'settle',
): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, ['--experimental-strip-types', '--no-warnings', buyer, folder, session, String(price), hold], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (piece: Buffer) => (text += piece.toString()))
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, said: () => text }
}

const spentOf = async (accounts: Accounts, session = 's0') =>
  (await accounts.read(accountsAt(session, '/p', at)[1] ?? { scope: 'day', period: '' })).spent

it('ten processes at once pass a limit by less than one request', async () => {
  const { folder, accounts } = makeState()
  const buyers = Array.from({ length: 10 }, (_, number) => buy(folder, `s${number}`, 7))
  await Promise.all(buyers.map(({ child }) => once(child, 'close')))
  const { usd, requests } = await spentOf(accounts)
  const bought = buyers.reduce((sum, { said }) => sum + (said().match(/reserved/g)?.length ?? 0), 0)
  expect(requests).toBe(bought)
  expect(usd).toBe(bought * 7e8) // to the ten-billionth
  expect(usd).toBeGreaterThanOrEqual(1e10)
  expect(usd).toBeLessThan(1.07e10)
}, 60_000)

it('a killed process gives back what it had reserved; what was settled stays', async () => {
  const { folder, accounts } = makeState()
  const first = buy(folder, 's1', 200, 'hold')
  await once(first.child.stdout ?? first.child, 'data')
  const names = accountsAt('s2', '/p', at)
  const worst = { usd: 1e8, tokens: 10, requests: 1 }
  expect(await accounts.reserve(names, [day], worst, ownMark())).toMatchObject({ kind: 'busy' })
  first.child.kill('SIGKILL')
  await once(first.child, 'close')
  const reserved = await accounts.reserve(names, [day], worst, ownMark())
  expect(reserved.kind).toBe('reserved')
  expect((await spentOf(accounts)).usd).toBe(0)
  if (reserved.kind === 'reserved') await accounts.settle(names, reserved.id, { usd: 3e8, tokens: 4, requests: 1 })
  expect(await spentOf(accounts)).toEqual({ usd: 3e8, tokens: 4, requests: 1 })
}, 60_000)

it('kills at any moment leave whole accounts: every purchase that was said is there, and at most one more for each that was killed', async () => {
  const { folder, accounts } = makeState()
  let [said, killed] = [0, 0]
  for (let round = 0; round < 6; round++) {
    const { child, said: text } = buy(folder, 's1', 1)
    await once(child.stdout ?? child, 'data')
    await new Promise((resolve) => setTimeout(resolve, round * 7))
    child.kill('SIGKILL')
    await once(child, 'close')
    said += text().match(/settled/g)?.length ?? 0
    killed += 1
  }
  const { usd, requests } = await spentOf(accounts)
  expect(usd).toBe(requests * 1e8)
  expect(requests).toBeGreaterThanOrEqual(said)
  expect(requests).toBeLessThanOrEqual(said + killed)
  const [, name] = accountsAt('s1', '/p', at)
  expect(name === undefined ? undefined : (await accounts.read(name)).reserved.usd).toBe(0)
}, 60_000)

it('a raise holds for its own account alone, and the file is its owner’s', async () => {
  const { folder, accounts } = makeState()
  const names = accountsAt('s1', '/p', at)
  const [, today] = names
  if (today === undefined) throw new Error('no day')
  await accounts.settle(names, 0, { usd: 1e10, tokens: 1, requests: 1 })
  const worst = { usd: 1, tokens: 1, requests: 1 }
  expect(await accounts.reserve(names, [day], worst, ownMark())).toMatchObject({ kind: 'spent', standing: { amount: 1, spent: 1 } })
  await accounts.raise(today, 'usd', 2)
  expect(await accounts.reserve(names, [day], worst, ownMark())).toMatchObject({ kind: 'reserved' })
  const tomorrow = accountsAt('s1', '/p', new Date('2026-11-24T12:00:00'))
  await accounts.settle(tomorrow, 0, { usd: 1e10, tokens: 1, requests: 1 })
  expect(await accounts.reserve(tomorrow, [day], worst, ownMark())).toMatchObject({ kind: 'spent', standing: { amount: 1 } })
  expect(statSync(path.join(folder, 'budget/accounts.sqlite')).mode & 0o777).toBe(0o600)
  expect(statSync(path.join(folder, 'budget')).mode & 0o777).toBe(0o700)
})

it('accounts of periods long over go when limits are written down; what is reserved, of this year, or named otherwise stays', async () => {
  const { accounts } = makeState()
  const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000)
  const named = (days: number) => {
    const date = daysAgo(days)
    return accountsAt(`${date.toISOString().slice(0, 10).replaceAll('-', '')}-120000-ab12`, '/a project', date)
  }
  const [young, old, reserved] = [named(300), named(500), named(600)]
  const one = { usd: 1, tokens: 2, requests: 1 }
  const odd = [{ scope: 'session', period: 's0' }] as const
  for (const names of [young, old, reserved, odd]) await accounts.settle(names, 0, one)
  for (const name of old) await accounts.raise(name, 'usd', 7)
  await accounts.reserve(reserved, [], one, ownMark())
  await accounts.declare([], [])
  const left = async (names: readonly Parameters<Accounts['read']>[0][]) =>
    Promise.all(names.map(async (name) => [(await accounts.read(name)).spent.requests, (await accounts.read(name)).raised.usd]))
  expect(await left(young)).toEqual([
    [1, undefined],
    [1, undefined],
    [1, undefined],
  ])
  expect(await left(old)).toEqual([
    [0, undefined],
    [0, undefined],
    [0, undefined],
  ])
  expect(await left(reserved)).toEqual([
    [1, undefined],
    [1, undefined],
    [1, undefined],
  ])
  expect(await left(odd)).toEqual([[1, undefined]])
})
