// Which folder a session worked in, and which totals the agent itself reported for it.
import { readerOf } from './readers/list.ts'
import type { Logs } from './logs.ts'
import { word, wordsWide } from './records.ts'

/** By session: the project of the file that is named after it, else of any file with a record of it. */
export function sessionProjects(logs: Logs): readonly (string | undefined)[] {
  const places = new Map(logs.sessions.map((name, place) => [name, place]))
  const projects: (string | undefined)[] = logs.sessions.map(() => undefined)
  const sure = new Set<number>()
  for (const { agent, relative, project, from, to } of logs.files) {
    if (project === undefined) continue
    const named = places.get(readerOf(agent).sessionOf(relative) ?? '')
    if (named !== undefined && !sure.has(named)) {
      projects[named] = project
      if (!relative.includes('/subagents/')) sure.add(named)
    }
    const first = to > from ? logs.records.words[from * wordsWide + word.session] : undefined
    if (first !== undefined) projects[first] ??= project
  }
  return projects
}

/** By session: what the agent itself says it cost, in dollars; of several files the one that was written last. */
export function reportedTotals(logs: Logs): ReadonlyMap<number, number> {
  const latest = new Map<number, { readonly modified: number; readonly dollars: number }>()
  for (const { reports, modified } of logs.files) {
    for (const [session, dollars] of reports) {
      if (modified >= (latest.get(session)?.modified ?? -Infinity)) latest.set(session, { modified, dollars })
    }
  }
  return new Map([...latest].map(([session, { dollars }]) => [session, dollars]))
}
