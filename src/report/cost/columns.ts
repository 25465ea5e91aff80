// Columns that fit: the least important are left out until a line has room, numbers stand to the right. Neighbour: ../table.ts draws them.
import type { Style } from '../style.ts'
import { renderTable } from '../table.ts'
import { plain } from '../text.ts'
import { textWidth } from '../width.ts'

export interface CostColumn<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  /** Numbers and bars. */
  readonly right?: boolean
  /** Columns it keeps when room is short; all where nothing is said. */
  readonly least?: number
  /** The higher, the sooner it is left out; 0 never is. */
  readonly leave: number
}

const gap = 2

/** Lines of a table no wider than the terminal; columns that are empty in each row are left out too. */
export function renderColumns<Row>(columns: readonly CostColumn<Row>[], rows: readonly Row[], style: Style): readonly string[] {
  const made = columns
    .map((column) => {
      const cells = rows.map((row) => plain(column.cell(row)))
      const width = cells.reduce((widest, cell) => Math.max(widest, textWidth(cell)), textWidth(column.title))
      return { column, cells, width, least: Math.min(width, column.least ?? width) }
    })
    .filter(({ cells }) => cells.some((cell) => cell !== ''))
  const needed = (): number => made.reduce((sum, { least }) => sum + least + gap, -gap)
  while (needed() > style.width) {
    const last = made.filter(({ column }) => column.leave > 0).sort((a, b) => b.column.leave - a.column.leave)[0]
    if (last === undefined) break
    made.splice(made.indexOf(last), 1)
  }
  const align = (text: string, right: boolean | undefined, width: number): string => (right === true ? text.padStart(width) : text)
  return renderTable(
    made.map(({ column, width, least }) => ({ title: align(column.title, column.right, width), least })),
    rows.map((_, row) => made.map(({ column, cells, width }) => align(cells[row] ?? '', column.right, width))),
    style,
  )
}
