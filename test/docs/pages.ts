// The README and the pages of docs/, taken apart into their code blocks and links.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const root: string = path.resolve(import.meta.dirname, '../..')

export const pages: readonly string[] = [
  'README.md',
  ...readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

export interface Block {
  readonly page: string
  /** 1-based line of the fence. */
  readonly line: number
  /** What stands behind the fence: `sh`, `sh no-run`, `yaml`, … */
  readonly kind: string
  readonly code: string
  /** The reason in `<!-- not run: … -->` right above. */
  readonly reason?: string
}

export function textOf(page: string): string {
  return readFileSync(path.join(root, page), 'utf8')
}

export function blocksOf(page: string): readonly Block[] {
  const lines = textOf(page).split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const kind = /^```(.*)$/.exec(lines[at] ?? '')?.[1]
    if (kind === undefined) continue
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`${page}:${at + 1}: the block has no end`)
    const reason = /^<!-- not run: (.+) -->$/.exec(lines[at - 1] ?? '')?.[1]
    blocks.push({ page, line: at + 1, kind, code: lines.slice(at + 1, end).join('\n'), ...(reason === undefined ? {} : { reason }) })
    at = end
  }
  return blocks
}

/** Targets of links and pictures that are files of this repository, without their anchors. */
export function linksOf(page: string): readonly { readonly target: string; readonly anchor: string }[] {
  return [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor = ''] = target.split('#')
      return { target: file === '' ? page : path.join(path.dirname(page), file), anchor }
    })
}
