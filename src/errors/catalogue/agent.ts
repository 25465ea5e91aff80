// Failures of the agent phase.
export const agentFailures = {
} as const
