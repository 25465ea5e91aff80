// A commit of the agent's in words that are the agent's beyond doubt: its author marked, its message without controls, its approvals quoted. Pure.

export interface RawCommit {
  readonly tree: string
  readonly parents: readonly string[]
  /** `Name <email>`, as the agent wrote it. */
  readonly author: string
  /** Seconds and zone: `1700000000 +0000`. */
  readonly date: string
  readonly message: string
}

/** Reads what `git cat-file commit` prints; undefined where it is not understood. */
export function parseCommit(bytes: Buffer): RawCommit | undefined {
  const text = bytes.toString('utf8')
  const end = text.indexOf('\n\n')
  const head = (end < 0 ? text : text.slice(0, end)).split('\n')
  const field = (name: string): readonly string[] =>
    head.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1))
  const [tree] = field('tree')
  const author = /^(.*) (\d{1,11} [+-]\d{4})$/.exec(field('author')[0] ?? '')
  if (tree === undefined || author === null) return undefined
  return { tree, parents: field('parent'), author: author[1] ?? '', date: author[2] ?? '', message: end < 0 ? '' : text.slice(end + 2) }
}

/** Lines by which tools and people take a commit for approved or signed. */
const approval =
  /^(\s*)((?:signed-off|acked|reviewed|approved|tested|reported|verified|authored|co-authored)(?:-by)?\s*:|(?:change-id|gpg-signature|fixes|closes|resolves)\s*:?)/i

/** What controls, and what is not seen, becomes visible. */
function visible(text: string): string {
  return text.replace(
    /(?!\n|\t)[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu,
    (each) => `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

/** The commit as it is written to the real repository. `committer`: as `git var GIT_COMMITTER_IDENT` gives it. */
export function replayed(
  commit: RawCommit,
  by: {
    readonly agent: string
    readonly session: string
    readonly committer: string
    readonly parents: readonly string[]
    readonly now: number
  },
): string {
  const [seconds = '0', zone = '+0000'] = commit.date.split(' ')
  const date = `${Math.min(Number(seconds), by.now)} ${zone}`
  const own = visible(commit.message.slice(0, 65_536)).trimEnd()
  const lines = own.split('\n').map((line) => (approval.test(line) ? `> ${line}` : line))
  const author = visible(commit.author)
    .replace(/[\n\t]/g, ' ')
    .slice(0, 200)
  const trailers = [`Anchorhold-Session: ${by.session}`, `Anchorhold-Author: ${author}`]
  return [
    `tree ${commit.tree}`,
    ...by.parents.map((parent) => `parent ${parent}`),
    `author ${by.agent} in anchorhold <agent@anchorhold.invalid> ${date}`,
    `committer ${by.committer}`,
    '',
    ...(own === '' ? ['(no message)'] : lines),
    '',
    ...trailers,
    '',
  ].join('\n')
}
