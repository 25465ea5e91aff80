// Starts native/scout*.c, gives it the tables, and turns its records into matches and events. One scout per workspace.
// Neighbours: tables.ts says what to look for; open.ts decides what a match means.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { Failure } from '../errors/failure.ts'
import { nativePath } from '../host/paths.ts'
import { bytesOf, pathOf } from './path-bytes.ts'

/** What lies at a path: file, directory, link, socket, or a pipe or device. */
export type EntryType = 'f' | 'd' | 'l' | 's' | 'p'

export interface Match {
  /** Id of the pattern, or one of `gitPart`. */
  readonly id: number
  readonly type: EntryType
  /** Index of the root. */
  readonly root: number
  /** Relative to the root (see path-bytes.ts). */
  readonly path: string
  readonly inode: string
  /** Inode of the folder it lies in: tells a replaced folder from the one that was there at the start. */
  readonly folder: string
  /** Of git configurations: 1 names other files, 2 may hold a password, 4 could not be read. */
  readonly note: number
}

/** Ids of what the scout recognises by shape; see `enum special` in native/scout.h. */
export const gitPart = {
  config: 60001,
  hooks: 60002,
  worktreeConfig: 60003,
  link: 60004,
  commondir: 60005,
  unreadable: 60008,
  hook: 60009,
  innerLink: 60010,
  todo: 60011,
} as const

export interface ScoutPattern {
  /** Below 60000. */
  readonly id: number
  /** `f` not folders, `d` only folders, `r` only at the top of a repository, `n` also inside dependency folders, `j` watched for writes. */
  readonly flags: string
  /** With `**` spelt out: `**` + `/name` at any depth, else from the root. */
  readonly glob: string
}

export interface ScoutOrders {
  readonly roots: readonly { readonly path: string; readonly index?: string }[]
  readonly patterns: readonly ScoutPattern[]
  /** `watch` stays and reports; `commands` stays for sweeps and moves. */
  readonly mode: 'watch' | 'commands'
  readonly onEvent?: (event: ScoutEvent) => void
}

export type ScoutEvent =
  | { readonly kind: 'appeared' | 'vanished'; readonly match: Match }
  /** Every folder is watched now. */
  | { readonly kind: 'watching' }
  /** Events were lost, everything was compared again. */
  | { readonly kind: 'overflow' }
  /** The kernel gave no more watches: only the sweep at the end sees everything. */
  | { readonly kind: 'limit' }
  | { readonly kind: 'lost'; readonly reason: string }

export interface Scout extends AsyncDisposable {
  /** Everything that matched at the start. @throws Failure `workspace/scan` */
  readonly first: Promise<readonly Match[]>
  /** Everything that matches now; folders that became unreadable are opened as their owner. For after the cell's end. */
  sweep(): Promise<readonly Match[]>
  /** Moves `path` below `root` to `folder/name`; resolves to the reason why not, or ''. */
  move(root: string, path: string, folder: string, name: string): Promise<string>
  /** The way back of `move`; makes missing folders; never overwrites. */
  restore(folder: string, name: string, root: string, path: string): Promise<string>
}

