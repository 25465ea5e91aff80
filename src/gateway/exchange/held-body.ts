// Gateway, exchange: a request's body that steps may look at before it goes on, and what a step puts in its place. run-steps.ts uses it.
import { Readable, type Transform } from 'node:stream'
import { BodyError } from '../http/body.ts'
import type { StepBody } from '../steps/step.ts'
import type { BodySource } from './types.ts'

export interface HeldBody {
  /** For the steps. */
  readonly view: StepBody
  /** For the server: what was held first, then the rest. */
  readonly source: BodySource
}

/** Holds no more than what some step asked for, and one piece. */
export function holdBody(from: BodySource): HeldBody {
  const held: Buffer[] = []
  let size = 0
  let complete = from.length === 0
  /** At least so many bytes, or all. */
  const fill = async (bytes: number): Promise<void> => {
    while (size < bytes && !complete) {
      const piece = await from.read()
      if (piece === undefined) complete = true
      else {
        held.push(piece)
        size += piece.length
      }
    }
  }
  const all = (): Buffer => (held.length === 1 ? (held[0] ?? nothing) : Buffer.concat(held))
  return {
    view: {
      length: from.length,
      async peek(bytes) {
        await fill(bytes)
        return all()
      },
      async whole(maxBytes) {
        if (from.length !== undefined && from.length > maxBytes) return undefined
        await fill(maxBytes + 1)
        return complete && size <= maxBytes ? all() : undefined
      },
    },
    source: {
      length: from.length,
      get done() {
        return held.length === 0 && (complete || from.done)
      },
      async read() {
        const piece = held.shift()
        if (piece !== undefined) size -= piece.length
        if (piece !== undefined || complete) return piece
        const next = await from.read()
        complete = next === undefined
        return next
      },
    },
  }
}

const nothing = Buffer.alloc(0)

/** A whole new body; `before` is read to its end and thrown away, so that the connection stays usable. */
export function replaceBody(body: Buffer, before: BodySource): BodySource {
  let given = body.length === 0
  return {
    length: body.length,
    get done() {
      return given && before.done
    },
    async read() {
      while (!before.done && (await before.read()) !== undefined);
      if (given) return undefined
      given = true
      return body
    },
  }
}

/** The body goes through a stream of a step; `length`: what it will have, where that is known. */
export function pipeBody(through: Transform, before: BodySource, length?: number): BodySource {
  let failed: BodyError | undefined
  let over = false
  const pieces = async function* (): AsyncGenerator<Buffer> {
    for (let piece = await before.read(); piece !== undefined; piece = await before.read()) yield piece
  }
  const source = Readable.from(pieces())
  source.on('error', (error) => {
    failed = error instanceof BodyError ? error : unreadable()
    through.destroy()
  })
  through.on('error', () => source.destroy())
  const output = source.pipe(through)[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  return {
    length,
    get done() {
      return over && before.done
    },
    async read() {
      try {
        const next = await output.next()
        if (failed !== undefined) throw failed
        over = next.done === true
        return next.done === true ? undefined : next.value
      } catch (error) {
        throw failed ?? (error instanceof BodyError ? error : unreadable())
      }
    },
  }
}

function unreadable(): BodyError {
  return new BodyError('malformed', 'a body that could not be rewritten')
}
