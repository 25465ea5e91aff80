// Gateway, steps: whether a request is GraphQL queries and nothing else. Loaded by rules.ts for the first request to such a path.
// The parser alone: the package's own door would bring its executor into the bundle.
import type { DefinitionNode } from 'graphql/language/ast.js'
import { Kind } from 'graphql/language/kinds.js'
import { parse } from 'graphql/language/parser.js'
import type { StepRequest } from './step.ts'
import { repeatedKey } from './json-keys.ts'

/** Longer bodies and documents are refused: they would be held in memory, and parsed. */
const maxBytes = 1_048_576
const maxTokens = 20_000
const maxBatch = 50
/** Of the GraphQL over HTTP specification. `extensions` is known, and refused where it says something: a stored document would run. */
const members = ['query', 'operationName', 'variables', 'extensions']

/** Why not, in words; undefined when every operation in it is a query. Never throws for what the cell sent. */
export async function judgeGraphqlRequest(request: StepRequest): Promise<string | undefined> {
  const { method, body } = request
  if (method !== 'POST')
    return body.length === 0
      ? undefined
      : `a ${method === 'GET' ? 'GET' : 'request of this method'} with a body, which some servers would run`
  const values = (name: string): readonly string[] =>
    request.fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value)
  if (values('content-encoding').length > 0) return 'an encoded body cannot be read as GraphQL'
  const [type, ...more] = values('content-type')
  const parts = /^application\/(json|graphql)(?:[ \t]*;[ \t]*charset=("?)utf-8\2)?$/i.exec(type ?? '')
  if (more.length > 0 || parts === null) return 'GraphQL is sent as application/json or application/graphql, in UTF-8'
  const bytes = await body.whole(maxBytes)
  if (bytes === undefined) return `a GraphQL request of more than ${maxBytes} bytes`
  const text = textOf(bytes)
  if (text === undefined) return 'a body that is not plain UTF-8 (another encoding, a byte order mark, or a NUL)'
  return parts[1]?.toLowerCase() === 'graphql' ? judgeDocument(text) : judgeJson(text)
}

function textOf(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return /^\ufeff|\0/.test(text) ? undefined : text
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

function judgeJson(text: string): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return 'a body that is not JSON'
    throw error
  }
  if (repeatedKey(text)) return 'a JSON body with the same key twice'
  if (!Array.isArray(value)) return judgeOperation(value)
  if (value.length === 0 || value.length > maxBatch) return `a batch of none or of more than ${maxBatch} operations`
  for (const each of value) {
    const reason = judgeOperation(each)
    if (reason !== undefined) return reason
  }
  return undefined
}

function judgeOperation(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'a body that is not a GraphQL request'
  const foreign = Object.keys(value).find((key) => !members.includes(key))
  if (foreign !== undefined) return 'a GraphQL request with further members than query, operationName, variables and extensions'
  const { query, extensions } = value as { query?: unknown; extensions?: unknown }
  if (extensions !== undefined && extensions !== null && Object.keys(Object(extensions) as object).length > 0)
    return 'a GraphQL request with extensions, which can name a stored document'
  return typeof query === 'string' ? judgeDocument(query) : 'a GraphQL request without its document'
}

/** Every operation counts, whichever `operationName` picks: fragments are harmless, all else that a document can hold is not a query. */
function judgeDocument(text: string): string | undefined {
  // Where a lexer ends a line decides what is a comment; only the line ends of the specification may occur (GraphQL 2.1.2).
  if (!text.isWellFormed() || /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]/.test(text))
    return 'a document with control or invisible characters'
  let definitions: readonly DefinitionNode[]
  try {
    ;({ definitions } = parse(text, { noLocation: true, maxTokens }))
  } catch {
    return 'a document that is not GraphQL, or too long' // whatever the reason: unread is refused
  }
  const kinds: readonly string[] = definitions.map((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? definition.operation : definition.kind,
  )
  const other = kinds.find((kind) => kind !== 'query' && kind !== 'FragmentDefinition')
  if (other !== undefined)
    return other === 'mutation' || other === 'subscription' ? `a ${other}` : 'a document with more than operations and fragments'
  return kinds.includes('query') ? undefined : 'a document without an operation'
}
