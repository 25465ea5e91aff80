// Secrets, login: a login that several cells, anchorholds and the agent itself share: its file is the truth, its refresh token is used once, by one
// of them. The cell has a placeholder of the access token; the refresh token never leaves this process but for its endpoint.
import { randomBytes } from 'node:crypto'
import { open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { Failure } from '../../errors/failure.ts'
import type { Ask, HeldSecret, SecretRule, SecretSource } from '../../model/secret.ts'
import { checkValue } from '../value.ts'
import { claudeLogin } from './claude.ts'
import type { LoginFormat, Tokens } from './format.ts'
import { awhile, takeLocks } from './lock.ts'

/** Refreshed so long before its end: what is under way then must not be refused. */
const marginMilliseconds = 300_000
/** For everybody who refreshes, one after the other. */
const patienceMilliseconds = 60_000

const formats: Readonly<Record<'claude', LoginFormat>> = { claude: claudeLogin }

type LoginSource = SecretSource & { readonly kind: 'login' }

/** The access token as the file has it now; undefined where it holds no login. */
export async function findLogin(source: LoginSource): Promise<string | undefined> {
  return (await read(formats[source.format], source.path)).tokens?.access
}

/** As findLogin. Throws Failure `secret/no-login`. */
export async function readLogin(name: string, source: LoginSource): Promise<string> {
  const found = await findLogin(source)
  if (found === undefined) throw new Failure('secret/no-login', { secret: name, file: source.path, again: formats[source.format].again })
  return found
}

/** `current` rejects with Failure `secret/login-ended`. */
export function holdLogin(
  { name }: Pick<SecretRule, 'name'>,
  source: LoginSource,
  first: string,
  ask: Ask,
): Pick<HeldSecret, 'current' | 'values'> {
  const format = formats[source.format]
  const seen = new Set([first])
  // Looked at by the first use: the file says when it ends.
  let tokens: Tokens = { access: first, refresh: '', expiresAt: 0 }
  let refreshing: Promise<Tokens> | undefined
  const current = async (): Promise<string> => {
    if (isFresh(tokens)) return tokens.access
    refreshing ??= refresh(format, source.path, ask).finally(() => (refreshing = undefined))
    tokens = await refreshing
    checkValue(name, tokens.access, source.path)
    seen.add(tokens.access)
    return tokens.access
  }
  return { current, values: () => [...seen] }
}

function isFresh({ expiresAt, refresh: token }: Tokens): boolean {
  return token === undefined
    ? expiresAt === undefined || expiresAt > Date.now()
    : expiresAt === undefined || expiresAt - marginMilliseconds > Date.now()
}

async function refresh(format: LoginFormat, file: string, ask: Ask): Promise<Tokens> {
  const until = Date.now() + patienceMilliseconds
  for (;;) {
    // Somebody else may have done it: another cell's anchorhold, or the agent on the host.
    const { tokens } = await read(format, file)
    if (tokens === undefined) throw ended(format, `${file} holds none any more`)
    if (isFresh(tokens)) return tokens
    // Near its end it still works, and is better than a refusal.
    const usable = tokens.expiresAt !== undefined && tokens.expiresAt > Date.now()
    await using lock = await takeLocks(format.locks(await realpath(file)))
    if (lock !== undefined) {
      try {
        return await exchange(format, file, ask)
      } catch (error) {
        if (usable && error instanceof Failure) return tokens
        throw error
      }
    }
    if (usable && tokens.expiresAt - Date.now() > patienceMilliseconds) return tokens
    if (Date.now() > until) throw ended(format, 'somebody else has been refreshing it for a minute')
    await awhile()
  }
}

/** With the lock held. The file is written before anybody hears of the new tokens: the old refresh token is worth nothing any more. */
async function exchange(format: LoginFormat, file: string, ask: Ask): Promise<Tokens> {
  const { content, tokens } = await read(format, file)
  if (tokens === undefined) throw ended(format, `${file} holds none any more`)
  if (isFresh(tokens)) return tokens
  if (tokens.refresh === undefined) throw ended(format, 'it has ended, and cannot be refreshed')
  const answer = await ask(format.endpoint, format.request(content, tokens.refresh)).catch((error: unknown) => {
    throw ended(format, `${format.endpoint.host} could not be asked: ${error instanceof Error ? error.message : 'unknown error'}`)
  })
  if (answer.status !== 200) throw ended(format, `${format.endpoint.host} refused to refresh it (${answer.status})`)
  const next = format.renewed(content, parse(answer.body), Date.now())
  const fresh = next === undefined ? undefined : format.read(next)
  if (fresh === undefined) throw ended(format, `${format.endpoint.host} answered something else`)
  await write(file, `${JSON.stringify(next)}\n`)
  return fresh
}

async function read(format: LoginFormat, file: string): Promise<{ readonly content: unknown; readonly tokens: Tokens | undefined }> {
  const content = parse(await readFile(file, 'utf8').catch(() => ''))
  return { content, tokens: format.read(content) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined // its message would quote the text
    throw error
  }
}

/** Whole or not at all; a link stays one. */
async function write(file: string, text: string): Promise<void> {
  const real = await realpath(file)
  const fresh = `${real}.${randomBytes(6).toString('hex')}`
  try {
    await using handle = await open(fresh, 'wx', 0o600)
    await handle.writeFile(text)
    await handle.sync()
    await rename(fresh, real)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}

function ended({ title, again }: LoginFormat, reason: string): Failure {
  return new Failure('secret/login-ended', { title, reason, again })
}
