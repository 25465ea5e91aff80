// What a measurement hands back, and how it is printed: the same Markdown on the terminal and in docs/benchmarks.md.

export interface Row {
  readonly subject: string
  /** Median, in the section's unit. */
  readonly value?: number
  /** Why there is no value. */
  readonly trouble?: string
}

export interface Goal {
  readonly what: string
  readonly reached: number
  readonly atMost?: number
  readonly atLeast?: number
}

export interface Section {
  readonly title: string
  readonly unit: string
  /** One or two sentences on how it was measured. */
  readonly how: string
  readonly rows: readonly Row[]
  /** Ratios are taken against this subject. */
  readonly against: string
  readonly goals: readonly Goal[]
}

export function met(goal: Goal): boolean {
  return goal.reached <= (goal.atMost ?? Infinity) && goal.reached >= (goal.atLeast ?? -Infinity)
}

export function markdown(section: Section): string {
  const base = section.rows.find((row) => row.subject === section.against)?.value
  const rows = section.rows.map(({ subject, value, trouble }) => {
    if (value === undefined) return `| ${subject} | could not run: ${(trouble ?? 'no result').replaceAll('|', '/')} | |`
    const ratio = base === undefined ? '' : round(value / base)
    return `| ${subject} | ${round(value)} | ${ratio} |`
  })
  const goals = section.goals.map((goal) => {
    const bound = goal.atMost !== undefined ? `at most ${goal.atMost}` : `at least ${goal.atLeast}`
    return `- ${goal.what}: **${round(goal.reached)}** (to reach: ${bound}) ${met(goal) ? '✓' : '✗ not reached in this run'}`
  })
  const table = [`| | ${section.unit} | to ${section.against} |`, '|---|---:|---:|', ...rows]
  return [`## ${section.title}`, '', section.how, '', ...table, ...(goals.length > 0 ? ['', ...goals] : []), ''].join('\n')
}

function round(value: number): string {
  if (!Number.isFinite(value)) return 'no result'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits })
}
