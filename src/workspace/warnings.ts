// What the user should know before the agent works, though nothing is wrong with the wall: secrets that a cover can't hide.
import path from 'node:path'
import type { Emit } from '../model/events.ts'
import { readPlain, readSmall } from './judge.ts'
import type { Reach } from './reach.ts'

export interface WarnInput {
  readonly project: string
  /** Absolute paths that are empty inside. */
  readonly hidden: readonly string[]
  readonly withSecrets: Reach['withSecrets']
  readonly emit: Emit
}

/** Largest git index that is looked through: about a million paths. */
const largestIndex = 128 * 2 ** 20

/** Emits warnings; never rejects for what can't be read. Needs no answer before the cell starts. */
export async function warnOfSecrets(input: WarnInput): Promise<void> {
  for (const { path: file, keys } of input.withSecrets) {
    input.emit({
      kind: 'warning',
      code: 'files/secret-in-git-config',
      message: `${file} holds a password or token (${keys.join(', ')}), which the agent can read.`,
      remedy: 'Take it out of the address and let a credential helper of the host keep it: git remote set-url NAME https://HOST/PATH',
    })
  }
  for (const { file, holds } of tokenFiles) {
    const text = await readSmall(path.join(input.project, file))
    if (typeof text === 'string' && holds.test(text)) {
      input.emit({
        kind: 'warning',
        code: 'files/secret-in-settings',
        message: `${file} holds a token, which the agent can read.`,
        remedy: `anchorhold run --hide /${file} …`,
      })
    }
  }
  const tracked = await trackedOf(input)
  if (tracked.length > 0) {
    input.emit({
      kind: 'warning',
      code: 'files/hidden-but-tracked',
      message: `${tracked.slice(0, 5).join(', ')}${tracked.length > 5 ? ` and ${tracked.length - 5} more` : ''}: hidden, but tracked by git, whose objects still hold the content.`,
      remedy: 'Change the secrets in them, and remove the files from the history.',
    })
  }
}

const tokenFiles: readonly { readonly file: string; readonly holds: RegExp }[] = [
  { file: '.npmrc', holds: /^[^#;\n]*(_authToken|_auth|_password)\s*=\s*(?!["']?\$\{)\S/m },
  { file: '.yarnrc.yml', holds: /^[^#\n]*npmAuth(Token|Ident)\s*:\s*(?!["']?\$\{)\S/m },
]

/** Hidden paths named by the project's git index (gitformat-index(5)): versions 2 and 3 hold whole paths, version 4 only their ends. */
async function trackedOf({ project, hidden }: WarnInput): Promise<readonly string[]> {
  const inside = hidden.filter((place) => place.startsWith(`${project}/`)).map((place) => place.slice(project.length + 1))
  if (inside.length === 0) return []
  const index = await readPlain(path.join(project, '.git/index'), largestIndex)
  if (!Buffer.isBuffer(index) || index.length < 12 || index.toString('latin1', 0, 4) !== 'DIRC') return []
  if (index.readUInt32BE(4) > 3) {
    const tracked = pathsOfVersion4(index)
    return inside.filter((file) => tracked.has(file) || [...tracked].some((one) => one.startsWith(`${file}/`)))
  }
  return inside.filter((file) => {
    const bytes = Buffer.from(`${file}\0`)
    const folder = Buffer.from(`${file}/`)
    // The length of the path stands in the two bytes before it, so that `a/.env` is not taken for `.env`.
    for (let at = index.indexOf(bytes); at >= 0; at = index.indexOf(bytes, at + 1))
      if ((index.readUInt16BE(at - 2) & 0xfff) === Math.min(bytes.length - 1, 0xfff)) return true
    return index.includes(folder)
  })
}

/** Version 4: each path is what remains of the one before after some bytes are cut from its end, and new ones behind it. */
function pathsOfVersion4(index: Buffer): ReadonlySet<string> {
  const paths = new Set<string>()
  let before = Buffer.alloc(0)
  let at = 12
  for (let left = index.readUInt32BE(8); left > 0 && at + 62 < index.length; left -= 1) {
    const isExtended = (index.readUInt16BE(at + 60) & 0x4000) !== 0
    at += isExtended ? 64 : 62 // of SHA-1; of SHA-256 nothing sensible is read, and nothing warned of
    let cut = (index[at] ?? 0) & 0x7f
    while (((index[at] ?? 0) & 0x80) !== 0) {
      at += 1
      cut = ((cut + 1) << 7) | ((index[at] ?? 0) & 0x7f)
    }
    const end = index.indexOf(0, at + 1)
    if (end < 0 || cut > before.length) break
    before = Buffer.concat([before.subarray(0, before.length - cut), index.subarray(at + 1, end)])
    paths.add(before.toString('utf8'))
    at = end + 1
  }
  return paths
}
