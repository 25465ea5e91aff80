// Gateway, http: the answers that the gateway gives itself: readable, and naming the rule and the command that changes it.
import type { Refusal } from '../context.ts'

const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

export interface OwnAnswer extends Refusal {
  readonly status: number
  /** 'refused' by policy or form, 'failed' outside. */
  readonly word: 'refused' | 'failed'
}

/** A whole response as bytes; plain text, or JSON where the request accepts it. */
export function ownResponse(
  answer: OwnAnswer,
  options: { readonly json: boolean; readonly close: boolean; readonly head: boolean },
): string {
  const { status, word, code, reason, remedy } = answer
  const body = options.json
    ? `${JSON.stringify({ error: { type: `anchorhold_${word}`, code, message: reason, ...(remedy === undefined ? {} : { remedy }) } })}\n`
    : `anchorhold ${word === 'refused' ? 'refused this request' : 'could not pass this request on'} (${code}): ${reason}.\n${remedy === undefined ? '' : `To allow it: ${remedy}\n`}`
  return [
    `HTTP/1.1 ${status} ${phrases[status] ?? 'Refused'}`,
    `Content-Type: ${options.json ? 'application/json' : 'text/plain'}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    `X-Anchorhold: ${word}; code=${code}`,
    `Connection: ${options.close ? 'close' : 'keep-alive'}`,
    '',
    options.head ? '' : body,
  ].join('\r\n')
}
