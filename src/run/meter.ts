// Where this run meters what models use: prices, the user's accounts and the step that reads it. Loaded only by runs that may have something to meter.
import { meterGround } from '../gateway/meter/hosts.ts'
import { openAccounts } from '../gateway/meter/accounts.ts'
import { openMeter, type Meter } from '../gateway/meter/meter.ts'
import { meterStep } from '../gateway/steps/meter.ts'
import type { Step } from '../gateway/steps/step.ts'
import { loadPrices } from '../cost/prices-in-use.ts'
import type { Emit } from '../model/events.ts'
import type { Policy } from '../model/policy.ts'
import type { RunContext } from './context.ts'

export interface OpenedMeter extends Disposable {
  readonly step: Step
  readonly begin: Meter['begin']
  readonly close: Meter['close']
}

/** Throws Failure `cost/bad-prices`. */
export async function openRunMeter(input: {
  readonly policy: Policy
  readonly session: string
  readonly project: string
  readonly context: Pick<RunContext, 'env' | 'folders'>
  readonly emit: Emit
}): Promise<OpenedMeter> {
  const { policy, session, project, context, emit } = input
  const prices = await loadPrices(context.folders.config, undefined)
  const accounts = openAccounts(context.folders.state)
  const meter = openMeter({ session, project, limits: policy.budget ?? [], accounts, table: prices.table, emit })
  return {
    step: meterStep(meter, meterGround(policy, context.env)),
    begin: () => meter.begin(),
    close: () => meter.close(),
    [Symbol.dispose]: () => accounts[Symbol.dispose](),
  }
}
