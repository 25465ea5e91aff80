// One value on one line of JSON, for machines and safe for terminals. Used wherever `--json` is.

/** JSON of pure ASCII without line feed: any terminal may show it, any parser reads the same value back. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
