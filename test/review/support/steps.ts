// Random trees and random work on them, as steps that a shell plays on the host and in a view alike. A step that cannot be done is left out.
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'

export type Step =
  | { readonly kind: 'write'; readonly path: string; readonly content: string }
  | { readonly kind: 'append'; readonly path: string; readonly content: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'move' | 'link' | 'hardlink'; readonly path: string; readonly to: string }
  | { readonly kind: 'mode'; readonly path: string; readonly mode: string }

/** Few names, so that steps meet; some that programs stumble over. Bytes stand as latin1. */
const name = fc.constantFrom('a', 'b', 'c', 'x y', '-r', 'n\nl', 'q"uo\\te', '\xff\xfe', 'é', '\x1b[1m', 'tab\there', 'a.b')
const anyPath = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const line = fc.constantFrom(
  '',
  'one',
  'two',
  'three',
  '\xff\x00bin',
  '\r',
  'x'.repeat(200),
  '--- a/x',
  '+++ b/y',
  '@@ -1 +1 @@',
  '\\ No newline',
)
const content = fc.oneof(
  fc.tuple(fc.array(line, { maxLength: 12 }), fc.boolean()).map(([lines, ended]) => lines.join('\n') + (ended ? '\n' : '')),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write' as const), path: anyPath, content }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), path: anyPath, content }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('remove' as const, 'folder' as const), path: anyPath }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('move' as const, 'link' as const, 'hardlink' as const), path: anyPath, to: anyPath }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('mode' as const), path: anyPath, mode: fc.constantFrom('644', '755', '600') }) },
)
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 10 })

/** A word of a POSIX shell with every byte as it is. */
function word(text: string): string {
  return `"$(printf '${[...Buffer.from(text, 'latin1')].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}.')"`
}

const own = '{ v=$1; v=${v%.}; }'

/** `.` is put behind each word, since `$(…)` takes line feeds away from its end. */
export function scriptOf(all: readonly Step[]): string {
  const lines = all.map((each) => {
    const path = `set -- ${word(each.path)}; ${own}; p=./$v`
    if (each.kind === 'write' || each.kind === 'append') {
      const bytes = [...Buffer.from(each.content, 'latin1')].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
      return `${path}; d=\${p%/*}; mkdir -p "$d"; [ -L "$p" ] || printf '${bytes}' ${each.kind === 'write' ? '>' : '>>'} "$p"`
    }
    if (each.kind === 'remove') return `${path}; rm -rf "$p"`
    if (each.kind === 'folder') return `${path}; mkdir -p "$p"`
    if (each.kind === 'mode') return `${path}; [ -L "$p" ] || [ -d "$p" ] || chmod ${each.mode} "$p"`
    const to = `set -- ${word(each.to)}; ${own}; t=./$v; d=\${t%/*}; mkdir -p "$d"`
    if (each.kind === 'move') return `${path}; ${to}; [ -d "$t" ] || mv "$p" "$t"`
    if (each.kind === 'hardlink') return `${path}; ${to}; [ -d "$p" ] || [ -L "$p" ] || [ -e "$t" ] || ln "$p" "$t"`
    return `${path}; ${to}; [ -e "$t" ] || [ -L "$t" ] || ln -s "$v" "$t"`
  })
  return `exec 2>/dev/null; ${lines.map((each) => `( ${each} )`).join('\n')}\ntrue`
}

export function playing(folder: string, all: readonly Step[]): void {
  execFileSync('sh', ['-c', scriptOf(all)], { cwd: folder })
}
