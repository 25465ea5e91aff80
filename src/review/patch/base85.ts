// Git's binary patches: deflated, in its own alphabet of base 85, 52 bytes to a line (git, base85.c and Documentation of `GIT binary patch`). Pure.
import { deflateSync } from 'node:zlib'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~'

/** `literal SIZE` with its lines, ended by an empty one. */
export function literal(content: Buffer): string {
  const deflated = deflateSync(content)
  let lines = ''
  for (let at = 0; at < deflated.length; at += 52) {
    const part = deflated.subarray(at, at + 52)
    const length = part.length <= 26 ? String.fromCharCode(64 + part.length) : String.fromCharCode(96 + part.length - 26)
    lines += `${length}${encode(part)}\n`
  }
  return `literal ${content.length}\n${lines}\n`
}

/** Four bytes as five digits; the last four are filled with zeros. */
function encode(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    let value = 0
    for (let index = 0; index < 4; index += 1) value = value * 256 + (bytes[at + index] ?? 0)
    let digits = ''
    for (let index = 0; index < 5; index += 1) {
      digits = (alphabet[value % 85] ?? '') + digits
      value = Math.floor(value / 85)
    }
    text += digits
  }
  return text
}
