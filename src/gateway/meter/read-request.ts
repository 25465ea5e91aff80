// Gateway, meter: the body of a model request, whole and within the bound that the APIs themselves have, decoded where the client compressed it.
import type { StepRequest } from '../steps/step.ts'

const mostBytes = 32 * 2 ** 20

/** Undefined where it is too long, in an unknown coding, or no JSON. `bytes`: of the text. */
export async function readRequestBody({
  body,
  fields,
}: Pick<StepRequest, 'body' | 'fields'>): Promise<{ json: unknown; bytes: number } | undefined> {
  const whole = await body.whole(mostBytes)
  const text = whole === undefined ? undefined : decode(whole, fields.find(([name]) => name.toLowerCase() === 'content-encoding')?.[1])
  if (text === undefined) return undefined
  try {
    return { json: JSON.parse(text.toString()), bytes: text.length }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function decode(bytes: Buffer, coding = 'identity'): Buffer | undefined {
  const zlib = process.getBuiltinModule('node:zlib') // few clients compress
  const limit = { maxOutputLength: mostBytes }
  try {
    switch (coding.trim().toLowerCase()) {
      case 'identity':
        return bytes
      case 'gzip':
        return zlib.gunzipSync(bytes, limit)
      case 'deflate':
        return zlib.inflateSync(bytes, limit)
      case 'br':
        return zlib.brotliDecompressSync(bytes, limit)
      case 'zstd':
        return zlib.zstdDecompressSync(bytes, limit)
      default:
        return undefined
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined // no such bytes, or too many of them
    throw error
  }
}
