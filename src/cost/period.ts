// Days, weeks and months in the reader's time zone (the process's own; TZ or --time-zone set it), and what --since and --until mean.

export type Period = 'day' | 'week' | 'month'

/** The period of a moment as text that sorts: `2026-11-23`, `2026-W48` (ISO 8601), `2026-11`. */
export function periodOf(period: Period): (time: number) => string {
  const known = new Map<number, string>()
  return (time) => {
    // No zone changes its day within a quarter of an hour.
    const quarter = Math.floor(time / 900_000)
    const text = known.get(quarter) ?? name(period, new Date(time))
    known.set(quarter, text)
    return text
  }
}

function name(period: Period, date: Date): string {
  if (period === 'week') return isoWeek(date)
  const month = `${date.getFullYear()}-${two(date.getMonth() + 1)}`
  return period === 'month' ? month : `${month}-${two(date.getDate())}`
}

/** The week of a year that has its Thursday. */
function isoWeek(date: Date): string {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() - ((date.getDay() + 6) % 7) + 3)
  const first = new Date(thursday.getFullYear(), 0, 4)
  const monday = new Date(first.getFullYear(), 0, 4 - ((first.getDay() + 6) % 7))
  const week = 1 + Math.floor(Math.round((thursday.getTime() - monday.getTime()) / 86_400_000) / 7)
  return `${thursday.getFullYear()}-W${two(week)}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** `YYYY-MM-DD HH:MM` in the reader's zone. */
export function moment(time: number): string {
  const date = new Date(time)
  return `${name('day', date)} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/**
 * The moment a text names: a day (`2026-11-23`, `20261123`, `today`, `yesterday`: its first moment, with `end` the first after it), a time
 * (ISO 8601, in the reader's zone where it names none), or how long ago (`90m`, `24h`, `7d`, `2w`). Undefined where it is none of these.
 */
export function readMoment(text: string, now: number, end: boolean): number | undefined {
  const ago = /^(\d{1,5})([mhdw])$/.exec(text)
  if (ago !== null) return now - Number(ago[1]) * ({ m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }[ago[2] ?? 'd'] ?? 0)
  const today = new Date(now)
  const back = { today: 0, yesterday: 1 }[text]
  if (back !== undefined) return new Date(today.getFullYear(), today.getMonth(), today.getDate() - back + (end ? 1 : 0)).getTime()
  const day = /^(\d{4})-?(\d\d)-?(\d\d)$/.exec(text)
  if (day !== null) {
    const [year, month, date] = [Number(day[1]), Number(day[2]) - 1, Number(day[3])]
    const first = new Date(year, month, date)
    if (first.getMonth() !== month || first.getDate() !== date) return undefined
    return end ? new Date(year, month, date + 1).getTime() : first.getTime()
  }
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}
