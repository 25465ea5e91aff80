// Lays rows out in columns that fit the terminal. Cells are made plain here, so that no row can break out of its line.
import type { Style } from './style.ts'
import { plain } from './text.ts'
import { fit, textWidth } from './width.ts'

export interface Column {
  readonly title: string
  /** Columns it keeps when room is short; default: 8, or less where its content is narrower. */
  readonly least?: number
}

const gap = 2

/** Lines without line feeds, the titles first; none for no rows. Wide columns give way first; a line never exceeds `style.width`. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): readonly string[] {
  if (rows.length === 0) return []
  const cells = rows.map((row) => columns.map((_, index) => plain(row[index] ?? '')))
  const widths = columns.map((column, index) => Math.max(textWidth(column.title), ...cells.map((row) => textWidth(row[index] ?? ''))))
  shrink(widths, columns, style.width)
  const line = (row: readonly string[]) =>
    fit(
      row.map((cell, index) => pad(fit(cell, widths[index] ?? 0), index === row.length - 1 ? 0 : (widths[index] ?? 0) + gap)).join(''),
      style.width,
    ).trimEnd()
  return [style.bold(line(columns.map((column) => column.title))), ...cells.map(line)]
}

function shrink(widths: number[], columns: readonly Column[], available: number): void {
  const floor = widths.map((width, index) => Math.min(width, columns[index]?.least ?? 8))
  for (;;) {
    const over = widths.reduce((sum, width) => sum + width, gap * (widths.length - 1)) - available
    if (over <= 0) return
    const candidates = widths.map((width, index) => ({ index, width, room: width - (floor[index] ?? 0) })).filter(({ room }) => room > 0)
    const widest = candidates.sort((a, b) => b.width - a.width)[0]
    if (widest === undefined) return
    const second = candidates[1]?.width ?? 0
    widths[widest.index] = widest.width - Math.min(over, widest.room, Math.max(1, widest.width - second))
  }
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)))
}
