// Every error a user can meet: permanent names, what happened and why, then what to do. No logic in a message.
// Grouped by the phase that raises it; each group is one constant in its own file.
import { engineFailures } from './catalogue/engine.ts'
import { policyFailures } from './catalogue/policy.ts'
import { agentFailures } from './catalogue/agent.ts'
import { gatewayFailures } from './catalogue/gateway.ts'
import { sessionFailures } from './catalogue/session.ts'
import { workspaceFailures } from './catalogue/workspace.ts'
import { commandFailures } from './catalogue/command.ts'

export interface CatalogueEntry {
  readonly message: string
  readonly remedy: string
  readonly exitCode?: number
}

const entries = {
  ...policyFailures,
  ...engineFailures,
  ...agentFailures,
  ...workspaceFailures,
  ...gatewayFailures,
  ...sessionFailures,
  ...commandFailures,
} as const satisfies Record<string, CatalogueEntry>

export type FailureCode = keyof typeof entries

export const catalogue: Readonly<Record<FailureCode, CatalogueEntry>> = entries
