// Proof: everything that is made for one proof and goes with it: a folder in /tmp, one beside the project, one in the user's home, all with
// the proof's nonce in their names, and the values that must not come back. What a killed proof left is cleared by the next.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { liveness, ownMark, type ProcessMark } from '../host/liveness.ts'
import { readOwnRecord, writeOwnRecord } from '../host/own-record.ts'
import { reapBefore } from '../run/reap.ts'

/** Where they lead, a program inside could ask an agent of the host, draw on its screen or drive its editor. */
const sideDoors = [
  'SSH_AUTH_SOCK',
  'GPG_AGENT_INFO',
  'DBUS_SESSION_BUS_ADDRESS',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'VSCODE_IPC_HOOK_CLI',
  'TMUX',
  'KITTY_LISTEN_ON',
]

/** In the name of everything that a proof makes on the host. */
const stem = 'anchorhold-prove-'

export interface Canaries extends Disposable {
  readonly nonce: string
  /** Of the proof alone, below /tmp: state and data of its cells, the stand-in project, what the cells print. */
  readonly root: string
  /** Folders with canaries in them, by the place's name; one that could not be made is absent. */
  readonly folders: Readonly<Partial<Record<'beside' | 'home' | 'temp', string>>>
  /** Values that lie in files, in the environment, in a secret: none may come back from a cell. */
  readonly values: readonly string[]
  /** Of the shell that starts the cell: one of the proof's own, and those by which programs find agents, screens and editors. */
  readonly variables: Readonly<Record<string, string>>
  /** Of the proof's own secret. */
  readonly secret: string
  /** A file of anchorhold's own state that holds a canary. */
  readonly note: string
}

/** Makes them all. `stateDir`: where it is noted down what has to be cleared. */
export async function openCanaries(where: { project: string; home: string; stateDir: string }): Promise<Canaries> {
  const notes = path.join(where.stateDir, 'prove')
  mkdirSync(notes, { recursive: true, mode: 0o700 })
  await clearAfterCrash(notes)
  const nonce = randomBytes(5).toString('hex')
  const root = path.join(realpathSync(tmpdir()), `${stem}${nonce}`)
  const planned = {
    beside: path.join(path.dirname(where.project), `.${stem}${nonce}`),
    home: path.join(where.home, `.${stem}${nonce}-home`),
    temp: path.join(root, 'temp'),
  }
  const values: string[] = []
  const value = (): string => {
    const one = `CANARY-${nonce}-${randomBytes(8).toString('hex')}`
    values.push(one)
    return one
  }
  const note = path.join(notes, `${nonce}.json`)
  const made = [root, planned.beside, planned.home]
  await writeOwnRecord(note, { mark: ownMark(), made, canary: value() }) // before anything is made
  mkdirSync(root, { mode: 0o700 })
  const folders = Object.fromEntries(Object.entries(planned).filter(([, folder]) => fill(folder, value)))
  return {
    nonce,
    root,
    folders,
    values,
    variables: Object.fromEntries([`ANCHORHOLD_CANARY_${nonce.toUpperCase()}`, ...sideDoors].map((name) => [name, value()])),
    secret: value(),
    note,
    [Symbol.dispose]() {
      clear(made)
      rmSync(note, { force: true })
    },
  }
}

/** The files that people keep keys in; false where the folder may not be made (somebody else's parent folder). */
function fill(folder: string, value: () => string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
  for (const name of ['canary.txt', '.ssh/id_ed25519', '.aws/credentials', '.netrc', '.git-credentials']) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true, mode: 0o700 })
    writeFileSync(path.join(folder, name), `${value()}\n`, { mode: 0o600 })
  }
  return true
}

async function clearAfterCrash(notes: string): Promise<void> {
  for (const name of readdirSync(notes).filter((each) => each.endsWith('.json'))) {
    const file = path.join(notes, name)
    const note = noteOf(await readOwnRecord(file))
    if (note !== undefined && liveness(note.mark) !== 'gone') continue
    for (const root of note?.made.slice(0, 1) ?? []) {
      for (const round of readdirIfThere(root).filter((each) => each.startsWith('round-')))
        await reapBefore(path.join(root, round, 'state')).catch(() => undefined) // what cannot be reaped goes with the folder
    }
    clear(note?.made ?? [])
    rmSync(file, { force: true })
  }
}

/** Undefined for what no proof wrote. */
function noteOf(value: unknown): { readonly mark: ProcessMark; readonly made: readonly string[] } | undefined {
  if (typeof value !== 'object' || value === null || !('mark' in value) || !('made' in value)) return undefined
  const { mark, made } = value
  if (typeof mark !== 'object' || mark === null || !('machine' in mark) || typeof mark.machine !== 'string' || !Array.isArray(made))
    return undefined
  return { mark: mark as ProcessMark, made: made.filter((each): each is string => typeof each === 'string') }
}

function readdirIfThere(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

/** Only what carries a proof's name. */
function clear(made: readonly string[]): void {
  for (const each of made.filter((one) => path.basename(one).includes(stem))) rmSync(each, { recursive: true, force: true, maxRetries: 3 })
}
