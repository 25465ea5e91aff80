// Failures of the engine phase.
export const engineFailures = {
} as const
