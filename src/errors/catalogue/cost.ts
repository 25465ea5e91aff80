// Failures of `anchorhold cost`.
export const costFailures = {
  'cost/bad-time': {
    message: '{flag} {text} is no time.',
    remedy: 'Give a day (2026-11-23), a time (2026-11-23T16:00), today, yesterday, or how long ago: 90m, 24h, 7d, 2w.',
  },
  'cost/bad-zone': {
    message: 'There is no time zone "{text}".',
    remedy: 'Give a name of the time zone database, such as Europe/Berlin or UTC.',
  },
  'cost/bad-interval': {
    message: '--watch {text} is no number of seconds.',
    remedy: 'Give a whole number from 1 to 3600, such as: anchorhold cost --watch 5',
  },
  'cost/unknown-session': {
    message: 'There is no log of a session "{text}".',
    remedy: 'List them: anchorhold cost',
  },
  'cost/ambiguous-session': {
    message: '"{text}" could be any of {count} sessions: {ids}.',
    remedy: 'Give more of the id.',
  },
  'cost/bad-prices': {
    message: '{file}: {reason}',
    remedy: 'Mend the file; docs/cost.md has its form.',
  },
  'cost/unpriced': {
    message: '{tokens} tokens of {models} have no price, so the total is too small.',
    remedy: 'Give their prices in a file: anchorhold cost --prices FILE, or in {place}; docs/cost.md has its form.',
    exitCode: 1,
  },
} as const
