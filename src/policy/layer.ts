// Policy: what one source says (a file, the flags), read but not yet merged. Made by layer-of-*.ts, compared by narrow.ts, merged by merge.ts.
import type {
  EngineChoice,
  EnvRule,
  FileMount,
  HostRule,
  Origin,
  PassRule,
  PathRule,
  PermissionMode,
  Route,
  WorkspaceMode,
} from '../model/policy.ts'
import type { BudgetRule } from '../model/budget.ts'
import type { ImageRule } from '../model/image.ts'
import type { SecretRule } from '../model/secret.ts'
import type { LimitName } from './limits.ts'

export interface Said<T> {
  readonly value: T
  readonly origin: Origin
}

export interface Layer {
  readonly engine?: Said<EngineChoice>
  readonly agent?: Said<string>
  readonly image?: ImageRule
  readonly workspace?: Said<WorkspaceMode>
  readonly mode?: Said<PermissionMode>
  /** One row per tool pattern; absent where the source does not speak of them. */
  readonly tools?: readonly Said<string>[]
  readonly mount: readonly FileMount[]
  readonly hide: readonly PathRule[]
  readonly protect: readonly PathRule[]
  readonly unprotect: readonly PathRule[]
  readonly env: readonly EnvRule[]
  /** Presets by name, not yet expanded: a project's are not even asked for before they are approved. */
  readonly presets: readonly Said<string>[]
  readonly rules: readonly HostRule[]
  readonly routes: readonly Route[]
  readonly passThrough: readonly PassRule[]
  readonly secrets: readonly SecretRule[]
  readonly budget: readonly BudgetRule[]
  readonly limits: readonly (Said<number | 'none'> & { readonly name: LimitName })[]
}

/** A source that says nothing. */
export const silentLayer: Layer = {
  mount: [],
  hide: [],
  protect: [],
  unprotect: [],
  env: [],
  presets: [],
  rules: [],
  routes: [],
  passThrough: [],
  secrets: [],
  budget: [],
  limits: [],
}
