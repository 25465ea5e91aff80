// Runs a command on a pseudo-terminal (`script` of util-linux) and draws what it printed as docs/demo.svg: `npm run record`.
// Reads colours, bold and dim; anything else of a terminal's language is left out.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

interface Run {
  readonly text: string
  readonly colour: string | undefined
  readonly bold: boolean
  readonly dim: boolean
}

const columns = 112
const size = { character: 7.8, line: 18, margin: 16 }
const colours: Readonly<Record<number, string>> = {
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
  37: '#f0f6fc',
  90: '#8b949e',
  91: '#ffa198',
  92: '#56d364',
  93: '#e3b341',
  94: '#a5d6ff',
  95: '#d2a8ff',
  96: '#b3f0ff',
  97: '#ffffff',
}

/** What `argv` prints on a terminal of 112 columns, escape sequences included. */
function record(command: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'anchorhold-record-'))
  const file = path.join(folder, 'typescript')
  try {
    const env = { ...process.env, COLUMNS: String(columns), TERM: 'xterm-256color', CI: undefined, NO_COLOR: undefined }
    const { status } = spawnSync('script', ['-q', '-e', '-c', `stty cols ${columns} rows 60; ${command}`, file], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env,
    })
    if (status !== 0) throw new Error(`record: ${command} ended with ${status}`)
    return readFileSync(file, 'utf8')
      .replace(/^Script started.*\n/, '')
      .replace(/\n?Script done.*\n?$/, '')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Lines of differently coloured runs. */
export function parse(output: string): readonly (readonly Run[])[] {
  let [colour, bold, dim]: [string | undefined, boolean, boolean] = [undefined, false, false]
  return output
    .replaceAll('\r\n', '\n')
    .replace(/\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g, '')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const shown = line.slice(line.lastIndexOf('\r') + 1)
      const runs: Run[] = []
      for (const [, codes, other, text] of shown.matchAll(/\u001b\[([\d;]*)m|(\u001b\[[\d;?]*[A-Za-z])|([^\u001b]+)/g)) {
        if (text !== undefined) runs.push({ text, colour, bold, dim })
        if (codes === undefined || other !== undefined) continue
        for (const code of (codes === '' ? '0' : codes).split(';').map(Number)) {
          if (code === 0) [colour, bold, dim] = [undefined, false, false]
          else if (code === 1) bold = true
          else if (code === 2) dim = true
          else if (code === 22) [bold, dim] = [false, false]
          else if (code === 39) colour = undefined
          else colour = colours[code] ?? colour
        }
      }
      return runs
    })
}

/** A picture of the lines, text and all; no script, no font file, no reference to anything outside. */
export function draw(lines: readonly (readonly Run[])[], title: string): string {
  const width = Math.round(columns * size.character + 2 * size.margin)
  const height = (lines.length + 2) * size.line + 2 * size.margin
  const rows = lines.map((runs, index) => {
    const spans = runs.map(({ text, colour, bold, dim }) => {
      const style = [colour === undefined ? '' : ` fill="${colour}"`, bold ? ' font-weight="bold"' : '', dim ? ' opacity="0.65"' : ''].join(
        '',
      )
      return `<tspan${style}>${escape(text)}</tspan>`
    })
    return `<text x="${size.margin}" y="${(index + 2) * size.line + size.margin}" xml:space="preserve">${spans.join('')}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="13" fill="#c9d1d9">`,
    `<text x="${size.margin}" y="${size.margin + 8}" opacity="0.65">${escape(`$ ${title}`)}</text>`,
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** Too long for a line: cut, so that nothing runs out of the picture. */
function cut(lines: readonly (readonly Run[])[]): readonly (readonly Run[])[] {
  return lines.map((runs) => {
    let left = columns
    return runs.flatMap((run) => {
      const text = [...run.text].slice(0, left).join('')
      left -= text.length
      return text === '' ? [] : [{ ...run, text }]
    })
  })
}

if (import.meta.main) {
  const root = path.dirname(import.meta.dirname)
  const output = record(`'${root.replaceAll("'", String.raw`'\''`)}/bin/anchorhold' demo`)
  writeFileSync(path.join(root, 'docs/demo.svg'), draw(cut(parse(output)), 'anchorhold demo'))
}
