// Gateway, http: the answers that the gateway gives itself: readable, and naming the rule and the command that changes it.
import type { Refusal } from '../context.ts'
import type { Field } from '../steps/step.ts'
import { phraseOf } from './phrases.ts'

export interface OwnAnswer extends Refusal {
  readonly status: number
  /** 'refused' by policy or form, 'failed' outside. */
  readonly word: 'refused' | 'failed'
}

/** The same for every protocol; plain text, or JSON where the request accepts it. */
export function ownAnswer(
  { status, word, code, reason, remedy }: OwnAnswer,
  json: boolean,
): { readonly status: number; readonly fields: readonly Field[]; readonly body: Buffer } {
  const body = json
    ? `${JSON.stringify({ error: { type: `anchorhold_${word}`, code, message: reason, ...(remedy === undefined ? {} : { remedy }) } })}\n`
    : `anchorhold ${word === 'refused' ? 'refused this request' : 'could not pass this request on'} (${code}): ${reason}.\n${remedy === undefined ? '' : `To allow it: ${remedy}\n`}`
  return {
    status,
    fields: [
      ['Content-Type', `${json ? 'application/json' : 'text/plain'}; charset=utf-8`],
      ['Cache-Control', 'no-store'],
      ['X-Anchorhold', `${word}; code=${code}`],
    ],
    body: Buffer.from(body),
  }
}

/** The same as the bytes of a whole HTTP/1.1 response, after which the connection ends. */
export function ownResponse(answer: OwnAnswer, options: { readonly json: boolean; readonly head: boolean }): Buffer {
  const { status, fields, body } = ownAnswer(answer, options.json)
  const lines = [
    `HTTP/1.1 ${status} ${phraseOf(status)}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${body.length}`,
    'Connection: close',
    '\r\n',
  ]
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), options.head ? Buffer.alloc(0) : body])
}
