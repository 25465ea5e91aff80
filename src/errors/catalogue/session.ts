// Failures of the session phase.
export const sessionFailures = {
} as const
