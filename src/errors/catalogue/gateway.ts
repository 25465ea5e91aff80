// Failures of the gateway phase.
export const gatewayFailures = {
} as const
