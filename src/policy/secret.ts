// Policy: one line of `secrets:` or one `--secret` becomes a binding. Never a value: those are opened by secrets/ when a run starts.
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import type { Origin } from '../model/policy.ts'
import type { SecretPlace, SecretRule, SecretSource } from '../model/secret.ts'
import { oddInMethod } from './host-entry.ts'
import { whereOf } from './host-rule.ts'
import { oddInPattern } from './path-pattern.ts'
import type { HostFolders } from './paths.ts'
import type { SecretEntry } from './schema.ts'
import { awsRules, awsText } from './secret-aws.ts'
import { gitBinding, gitText } from './secret-git.ts'
import { parseSecretHost } from './secret-hosts.ts'
import { show } from './show.ts'

/** Unless a line says otherwise; query and body have to be asked for. */
const usualPlaces: readonly SecretPlace[] = ['header', 'basic']
/** What every cell has its own of, or what decides which code programs load: a placeholder there would only break things. */
const ownVariables =
  /^(?:ANCHORHOLD\w*|HOME|LANG|LC_\w+|LOGNAME|PATH|SHELL|TERM|TMPDIR|USER|XDG_\w+|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|LD_\w+|BASH_ENV|IFS)$/
/** Where a credential in a header could be read as something else, or would be dropped on the way. */
const noFields =
  /^(?:host|content-.*|transfer-encoding|connection|upgrade|te|trailer|expect|range|if-.*|accept.*|proxy-.*|x-forwarded.*|sec-.*)$/

/** `NAME@HOST[:PORT][,HOST[:PORT]…]`; the value is the caller's variable NAME. Throws Failure `policy/bad-secret`. */
export async function parseSecretFlag(text: string, origin: Origin): Promise<SecretRule> {
  const equals = text.indexOf('=')
  // What stands there may be the value itself: it is not repeated.
  if (equals > 0)
    return refuseSecret(
      text.slice(0, equals),
      'a value is never written on the command line: it is taken from your variable of that name',
      {
        ...origin,
        source: '--secret',
      },
    )
  const at = text.indexOf('@')
  if (at === -1) return refuseSecret(text, 'it names no host: a secret is bound to the hosts that may get it', origin)
  const name = checkName(text.slice(0, at), origin)
  const hosts = text.slice(at + 1).split(',')
  return {
    name,
    from: { kind: 'env', variable: name },
    hosts: await Promise.all(hosts.map((host) => parseSecretHost(host, name, origin))),
    where: usualPlaces,
    origin,
  }
}

/** A line of a policy file, checked in shape; an AWS key is several. Throws Failure `policy/bad-secret`. */
export async function parseSecret(entry: SecretEntry, origin: Origin, folders: HostFolders): Promise<readonly SecretRule[]> {
  const name = checkName(entry.name, origin)
  const refuse = (reason: string): never => refuseSecret(name, reason, origin)
  for (const method of entry.methods ?? []) {
    const odd = oddInMethod(method)
    if (odd !== undefined) return refuse(`${show(method)}: ${odd}`)
  }
  for (const pattern of entry.paths ?? []) {
    const odd = oddInPattern(pattern, 'allow')
    if (odd !== undefined) return refuse(`${show(pattern)}: ${odd}`)
  }
  if (entry.aws !== undefined) {
    const hosts = await Promise.all(entry.hosts.map((host) => parseSecretHost(host, name, origin)))
    return awsRules(entry, entry.aws, { from: readFrom(entry, refuse, folders), hosts, origin, ...limitsOf(entry, refuse) }, refuse)
  }
  const git = entry.git === undefined ? undefined : gitBinding(entry, entry.git, refuse)
  const header = entry.header?.toLowerCase()
  if (header !== undefined && (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(header) || noFields.test(header.replaceAll(/[^a-z0-9]/g, '-'))))
    return refuse(`${show(entry.header ?? '')} is not a header field for a credential`)
  const where = entry.where === undefined ? (header === undefined ? usualPlaces : (['header'] as const)) : [entry.where].flat()
  if (header !== undefined && !where.includes('header')) return refuse('it names a header field, but "where" has no header')
  return [
    {
      name,
      from: readFrom(entry, refuse, folders),
      hosts: await Promise.all(entry.hosts.map((host) => parseSecretHost(host, name, origin))),
      where: [...new Set(where)],
      ...(header === undefined ? {} : { header }),
      ...limitsOf(entry, refuse),
      ...(git === undefined ? {} : { git }),
      origin,
    },
  ]
}

