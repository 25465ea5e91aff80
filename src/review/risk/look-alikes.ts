// Names that read like another: letters of other scripts, digits for letters, case, and full-width or composed forms. Pure.
// Used by text.ts. The table holds what is seen in file names, not all of Unicode's confusables (TR39).
import { isText } from '../../workspace/path-bytes.ts'

const letters: Readonly<Record<string, string>> = {
  а: 'a',
  ѕ: 's',
  с: 'c',
  ԁ: 'd',
  е: 'e',
  һ: 'h',
  і: 'i',
  ј: 'j',
  ӏ: 'l',
  о: 'o',
  р: 'p',
  ԛ: 'q',
  г: 'r',
  т: 't',
  у: 'y',
  х: 'x',
  ԝ: 'w',
  к: 'k',
  м: 'm',
  н: 'h',
  в: 'b',
  ν: 'v',
  ο: 'o',
  α: 'a',
  ι: 'i',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  κ: 'k',
  ϲ: 'c',
  ɡ: 'g',
  ɩ: 'i',
  ı: 'i',
  ⅼ: 'l',
  օ: 'o',
  ս: 'u',
  ց: 'g',
  հ: 'h',
  0: 'o',
  1: 'l',
  5: 's',
  3: 'e',
}

/** What counts as the same to a hasty reader. */
function skeleton(name: string): string {
  return [
    ...name
      .normalize('NFKC')
      .toLowerCase()
      .replace(/\p{Default_Ignorable_Code_Point}|\p{M}/gu, ''),
  ]
    .map((each) => letters[each] ?? each)
    .join('')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
}

const wellKnown: readonly string[] = [
  '.git',
  '.github',
  '.gitignore',
  '.gitattributes',
  '.gitmodules',
  '.vscode',
  '.idea',
  '.envrc',
  '.env',
  '.husky',
  '.claude',
  '.mcp.json',
  '.cursor',
  '.npmrc',
  '.ssh',
  '.bashrc',
  'anchorhold.yaml',
  'package.json',
  'package-lock.json',
  'Makefile',
  'Dockerfile',
  'README.md',
  'CLAUDE.md',
  'AGENTS.md',
  'LICENSE',
  'node_modules',
  'Cargo.toml',
  'pyproject.toml',
  'setup.py',
  'go.mod',
]
const known: ReadonlyMap<string, string> = new Map(wellKnown.map((name) => [skeleton(name), name]))

/** The name that one of the path's parts could be taken for; siblings are those that lie beside the last part. */
export function looksLike(path: string, siblings: () => readonly string[]): string | undefined {
  const parts = path.split('/')
  for (const part of parts) {
    const like = known.get(skeleton(part))
    if (like !== undefined && like !== part && part.toLowerCase() !== like.toLowerCase()) return like
    // Another case of a protected name is that name on a disk that ignores case.
    if (like !== undefined && like !== part && like.startsWith('.')) return like
  }
  const own = parts.at(-1) ?? ''
  const shape = skeleton(own)
  return siblings().find(
    (name) => name !== own && skeleton(name) === shape && (name.toLowerCase() === own.toLowerCase() || /[^\x00-\x7f]/.test(own + name)),
  )
}

/** The path as text; bytes that are no UTF-8 are told. */
export function decodePath(path: string): { readonly text: string; readonly valid: boolean } {
  return { text: path, valid: isText(path) }
}
