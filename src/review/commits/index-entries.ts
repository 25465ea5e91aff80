// Moves the index along with a branch that is checked out: of each path that the commits changed, where the index still has what the branch
// had. What the user staged stays staged. Used by replay.ts.
import { must, userGit } from './git.ts'

interface Row {
  readonly oldMode: string
  readonly oldId: string
  readonly mode: string
  readonly id: string
  /** Bytes as latin1. */
  readonly path: string
}

export function updateIndex(project: string, before: string, after: string): void {
  const empty = (id: string): boolean => /^0+$/.test(id)
  const tree = (id: string): string =>
    empty(id)
      ? must(userGit(project, ['hash-object', '-t', 'tree', '--stdin', '-w']), 'making an empty tree')
          .toString()
          .trim()
      : id
  const rows = parseRaw(
    must(userGit(project, ['diff-tree', '-r', '-z', '--no-renames', tree(before), tree(after)]), 'comparing the commits').toString(
      'latin1',
    ),
  )
  const staged = new Map(
    must(userGit(project, ['ls-files', '-s', '-z']), 'reading the index')
      .toString('latin1')
      .split('\0')
      .flatMap((line) => {
        const [, mode = '', id = '', stage = '', name = ''] = /^(\d+) ([0-9a-f]+) (\d)\t([\s\S]*)$/.exec(line) ?? []
        return stage === '0' ? [[name, `${mode} ${id}`] as const] : []
      }),
  )
  const input = rows
    .filter(({ path, oldMode, oldId }) => (staged.get(path) ?? '') === (empty(oldId) ? '' : `${oldMode} ${oldId}`))
    .map(({ mode, id, path }) => `${empty(id) ? '0' : mode} ${id}\t${path}\0`)
    .join('')
  if (input !== '')
    must(userGit(project, ['update-index', '-z', '--index-info'], { input: Buffer.from(input, 'latin1') }), 'updating the index')
  userGit(project, ['update-index', '-q', '--refresh'])
}

/** `:100644 100644 OLD NEW M\0PATH\0…` */
function parseRaw(text: string): readonly Row[] {
  const fields = text.split('\0')
  const rows: Row[] = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, oldMode = '', mode = '', oldId = '', id = ''] = /^:(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) /.exec(fields[at] ?? '') ?? []
    rows.push({ oldMode, mode, oldId, id, path: fields[at + 1] ?? '' })
  }
  return rows
}
