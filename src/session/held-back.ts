// Session: takes the exact values of held secrets out of every text of an event, before the journal or a listener sees it. Used by open.ts.
import type { SessionEvent } from '../model/events.ts'
import { withoutValues } from '../secrets/forms.ts'

/** The same event where it holds none. */
export function heldBack(event: SessionEvent, values: readonly string[]): SessionEvent {
  return values.length === 0 ? event : (clean(event, values) as SessionEvent)
}

function clean(part: unknown, values: readonly string[]): unknown {
  if (typeof part === 'string') return withoutValues(part, values)
  if (Array.isArray(part)) return part.map((item) => clean(item, values))
  if (typeof part !== 'object' || part === null) return part
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [withoutValues(key, values), clean(value, values)]))
}