export function startScout(orders: ScoutOrders): Scout {
  const child = spawn(nativePath('anchorhold-scout'), [], { env: {}, stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' })
  const said = listen(child, orders.onEvent ?? (() => undefined))
  send(child, [
    ...orders.patterns.map(({ id, flags, glob }) => `p${id}:${flags}:${glob}`),
    ...orders.roots.flatMap(({ path, index }) => [`r${path}`, ...(index === undefined ? [] : [`i${index}`])]),
    orders.mode === 'watch' ? 'w' : 'c',
    '',
  ])
  const first = said.answer()
  first.catch(() => undefined) // whoever awaits `first` meets it
  let sequence = 0
  const ask = (kind: 'm' | 'r', ...fields: readonly string[]) => {
    const number = String(++sequence)
    const reply = said.reply(number)
    send(child, [kind, number, ...fields])
    return reply
  }
  return {
    first,
    async sweep() {
      const answer = said.answer()
      send(child, ['s'])
      return answer
    },
    move: (root, path, folder, name) => ask('m', root, path, folder, name),
    restore: (folder, name, root, path) => ask('r', folder, name, root, path),
    async [Symbol.asyncDispose]() {
      said.leave()
      child.stdin.end()
      // It closes its output when all is done and kept. The kernel then takes some milliseconds for its watches; nobody waits for that.
      await Promise.race([said.ended, new Promise((resolve) => child.stdout.once('end', resolve))])
      child.unref()
    },
  }
}

function send(child: ChildProcessWithoutNullStreams, fields: readonly string[]): void {
  child.stdin.write(Buffer.concat(fields.flatMap((field) => [bytesOf(field), Buffer.from([0])])))
}

/** Reads the records; at most one answer (a list of matches) is under way at a time. */
function listen(child: ChildProcessWithoutNullStreams, onEvent: (event: ScoutEvent) => void) {
  const answers: PromiseWithResolvers<readonly Match[]>[] = []
  const replies = new Map<string, (reason: string) => void>()
  let matches: Match[] = []
  let rest: Buffer = Buffer.alloc(0)
  let head: string | undefined
  let failure = ''
  let leaving = false
  const record = (text: string) => {
    if (head !== undefined) {
      const match = matchOf(head.slice(1), text)
      if (head.startsWith('M')) matches.push(match)
      else onEvent({ kind: head.startsWith('A') ? 'appeared' : 'vanished', match })
      head = undefined
      return
    }
    switch (text.charAt(0)) {
      case 'M':
      case 'A':
      case 'V':
        head = text
        return
      case 'D':
        answers.shift()?.resolve(matches)
        matches = []
        return
      case 'R': {
        const comma = text.indexOf(',')
        const number = text.slice(1, comma)
        replies.get(number)?.(text.slice(comma + 1))
        replies.delete(number)
        return
      }
      case 'W':
        return onEvent({ kind: 'watching' })
      case 'O':
        return onEvent({ kind: 'overflow' })
      case 'L':
        return onEvent({ kind: 'limit' })
      default:
        failure ||= text.slice(1)
    }
  }
  child.stdout.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = bytes.lastIndexOf(0)
    const whole = bytes.subarray(0, Math.max(end, 0))
    rest = bytes.subarray(end + 1)
    if (end < 0) return
    const text = whole.toString('utf8')
    // A name that is not UTF-8 is rare: only then each record is decoded by itself.
    for (const field of text.includes('\ufffd') ? splitBytes(whole) : text.split('\0')) record(field)
  })
  child.stderr.on('data', (chunk: Buffer) => (failure ||= chunk.toString('utf8', 0, 500)))
  child.stdin.on('error', (error) => (failure ||= error.message))
  const ended = new Promise<void>((resolve) => {
    const finish = (reason: string) => {
      for (const answer of answers.splice(0)) answer.reject(new Failure('workspace/scan', { reason }))
      for (const reply of replies.values()) reply(reason)
      replies.clear()
      if (!leaving) onEvent({ kind: 'lost', reason })
      leaving = true
      resolve()
    }
    child.on('error', (error) => finish(error.message))
    child.on('close', (code, signal) => finish(failure || `its helper ended (${signal ?? code})`))
  })
  return {
    ended,
    leave: () => (leaving = true),
    answer() {
      const answer = Promise.withResolvers<readonly Match[]>()
      if (leaving) answer.reject(new Failure('workspace/scan', { reason: failure || 'its helper has ended' }))
      else answers.push(answer)
      return answer.promise
    },
    reply: (number: string) => new Promise<string>((resolve) => (leaving ? resolve('the helper has ended') : replies.set(number, resolve))),
  }
}

function splitBytes(bytes: Buffer): readonly string[] {
  const fields: string[] = []
  let at = 0
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, at)) {
    fields.push(pathOf(bytes.subarray(at, end)))
    at = end + 1
  }
  return [...fields, pathOf(bytes.subarray(at))]
}

function matchOf(head: string, path: string): Match {
  const [id = '', type = '', root = '', inode = '', folder = '', note = ''] = head.split(',')
  return { id: Number(id), type: type as EntryType, root: Number(root), path, inode, folder, note: Number(note) }
}
