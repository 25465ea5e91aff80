// Secrets: which values can be one. Checked wherever a value comes in: when it is stored, and when a run opens it.
import { Failure } from '../errors/failure.ts'

/** Shorter ones turn up by chance, in answers that would then be changed. */
const shortest = 8
/** More than any server takes in a header. */
const longest = 16_384

/** The value as it will be sent. Throws Failure `secret/bad-value`, which says why without showing it. */
export function checkValue(name: string, value: string, where: string): string {
  const refuse = (reason: string): never => {
    throw new Failure('secret/bad-value', { secret: name, where, reason })
  }
  if (value === '') return refuse('it is empty')
  if (/[\0-\x1f\x7f]/.test(value)) return refuse('it has a line feed or another control character, which no header or query can carry')
  if (/[^\x20-\x7e]/.test(value)) return refuse('it has characters outside ASCII')
  if (value.trim() !== value) return refuse('it begins or ends with a space')
  if (value.length < shortest) return refuse(`it is shorter than ${shortest} characters, and would turn up by chance in ordinary text`)
  if (value.length > longest) return refuse(`it is longer than ${longest} characters`)
  return value
}

/** Throws Failure `secret/bad-name` for what is no name of a variable. */
export function checkName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name)) throw new Failure('secret/bad-name', { secret: name.slice(0, 100) })
  return name
}

/** What a file or a command gave, without the line feed at its end. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}
