// Gateway, meter: where the accounts lie. By itself, so that whoever finds none loads nothing that could read them.
import path from 'node:path'

export function accountsFile(stateDir: string): string {
  return path.join(stateDir, 'budget', 'accounts.sqlite')
}
