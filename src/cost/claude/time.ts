// Times as Claude Code writes them, from their bytes: `2026-11-23T16:58:40.123Z`.
import type { Bytes } from '../bytes.ts'
import { code } from './steps.ts'

/** The day that was read last, as its bytes and as the moment it begins: most lines of a file have the same. */
let [yearBytes, monthBytes, dayBytes] = [0, 0, 0]
let midnight = Number.NaN

/** Milliseconds since 1970; NaN where it is no such time. */
export function readTime(text: Bytes, start: number, end: number): number {
  const { bytes } = text
  const usual =
    end - start === 24 &&
    bytes[start + 10] === code.T &&
    bytes[start + 13] === code.colon &&
    bytes[start + 16] === code.colon &&
    bytes[start + 19] === code.dot &&
    bytes[start + 23] === code.Z
  if (!usual) return Date.parse(bytes.toString('latin1', start, end))
  const [hours, minutes, seconds] = [two(bytes, start + 11), two(bytes, start + 14), two(bytes, start + 17)]
  const [hundredths, thousandths] = [two(bytes, start + 20), (bytes[start + 22] as number) - code.zero]
  if (!(hours < 24 && minutes < 60 && seconds < 60 && hundredths < 100 && thousandths >= 0 && thousandths < 10))
    return Date.parse(bytes.toString('latin1', start, end))
  return midnightOf(text, start) + hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + hundredths * 10 + thousandths
}

function midnightOf({ bytes, words }: Bytes, start: number): number {
  const [year, month, day] = [words.getInt32(start, true), words.getInt32(start + 4, true), words.getInt16(start + 8, true)]
  if (year !== yearBytes || month !== monthBytes || day !== dayBytes) {
    midnight = Date.parse(bytes.toString('latin1', start, start + 10))
    ;[yearBytes, monthBytes, dayBytes] = [year, month, day]
  }
  return midnight
}

/** Of two digits; 100 where they are none. */
function two(bytes: Buffer, place: number): number {
  const [tens, ones] = [(bytes[place] as number) - code.zero, (bytes[place + 1] as number) - code.zero]
  return tens >= 0 && tens < 10 && ones >= 0 && ones < 10 ? tens * 10 + ones : 100
}
