// Shows long output through the user's pager on a terminal; straight to standard output everywhere else. The pager's argv comes from PAGER,
// split at blanks, never through a shell; programs inside the project are never started for it.
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { isWithin } from '../host/paths.ts'

/** Writes every line, each ended. Resolves when all is read, or when nobody reads any more. */
export async function page(
  lines: Iterable<string>,
  options: { readonly env: Readonly<Record<string, string | undefined>>; readonly project: string; readonly terminal: boolean },
): Promise<void> {
  const argv = options.terminal ? pagerOf(options.env, options.project) : undefined
  if (argv === undefined) return write(lines, process.stdout)
  const [file = '', ...args] = argv
  const child = spawn(file, args, {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...options.env, LESS: options.env['LESS'] ?? 'FRX', LESSOPEN: '' },
  })
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => resolve())
    child.on('close', () => resolve())
  })
  const ignore = (): void => undefined
  process.on('SIGINT', ignore) // the pager's own
  child.stdin.on('error', ignore)
  await write(lines, child.stdin)
  child.stdin.end()
  await ended
  process.off('SIGINT', ignore)
}

async function write(lines: Iterable<string>, to: NodeJS.WritableStream & { readonly destroyed?: boolean }): Promise<void> {
  let pending = ''
  for (const line of lines) {
    pending += `${line}\n`
    if (pending.length < 64 * 1024) continue
    await written(pending, to)
    pending = ''
    if (to.destroyed === true) return
  }
  if (pending !== '') await written(pending, to)
}

/** Resolves when it is with the reader, or when there is none any more: a command that ends before would cut it. */
export function written(text: string | Uint8Array, to: NodeJS.WritableStream = process.stdout): Promise<void> {
  return new Promise((resolve) => void to.write(text, () => resolve()))
}

function pagerOf(env: Readonly<Record<string, string | undefined>>, project: string): readonly string[] | undefined {
  const [name = '', ...args] = (env['PAGER'] ?? 'less -R').split(/\s+/).filter((word) => word !== '')
  if (name === '' || name === 'cat') return undefined
  const folders = name.includes('/')
    ? ['']
    : (env['PATH'] ?? '').split(':').filter((folder) => path.isAbsolute(folder) && !isWithin(folder, project))
  const found = folders.map((folder) => path.join(folder, name)).find(isExecutable)
  if (found === undefined) return undefined
  return [found, ...args]
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
