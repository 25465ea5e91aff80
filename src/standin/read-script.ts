// Reads a stand-in's script from a JSON file, checked by a schema: an unknown key is an error, never ignored.
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Script } from './script.ts'

const count = z.int().nonnegative()
const turn = z.strictObject({
  when: z.string().exactOptional(),
  text: z.string().exactOptional(),
  tools: z.array(z.strictObject({ name: z.string().min(1), input: z.record(z.string(), z.unknown()) })).exactOptional(),
  usage: z
    .strictObject({
      input: count.exactOptional(),
      output: count.exactOptional(),
      cacheRead: count.exactOptional(),
      cacheWrite5m: count.exactOptional(),
      cacheWrite1h: count.exactOptional(),
    })
    .exactOptional(),
  delay: count.exactOptional(),
  error: z
    .strictObject({ status: z.int().min(400).max(599), type: z.string(), message: z.string(), retryAfter: count.exactOptional() })
    .exactOptional(),
})
const turns = z.array(turn)
const schema = z.union([
  turns,
  z.strictObject({ turns }),
  z.strictObject({ conversations: z.array(z.strictObject({ match: z.string().exactOptional(), turns })) }),
])

/**
 * The script in a file.
 * @throws Error that names the file and what is wrong with it
 */
export async function readScript(file: string): Promise<Script> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    throw new Error(`${file} is no script for the stand-in: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`, {
      cause: error,
    })
  }
}