/** What every kind of secret may say of its requests. */
function limitsOf(entry: SecretEntry, refuse: (reason: string) => never): Pick<SecretRule, 'methods' | 'paths' | 'pass' | 'websocket'> {
  return {
    ...(entry.methods === undefined ? {} : { methods: entry.methods }),
    ...(entry.paths === undefined ? {} : { paths: entry.paths }),
    ...(entry.pass === undefined ? {} : { pass: entry.pass.map((field) => passName(field, refuse)) }),
    ...(entry.websocket === true ? { websocket: true } : {}),
  }
}

/** Two lines for one name: whichever won, somebody would be surprised where the value goes. */
export function refuseTwice(rules: readonly SecretRule[]): void {
  const twice = rules.find(({ name }, index) => rules.findIndex((other) => other.name === name) !== index)
  if (twice !== undefined) refuseSecret(twice.name, 'it is named twice; name all its hosts in one place', twice.origin)
}

export function refuseSecret(name: string, reason: string, origin: Origin): never {
  throw new Failure('policy/bad-secret', { secret: show(name), reason, where: whereOf(origin) })
}

/** Where the value comes from, in words; shown by `policy`, `explain` and `trust`. */
export function sourceText(from: SecretSource): string {
  if (from.kind === 'env') return `your variable ${from.variable}`
  if (from.kind === 'file') return `the file ${show(from.path, 300)}`
  if (from.kind === 'login') return `the login in ${show(from.path, 300)}`
  if (from.kind === 'command') return `the command ${show(from.argv.join(' '), 200)}`
  return from.kind === 'store' ? "anchorhold's store" : `the keyring (service ${show(from.service)}, account ${show(from.account)})`
}

/** In words: "Authorization, Basic", "the field private-token". */
export function placesText({ where, header, git, aws }: SecretRule): string {
  if (aws !== undefined) return awsText(aws)
  if (git !== undefined) return gitText(git)
  const words = { header: header === undefined ? 'header' : `the field ${header}`, basic: 'Basic', query: 'query', body: 'body' }
  return where.map((place) => words[place]).join(', ')
}

function passName(field: string, refuse: (reason: string) => never): string {
  const name = field.toLowerCase().replaceAll('_', '-')
  if (name === 'authorization') return refuse("the Authorization of a bound host is never just anybody's")
  return /^[a-z0-9.-]+$/.test(name) ? name : refuse(`${show(field)} is no name of a header field or a parameter`)
}

function checkName(name: string, origin: Origin): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name))
    return refuseSecret(name, 'a name has letters, digits and _ only: it is a variable inside', origin)
  if (ownVariables.test(name)) return refuseSecret(name, 'every cell has its own variable of that name', origin)
  return name
}

function readFrom({ name, from = 'env' }: SecretEntry, refuse: (reason: string) => never, folders: HostFolders): SecretSource {
  if (from === 'env') return { kind: 'env', variable: name }
  if (from === 'store') return { kind: 'store' }
  if (from === 'keyring') return { kind: 'keyring', service: 'anchorhold', account: name }
  const { env, file, command, keyring, account } = from
  const given = [env, file, command, keyring].filter((value) => value !== undefined)
  if (given.length !== 1) return refuse('"from" names one source: env, file, command or keyring')
  if (account !== undefined && keyring === undefined) return refuse('an account belongs to a keyring')
  if (env !== undefined)
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(env) ? { kind: 'env', variable: env } : refuse(`${show(env)} is no name of a variable`)
  if (keyring !== undefined) return { kind: 'keyring', service: keyring, account: account ?? name }
  if (file !== undefined)
    return { kind: 'file', path: file.startsWith('~/') ? path.join(folders.home, file.slice(2)) : path.resolve(folders.base, file) }
  const [program = '', ...rest] = command ?? []
  return program.includes('/') && !path.isAbsolute(program)
    ? refuse('its command is a path that depends on the current folder; write it in full, or the name alone')
    : { kind: 'command', argv: [program, ...rest] }
}
