// Requests that an agent makes beside its conversation (a title, a summary, a quota check): answered without the script.
import { isObject } from './request.ts'
import type { MessagesRequest, Turn } from './script.ts'
import { textOf } from './script.ts'

/** Whether a request is not part of the scripted conversation: it offers the model no tools to call. */
export function isSide(request: MessagesRequest): boolean {
  return request.tools.length === 0
}

/** A short answer of the asked form. */
export function sideTurn(request: MessagesRequest): Turn {
  if (request.outputSchema !== undefined) return { text: JSON.stringify(exampleOf(request.outputSchema, 'answer')) }
  if (/\btitle\b/i.test(textOf(request.system))) return { text: JSON.stringify({ title: 'Scripted session', isNewTopic: false }) }
  return { text: 'OK' }
}

/** The smallest value that a JSON schema's type allows. */
function exampleOf(schema: unknown, name: string): unknown {
  if (!isObject(schema)) return null
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  if ('const' in schema) return schema['const']
  switch (schema['type']) {
    case 'object': {
      const properties = isObject(schema['properties']) ? schema['properties'] : {}
      return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, exampleOf(value, key)]))
    }
    case 'array':
      return []
    case 'string':
      return `Scripted ${name}`
    case 'number':
    case 'integer':
      return 0
    case 'boolean':
      return false
    default:
      return null
  }
}
