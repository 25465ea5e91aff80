// Gateway, steps, inject: the body of a request, for secrets that ask for it: whole JSON strings and whole form values. Nothing else is touched.
import { Transform } from 'node:stream'
import type { HeldSecret } from '../../../model/secret.ts'
import type { Spelled } from '../../../secrets/spellings.ts'
import type { StepRequest } from '../step.ts'
import { makeScrubber } from './scrub.ts'

/** Bodies up to this size keep their length; longer JSON goes through a stream. */
const heldBytes = 1_048_576

export interface Filled {
  readonly secret: HeldSecret
  readonly value: string
}

/** The new body, or undefined where there is nothing to change. `onPut` is called for each secret that was put in. */
export async function fillBody(
  request: StepRequest,
  fills: readonly Filled[],
  onPut: (secret: HeldSecret) => void,
): Promise<Buffer | Transform | undefined> {
  const kind = kindOf(request)
  if (fills.length === 0 || kind === undefined || request.body.length === 0) return undefined
  const whole = await request.body.whole(heldBytes)
  if (whole !== undefined) {
    const text = whole.toString('latin1')
    const filled = kind === 'json' ? fillJson(text, fills, onPut) : fillForm(text, fills, onPut)
    return filled === text ? undefined : Buffer.from(filled, 'latin1')
  }
  return kind === 'json' ? streamJson(fills, onPut) : undefined
}

function kindOf({ fields }: StepRequest): 'json' | 'form' | undefined {
  const value = (name: string): string => fields.find(([field]) => field.toLowerCase() === name)?.[1].toLowerCase() ?? ''
  if (!['', 'identity'].includes(value('content-encoding'))) return undefined
  const type = value('content-type').split(';')[0]?.trim() ?? ''
  if (type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type)) return 'json'
  return type === 'application/x-www-form-urlencoded' ? 'form' : undefined
}

function fillJson(text: string, fills: readonly Filled[], onPut: (secret: HeldSecret) => void): string {
  return fills.reduce((body, { secret, value }) => {
    const { placeholder } = secret
    const find = JSON.stringify(placeholder)
    return body.replaceAll(find, (found, at: number) => {
      if (body[at - 1] === '\\') return found // the end of a longer string, behind a quote in it
      onPut(secret)
      return JSON.stringify(value)
    })
  }, text)
}

function fillForm(text: string, fills: readonly Filled[], onPut: (secret: HeldSecret) => void): string {
  const parts = text.split('&').map((part) => {
    const equals = part.indexOf('=')
    const given = part.slice(equals + 1)
    const fill = fills.find(
      ({ secret }) => equals > 0 && (given === secret.placeholder || given === encodeURIComponent(secret.placeholder)),
    )
    if (fill === undefined) return part
    onPut(fill.secret)
    return `${part.slice(0, equals + 1)}${encodeURIComponent(fill.value)}`
  })
  return parts.join('&')
}

function streamJson(fills: readonly Filled[], onPut: (secret: HeldSecret) => void): Transform {
  const fillers = fills.map(({ secret, value }) => {
    const [find, put] = [JSON.stringify(secret.placeholder), JSON.stringify(value)]
    const inner = `\\${find}` // the end of a longer string, behind a quote in it: stays
    const spelled: readonly Spelled[] = [
      { heads: [inner], match: () => ({ length: inner.length, put: inner }) },
      { heads: [find], match: () => (onPut(secret), { length: find.length, put }) },
    ]
    return makeScrubber({ needles: [], spelled }, () => undefined)
  })
  const through = (piece: Buffer): Buffer => fillers.reduce((bytes, filler) => filler.push(bytes), piece)
  return new Transform({
    transform: (piece: Buffer, _encoding, done) => done(null, through(piece)),
    flush: (done) =>
      done(
        null,
        fillers.reduce((bytes, filler) => Buffer.concat([filler.push(bytes), filler.end()]), Buffer.alloc(0)),
      ),
  })
}
