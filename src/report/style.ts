// Colours for the report phase, one decision per stream: NO_COLOR, FORCE_COLOR and pipes are honoured by node:util itself.
// Text from outside goes through text.ts before it is coloured.
import { isatty } from 'node:tty'
import { styleText } from 'node:util'

export interface Style {
  bold(text: string): string
  dim(text: string): string
  bad(text: string): string
  good(text: string): string
  warn(text: string): string
  /** Columns of the terminal; 80 in a pipe or where the terminal doesn't say. */
  readonly width: number
  readonly terminal: boolean
}

type Format = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

/** Styles for what is written to `stream` (https://no-color.org, FORCE_COLOR as Node reads it). */
export function styleFor(stream: NodeJS.WriteStream & { readonly fd: number }): Style {
  const paint = (format: Format) => (text: string) => styleText(format, text, { stream })
  const columns = stream.isTTY && stream.columns > 0 ? stream.columns : 80
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    bad: paint('red'),
    good: paint('green'),
    warn: paint('yellow'),
    width: columns,
    terminal: isatty(stream.fd),
  }
}

/** No colour at all: for JSON, tests and files. */
export const unstyled: Style = {
  bold: (text) => text,
  dim: (text) => text,
  bad: (text) => text,
  good: (text) => text,
  warn: (text) => text,
  width: 80,
  terminal: false,
}
