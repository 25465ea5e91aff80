// Secrets: where values are read: one function per kind of source, asked once when a run starts. The value goes nowhere but to its caller.
import { constants } from 'node:fs'
import { access, open, realpath } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { codeOf } from '../host/error-code.ts'
import { isWithin } from '../host/paths.ts'
import { capture } from '../host/process.ts'
import type { SecretRule, SecretSource } from '../model/secret.ts'
import { findLogin, readLogin } from './login/hold.ts'
import { readStored } from './store.ts'
import { withoutLineEnd } from './value.ts'

export interface SourceContext {
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly hostHome: string
  /** anchorhold's data folder. */
  readonly dataDir: string
  /** What the cell can read: the project and every mount. A value that lies there is no secret from it. */
  readonly shown: readonly string[]
  /** What commands have answered already in this run, by their argv. */
  readonly answers?: Map<string, Promise<string>>
}

type Read<Kind extends SecretSource['kind']> = (
  name: string,
  from: Extract<SecretSource, { kind: Kind }>,
  context: SourceContext,
) => Promise<string> | string

/** A login is more than a value: login/hold.ts opens it. */
type Plain = Exclude<SecretSource, { kind: 'login' }>

const readers: { readonly [Kind in Plain['kind']]: Read<Kind> } = {
  env: readVariable,
  file: readFile,
  command: readCommand,
  keyring: readKeyring,
  store: (name, _from, { dataDir }) => readStored(dataDir, name),
}

/** The value as its source has it. Throws a Failure of the group `secret` that names the source and what to do. */
async function readSource({ name, from }: SecretRule, context: SourceContext): Promise<string> {
  if (from.kind === 'login') return readLogin(name, from)
  const read = readers[from.kind] as Read<Plain['kind']>
  return read(name, from, context)
}

/** As readSource, but undefined where an optional secret's source has nothing. */
export async function readOptional(rule: SecretRule, context: SourceContext): Promise<string | undefined> {
  if (rule.optional !== true) return readSource(rule, context)
  if (rule.from.kind === 'env') return context.hostEnv[rule.from.variable] || undefined
  if (rule.from.kind === 'login') return findLogin(rule.from)
  return (await readSource(rule, context)) || undefined
}

function readVariable(name: string, { variable }: { readonly variable: string }, { hostEnv }: SourceContext): string {
  const value = hostEnv[variable]
  if (value === undefined || value === '') throw new Failure('secret/unset', { secret: name, variable })
  return value
}

async function readFile(
  name: string,
  { path: file, member }: { readonly path: string; readonly member?: string },
  { shown }: SourceContext,
): Promise<string> {
  const refuse = (reason: string): never => {
    throw new Failure('secret/file', { secret: name, file, reason })
  }
  const real = await realpath(file).catch((error: unknown) =>
    refuse(codeOf(error) === 'ENOENT' ? 'it does not exist' : `it can't be reached (${codeOf(error)})`),
  )
  const seen = shown.find((folder) => isWithin(real, folder))
  if (seen !== undefined) return refuse(`it lies in ${seen}, where the cell can read it; keep it elsewhere`)
  const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) =>
    refuse(`it can't be opened (${codeOf(error)})`),
  )
  await using scope = new AsyncDisposableStack()
  scope.defer(() => handle.close())
  const facts = await handle.stat()
  if (!facts.isFile()) return refuse('it is not a regular file')
  if (facts.uid !== process.getuid?.() && facts.uid !== 0) return refuse('it belongs to another user')
  if ((facts.mode & 0o077) !== 0)
    return refuse(`others may read or write it (mode ${(facts.mode & 0o777).toString(8)}); chmod 600 mends that`)
  if (facts.size > 65_536) return refuse('it is larger than 64 KiB')
  return picked(name, file, withoutLineEnd(await handle.readFile('utf8')), member)
}

/** The user's own program with the user's own environment; found in PATH, but never in what the cell can write. */
async function readCommand(
  name: string,
  { argv, member }: { readonly argv: readonly [string, ...string[]]; readonly member?: string },
  context: SourceContext,
): Promise<string> {
  const [program, ...args] = argv
  const found = await findProgram(program, context)
  if (found === undefined) throw new Failure('secret/no-program', { secret: name, program })
  const key = JSON.stringify(argv)
  // Several parts of one key come from one answer: a command may ask the user for a finger or a password each time.
  const answer = context.answers?.get(key) ?? run(name, [found, ...args], program, context)
  context.answers?.set(key, answer)
  return picked(name, program, await answer, member)
}

/** One member of a JSON object; '' where it is not there. */
function picked(name: string, source: string, text: string, member: string | undefined): string {
  if (member === undefined) return text
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error // its message would quote the text
    throw new Failure('secret/not-json', { secret: name, source, member })
  }
  if (typeof value !== 'object' || value === null) throw new Failure('secret/not-json', { secret: name, source, member })
  const found = (value as Readonly<Record<string, unknown>>)[member]
  return typeof found === 'string' ? found : ''
}

async function readKeyring(
  name: string,
  { service, account }: { readonly service: string; readonly account: string },
  context: SourceContext,
): Promise<string> {
  const found = await findProgram('secret-tool', context)
  if (found === undefined) throw new Failure('secret/no-keyring', { secret: name })
  const value = await run(name, [found, 'lookup', 'service', service, 'account', account], 'secret-tool', context)
  if (value === '') throw new Failure('secret/not-in-keyring', { secret: name, service, account })
  return value
}

async function run(
  name: string,
  argv: readonly [string, ...string[]],
  program: string,
  { hostEnv, hostHome }: SourceContext,
): Promise<string> {
  const env = Object.fromEntries(Object.entries(hostEnv).flatMap(([variable, value]) => (value === undefined ? [] : [[variable, value]])))
  // Long enough for a finger on a key; its input is at its end from the beginning.
  const answer = await capture(argv, { cwd: hostHome, env, timeoutMilliseconds: 60_000, maxBytes: 1_048_576 })
  if (answer.code === 0) return withoutLineEnd(answer.stdout)
  if (program === 'secret-tool' && answer.code === 1 && answer.stderr.trim() === '') return ''
  const said = answer.stderr.trim().split('\n').slice(-3).join(' / ').slice(0, 300)
  const reason = answer.timedOut ? 'it took longer than 60 seconds' : `it ended with ${answer.code}${said === '' ? '' : `: ${said}`}`
  throw new Failure('secret/command', { secret: name, program, reason })
}

async function findProgram(program: string, { hostEnv, shown }: SourceContext): Promise<string | undefined> {
  const folders = program.includes('/')
    ? ['']
    : (hostEnv['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(':').filter((folder) => path.isAbsolute(folder))
  for (const folder of folders) {
    const file = path.join(folder, program)
    const real = await access(file, constants.X_OK).then(
      () => realpath(file),
      () => undefined,
    )
    if (real !== undefined && ![file, real].some((place) => shown.some((root) => isWithin(place, root)))) return file
  }
  return undefined
}
