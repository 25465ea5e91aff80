// Gateway, meter: one answer as its bytes pass: decoded where the server compressed it, cut into events, each event read by the shape.
// Bounded: an event or body that is longer than `mostBytes` is not held, and the answer counts as untold.
import type { Transform } from 'node:stream'
import type { Field } from '../steps/step.ts'
import { object, type Json, type ModelShape, type Told } from './shape.ts'

const mostBytes = 16 * 2 ** 20
/** Of one answer, decompressed. */
const mostDecoded = 512 * 2 ** 20

export interface AnswerReader {
  readonly told: Told
  readonly streamed: boolean
  push(piece: Buffer): void
  /** Resolves when the last byte was read, which for a compressed answer is a little later. */
  end(): Promise<void>
}

/** `onFirst` is called at the first token. */
export function readAnswer(shape: ModelShape, fields: readonly Field[], onFirst: () => void): AnswerReader {
  const value = (name: string): string => fields.find(([each]) => each.toLowerCase() === name)?.[1]?.toLowerCase() ?? ''
  const streamed = value('content-type').includes('event-stream')
  const told: Told = { complete: false }
  const plain = streamed ? readStream(shape, told, onFirst) : readWhole(shape, told, onFirst)
  const coding = value('content-encoding').trim()
  if (coding === '' || coding === 'identity') return { told, streamed, push: (piece) => plain.push(piece), end: async () => plain.end() }
  return { told, streamed, ...decoded(coding, plain) }
}

interface Reader {
  push(piece: Buffer): void
  end(): void
}

function decoded(coding: string, plain: Reader): Pick<AnswerReader, 'push' | 'end'> {
  const decoder = decoderOf(coding)
  if (decoder === undefined) return { push: () => undefined, end: async () => undefined }
  const over = new Promise<void>((resolve) => decoder.once('close', resolve))
  let bytes = 0
  decoder.on('data', (piece: Buffer) => {
    bytes += piece.length
    if (bytes > mostDecoded) decoder.destroy()
    else plain.push(piece)
  })
  decoder.on('end', () => plain.end())
  decoder.on('error', () => decoder.destroy()) // what cannot be read counts as untold
  return {
    push: (piece) => void (decoder.writable && decoder.write(Buffer.from(piece))),
    end: () => {
      decoder.end()
      return over
    },
  }
}

function decoderOf(coding: string): Transform | undefined {
  const zlib = process.getBuiltinModule('node:zlib')
  if (coding === 'gzip' || coding === 'x-gzip') return zlib.createGunzip()
  if (coding === 'deflate') return zlib.createInflate()
  if (coding === 'br') return zlib.createBrotliDecompress()
  return coding === 'zstd' ? zlib.createZstdDecompress() : undefined
}

function readWhole(shape: ModelShape, told: Told, onFirst: () => void): Reader {
  const held: Buffer[] = []
  let size = 0
  return {
    push(piece) {
      if (size === 0 && piece.length > 0) onFirst()
      size += piece.length
      if (size <= mostBytes) held.push(Buffer.from(piece))
      else held.length = 0
    },
    end() {
      const whole = size <= mostBytes ? parse(Buffer.concat(held).toString()) : undefined
      if (whole !== undefined) shape.read(whole, told)
    },
  }
}

const lineFeed = 10
const carriageReturn = 13

/** Server-sent events (WHATWG HTML 9.2): lines end with LF, CR or CRLF; an event's `data:` lines belong together until an empty line. */
function readStream(shape: ModelShape, told: Told, onFirst: () => void): Reader {
  let line: Buffer[] = []
  let size = 0
  let data: string[] = []
  let dataSize = 0
  let afterReturn = false
  let heard = false
  const event = (): void => {
    const text = data.join('\n')
    const whole = dataSize <= mostBytes
    data = []
    dataSize = 0
    if (text === '' || !whole) return
    if (!heard && shape.firstToken.test(text)) {
      heard = true
      onFirst()
    }
    // Deltas are many and tell nothing of usage.
    if (!/"usage"|_(?:start|stop)"|"error"|"object"/.test(text)) return
    const parsed = parse(text)
    if (parsed !== undefined) shape.read(parsed, told)
  }
  const endOfLine = (): void => {
    const text = size > mostBytes ? 'data: ' : Buffer.concat(line).toString()
    const long = size > mostBytes
    line = []
    size = 0
    if (text === '') return event()
    if (!text.startsWith('data:')) return
    dataSize += long ? mostBytes + 1 : text.length
    if (dataSize <= mostBytes) data.push(text.slice(text[5] === ' ' ? 6 : 5))
  }
  return {
    push(piece) {
      let from = 0
      for (let at = 0; at < piece.length; at++) {
        const byte = piece[at]
        if (byte !== lineFeed && byte !== carriageReturn) {
          afterReturn = false
          continue
        }
        if (byte === lineFeed && afterReturn) {
          afterReturn = false
          from = at + 1
          continue
        }
        take(piece.subarray(from, at))
        endOfLine()
        afterReturn = byte === carriageReturn
        from = at + 1
      }
      take(piece.subarray(from))
    },
    end() {
      // A last event without its empty line is none, but what it says of usage was said.
      if (size > 0) endOfLine()
      event()
    },
  }
  function take(part: Buffer): void {
    if (part.length === 0) return
    size += part.length
    if (size <= mostBytes) line.push(Buffer.from(part))
    else line = []
  }
}

function parse(text: string): Json | undefined {
  try {
    return object(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
