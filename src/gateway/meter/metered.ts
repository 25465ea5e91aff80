// Gateway, meter: what was metered of each of an agent's own sessions, by the id that its requests carry; `anchorhold cost` sets it beside the logs.
// Written by accounts.ts, in the same file.
import { existsSync } from 'node:fs'
import type { Field } from '../steps/step.ts'
import { accountsFile } from './accounts-file.ts'

export interface Metered {
  readonly requests: number
  /** Of every class together. */
  readonly tokens: number
  /** Ten-billionths of a dollar. */
  readonly money: number
}

export interface MeteredNow {
  readonly agentSession: string
  readonly requests: number
  readonly usd: number
}

export const meteredSchema =
  'create table if not exists metered (session text primary key, requests integer not null, tokens integer not null, usd integer not null) strict;'

const carriers: readonly string[] = ['x-claude-code-session-id', 'session_id', 'session-id', 'conversation_id']

/** The id of its session that an agent sends along: Claude Code, Codex. */
export function agentSessionOf(fields: readonly Field[]): string | undefined {
  const found = fields.find(([name]) => carriers.includes(name.toLowerCase()))?.[1]
  return found !== undefined && /^[\w-]{8,64}$/.test(found) ? found : undefined
}

/** Of every session; none where nothing was ever metered, or where it cannot be read now. Writes nothing. */
export function readMetered(stateDir: string): ReadonlyMap<string, Metered> {
  const file = accountsFile(stateDir)
  if (!existsSync(file)) return new Map()
  const sqlite = process.getBuiltinModule('node:sqlite')
  try {
    const database = new sqlite.DatabaseSync(file, { readOnly: true, timeout: 200 })
    try {
      const rows = database.prepare('select session, requests, tokens, usd from metered').all()
      return new Map(
        rows.map(({ session, requests, tokens, usd }) => [
          String(session),
          { requests: Number(requests), tokens: Number(tokens), money: Number(usd) },
        ]),
      )
    } finally {
      database.close()
    }
  } catch (error) {
    if (error instanceof Error && 'errcode' in error) return new Map() // beside the logs it is a second opinion only
    throw error
  }
}
