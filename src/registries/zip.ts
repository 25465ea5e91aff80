// Registries: one text file out of a zip (a jar), enough for maven.ts. Format: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
import { inflateRawSync } from 'node:zlib'

/** The first entry whose name fits, as UTF-8; undefined where there is none. Throws RangeError on a damaged file. */
export function readZipEntry(zip: Buffer, name: RegExp): string | undefined {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  if (end === -1) return undefined
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)]
    if (name.test(zip.toString('utf8', at + 46, at + 46 + nameLength))) return content(zip, at)
    at += 46 + nameLength + extraLength + commentLength
  }
  return undefined
}

function content(zip: Buffer, entry: number): string | undefined {
  const method = zip.readUInt16LE(entry + 10)
  const size = zip.readUInt32LE(entry + 20)
  const local = zip.readUInt32LE(entry + 42)
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
  const bytes = zip.subarray(start, start + size)
  if (method === 0) return bytes.toString('utf8')
  return method === 8 ? inflateRawSync(bytes, { maxOutputLength: 2 ** 20 }).toString('utf8') : undefined
}
