// What a stand-in says: a scripted conversation. The next turn follows from the request alone, never from a counter, so
// that repeated, parallel and resumed requests get the turn that belongs to them.

export interface ToolCall {
  /** As the agent calls it: `Bash`, `Edit`, … */
  readonly name: string
  readonly input: Readonly<Record<string, unknown>>
}

export interface Turn {
  /** For JSON scripts: a regular expression over the last tool results; the turn is left out where it does not match. */
  readonly when?: string
  readonly text?: string
  readonly tools?: readonly ToolCall[]
  /** Fixed figures instead of the estimated ones. */
  readonly usage?: Partial<Usage>
  /** Milliseconds before the answer starts. */
  readonly delay?: number
  /** An error of the API instead of an answer. */
  readonly error?: ApiError
}

export interface ApiError {
  readonly status: number
  readonly type: string
  readonly message: string
  /** Seconds, sent as the `retry-after` header. */
  readonly retryAfter?: number
}

/** Token counts as the Messages API states them. */
export interface Usage {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
}

export interface ToolResult {
  readonly id: string
  readonly text: string
  readonly isError: boolean
}

/** What a script may look at. */
export interface Moment {
  /** Position in the script: how many of its turns this conversation has had. */
  readonly turn: number
  /** The results that came with this request, in order. */
  readonly results: readonly ToolResult[]
  /** Text of the conversation's first user message. */
  readonly opening: string
  readonly request: MessagesRequest
}

export type Script =
  | readonly Turn[]
  | { readonly turns: readonly Turn[] }
  /** Several conversations at once (an agent and its helpers): the first whose `match` fits the opening message. */
  | { readonly conversations: readonly { readonly match?: string; readonly turns: readonly Turn[] }[] }
  | ((moment: Moment) => Turn | undefined)

/** The parts of a request's body that the stand-in reads. */
export interface MessagesRequest {
  readonly model: string
  readonly stream: boolean
  readonly messages: readonly Message[]
  readonly tools: readonly unknown[]
  readonly system: unknown
  readonly outputSchema: unknown
}
export interface Message {
  readonly role: string
  readonly content: readonly Readonly<Record<string, unknown>>[]
}

const over: Turn = { text: 'The script of this stand-in is over.' }

/** The turn that answers a request, and its position. */
export function nextTurn(script: Script, request: MessagesRequest): { readonly turn: Turn; readonly position: number } {
  const moment: Moment = {
    turn: positionIn(request.messages),
    results: lastResults(request.messages),
    opening: openingOf(request.messages),
    request,
  }
  if (typeof script === 'function') return { turn: script(moment) ?? over, position: moment.turn }
  const turns = turnsFor(script, moment.opening)
  const heard = moment.results.map((result) => result.text).join('\n')
  for (let position = moment.turn; position < turns.length; position += 1) {
    const turn = turns[position]
    if (turn !== undefined && (turn.when === undefined || new RegExp(turn.when, 'm').test(heard))) return { turn, position }
  }
  return { turn: over, position: turns.length }
}

/** The id of a tool call carries the position of its turn: it comes back with every later request. */
export function toolId(position: number, index: number): string {
  return `toolu_standin_${position}_${index}`
}

function positionIn(messages: readonly Message[]): number {
  let position = 0
  for (const message of messages.filter(({ role }) => role === 'assistant')) {
    const ids = message.content.map(({ id }) => (typeof id === 'string' ? /^toolu_standin_(\d+)_/.exec(id)?.[1] : undefined))
    const known = ids.find((id) => id !== undefined)
    position = known === undefined ? position + 1 : Number(known) + 1
  }
  return position
}

function lastResults(messages: readonly Message[]): readonly ToolResult[] {
  const blocks = messages.at(-1)?.content ?? []
  return blocks
    .filter((block) => block['type'] === 'tool_result')
    .map((block) => ({ id: String(block['tool_use_id']), text: textOf(block['content']), isError: block['is_error'] === true }))
}

function openingOf(messages: readonly Message[]): string {
  return textOf(messages.find(({ role }) => role === 'user')?.content)
}

/** The text of a string, a text block, or a list of blocks. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (Array.isArray(content))
    return content
      .map(textOf)
      .filter((text) => text !== '')
      .join('\n')
  return typeof content === 'object' && content !== null && 'text' in content && typeof content.text === 'string' ? content.text : ''
}

function turnsFor(script: Exclude<Script, (moment: Moment) => Turn | undefined>, opening: string): readonly Turn[] {
  if ('conversations' in script) {
    return script.conversations.find(({ match }) => match === undefined || new RegExp(match, 'm').test(opening))?.turns ?? []
  }
  return 'turns' in script ? script.turns : script
}
