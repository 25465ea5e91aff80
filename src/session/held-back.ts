// Session: takes the exact values of held secrets out of every text of an event, before the journal or a listener sees it. Used by open.ts.
import type { SessionEvent } from '../model/events.ts'
import { formsOf, withoutForms } from '../secrets/forms.ts'

/** `values` is asked for each event: a login may get new ones. An event that holds none comes back as it is. */
export function makeHeldBack(values: () => readonly string[]): (event: SessionEvent) => SessionEvent {
  let known = ''
  let forms: readonly string[] = []
  return (event) => {
    const now = values()
    const key = now.join('\n')
    if (key !== known) forms = now.flatMap((value) => [...new Set(formsOf(value).values())])
    known = key
    const text = JSON.stringify(event)
    return forms.some((form) => text.includes(JSON.stringify(form).slice(1, -1))) ? (clean(event, forms) as SessionEvent) : event
  }
}

function clean(part: unknown, forms: readonly string[]): unknown {
  if (typeof part === 'string') return withoutForms(part, forms)
  if (Array.isArray(part)) return part.map((item) => clean(item, forms))
  if (typeof part !== 'object' || part === null) return part
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [withoutForms(key, forms), clean(value, forms)]))
}
