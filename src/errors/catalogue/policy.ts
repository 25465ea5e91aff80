// Failures of the policy phase.
export const policyFailures = {
} as const
