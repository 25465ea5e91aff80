// Every error a user can meet: permanent names, what happened and why, then what to do. No logic in a message.
// Grouped by the phase that raises it; each group is one constant in its own file.
import { agentFailures } from './catalogue/agent.ts'
import { applyFailures } from './catalogue/apply.ts'
import { budgetFailures } from './catalogue/budget.ts'
import { commandFailures } from './catalogue/command.ts'
import { costFailures } from './catalogue/cost.ts'
import { engineFailures } from './catalogue/engine.ts'
import { exportFailures } from './catalogue/export.ts'
import { gatewayFailures } from './catalogue/gateway.ts'
import { imageFailures } from './catalogue/image.ts'
import { policyFailures } from './catalogue/policy.ts'
import { proveFailures } from './catalogue/prove.ts'
import { secretFailures } from './catalogue/secret.ts'
import { reviewFailures } from './catalogue/review.ts'
import { sessionFailures } from './catalogue/session.ts'
import { workspaceFailures } from './catalogue/workspace.ts'

export interface CatalogueEntry {
  readonly message: string
  readonly remedy: string
  readonly exitCode?: number
}

export type FailureCode =
  | keyof typeof agentFailures
  | keyof typeof applyFailures
  | keyof typeof budgetFailures
  | keyof typeof commandFailures
  | keyof typeof costFailures
  | keyof typeof engineFailures
  | keyof typeof exportFailures
  | keyof typeof gatewayFailures
  | keyof typeof imageFailures
  | keyof typeof policyFailures
  | keyof typeof proveFailures
  | keyof typeof secretFailures
  | keyof typeof reviewFailures
  | keyof typeof sessionFailures
  | keyof typeof workspaceFailures

export const catalogue: Readonly<Record<FailureCode, CatalogueEntry>> = {
  ...policyFailures,
  ...engineFailures,
  ...agentFailures,
  ...workspaceFailures,
  ...gatewayFailures,
  ...secretFailures,
  ...reviewFailures,
  ...sessionFailures,
  ...applyFailures,
  ...budgetFailures,
  ...commandFailures,
  ...imageFailures,
  ...exportFailures,
  ...costFailures,
  ...proveFailures,
}
