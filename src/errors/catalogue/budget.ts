// Failures of `anchorhold budget`.
export const budgetFailures = {
  'budget/no-limit': {
    message: 'The {unit} of {whose} are not limited, so there is nothing to raise.',
    remedy: 'See what is: anchorhold budget',
  },
  'budget/not-higher': {
    message: 'The budget for {whose} is {limit} already; {given} would not raise it.',
    remedy: 'Give the new limit in all, not what is to be added: anchorhold budget raise {example}',
  },
  'budget/unreadable': {
    message: 'The accounts of the budget in {path} cannot be used: {reason}',
    remedy: 'Look at the folder; without it no request to a model passes a run that has a budget.',
  },
} as const
