// Policy: ports in rules and routes, strictly: decimal, no sign, no leading zero, 1 to 65535.

/** The port, or undefined for any other spelling (`0`, `0443`, `+443`, `443abc`, `65536`). Never throws. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined
  const port = Number(text)
  return port <= 65535 ? port : undefined
}
