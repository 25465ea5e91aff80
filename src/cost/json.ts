// Looks into values of parsed JSON whose shape nobody promised.
import type { Work } from './reader.ts'

export type Json = Readonly<Record<string, unknown>>

export function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
}

/** Text that is not empty. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Undefined where it is no JSON, or no object. */
export function parseObject(line: string): Json | undefined {
  try {
    return object(JSON.parse(line))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** A line that shows no work. */
export const idle: Work = { tools: [], prompt: false, compacted: false, agent: undefined }
