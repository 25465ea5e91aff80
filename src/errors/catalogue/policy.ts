// Failures of the policy phase.
export const policyFailures = {
  'policy/bad-host': {
    message: '"{host}" is not a host name that a rule can stand for: {reason}',
    remedy: 'Write a plain name such as docs.example.org, without scheme, path, port or address.',
  },
} as const
