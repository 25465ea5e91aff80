// Versions as agents state them: three numbers. Compared to choose among copies and to refuse what is too old.

/** The first `1.2.3` in a text, with any `-suffix`. */
export function versionIn(text: string): string | undefined {
  return /(?<![\d.])\d+\.\d+\.\d+(?:-[\w.]+)?/.exec(text)?.[0]
}

/** Negative when a is older than b. A pre-release counts as older than its release. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)]
  for (let place = 0; place < 3; place += 1) {
    const difference = (left[place] ?? 0) - (right[place] ?? 0)
    if (difference !== 0) return difference
  }
  return Number(b.includes('-')) - Number(a.includes('-'))
}

function numbers(version: string): readonly number[] {
  return (version.split('-')[0] ?? '').split('.').map(Number)
}
