// Times as Claude Code writes them, from their bytes: `2026-11-23T16:58:40.123Z`.

let lastDay = ''
let lastDayBytes: Buffer = Buffer.alloc(10)
let lastMidnight = Number.NaN

/** Milliseconds since 1970; NaN where it is no such time. */
export function readTime(buffer: Buffer, start: number, end: number): number {
  if (end - start !== 24 || buffer[end - 1] !== 0x5a || buffer[start + 10] !== 0x54)
    return Date.parse(buffer.toString('latin1', start, end))
  let at = 0
  while (at < 10 && buffer[start + at] === lastDayBytes[at]) at++
  if (at < 10) {
    lastDay = buffer.toString('latin1', start, start + 10)
    lastDayBytes = Buffer.from(lastDay, 'latin1')
    lastMidnight = Date.parse(lastDay)
  }
  const two = (place: number): number => (buffer[start + place] as number) * 10 + (buffer[start + place + 1] as number) - 528
  const milliseconds = two(20) * 10 + (buffer[start + 22] as number) - 48
  return lastMidnight + two(11) * 3_600_000 + two(14) * 60_000 + two(17) * 1000 + milliseconds
}
