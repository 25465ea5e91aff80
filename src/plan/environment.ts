// The cell's environment: built from nothing, then named variables only. Pure.
import path from 'node:path'
import type { EnvRule } from '../model/policy.ts'
import type { Identity } from './identity.ts'
import { isWithin } from '../host/paths.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Taken from the caller as they are: how the terminal looks, language, time zone. Never a credential, a path or a socket. */
const passed = ['TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR', 'CLICOLOR', 'LANG', 'LANGUAGE', 'TZ', 'COLUMNS', 'LINES'] as const
/** Node and Bun; Python's requests and pip; OpenSSL where it was not built by the system. */
const caVariables = ['NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE'] as const
const passedPrefix = /^LC_[A-Z]+$/
const basePath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

export interface EnvironmentInput {
  readonly hostEnv: Env
  readonly identity: Identity
  /** Of the agent: what it sets and which of the caller's variables it may see. */
  readonly agentEnv: Readonly<Record<string, string>>
  readonly passEnv: readonly string[]
  readonly rules: readonly EnvRule[]
  /** Placeholders of the policy's secrets, by name. */
  readonly placeholders: Readonly<Record<string, string>>
  /** Read-only folders that the cell sees besides /usr: entries of the caller's PATH below them are kept. */
  readonly visible: readonly string[]
  /** The machine's certificate bundle. Programs that bring authorities of their own then trust what the machine trusts, a company's included. */
  readonly caBundle?: string
  /** The same for every run-time that is told by a variable, where the gateway ends TLS (trust.ts). */
  readonly trust?: Readonly<Record<string, string>>
}

/** The whole environment of the command; later sources win: base, passed, agent, policy, and a secret's placeholder above all. */
export function makeEnvironment(input: EnvironmentInput): {
  readonly env: Readonly<Record<string, string>>
  readonly unset: readonly string[]
} {
  const { hostEnv, identity } = input
  const env: Record<string, string> = {
    ANCHORHOLD: '1',
    HOME: identity.home,
    LANG: 'C.UTF-8',
    LOGNAME: identity.user,
    PATH: cellPath(hostEnv['PATH'] ?? '', input.visible),
    SHELL: '/bin/bash',
    TMPDIR: '/tmp',
    USER: identity.user,
    XDG_RUNTIME_DIR: `/run/user/${identity.uid}`,
  }
  if (input.caBundle !== undefined) for (const name of caVariables) env[name] = input.caBundle
  Object.assign(env, input.trust)
  const names = new Set<string>([...passed, ...input.passEnv, ...Object.keys(hostEnv).filter((name) => passedPrefix.test(name))])
  for (const name of names) copy(env, hostEnv, name)
  Object.assign(env, input.agentEnv)
  const unset: string[] = []
  for (const rule of input.rules) {
    if (Object.hasOwn(input.placeholders, rule.name)) continue
    if (rule.value !== undefined) env[rule.name] = rule.value
    else if (!copy(env, hostEnv, rule.name)) unset.push(rule.name)
  }
  return { env: { ...env, ...input.placeholders }, unset }
}

function copy(into: Record<string, string>, from: Env, name: string): boolean {
  const value = from[name]
  if (value === undefined) return false
  into[name] = value
  return true
}

/** The caller's PATH as far as the cell has those folders, in the caller's order, then the system's own. */
function cellPath(hostPath: string, visible: readonly string[]): string {
  const roots = ['/usr', ...visible]
  const kept = hostPath
    .split(':')
    .filter((entry) => path.isAbsolute(entry) && path.normalize(entry) === entry && roots.some((root) => isWithin(entry, root)))
  return [...new Set([...kept, ...basePath])].join(':')
}
