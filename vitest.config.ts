// Tests run real parts on a small machine: two workers, generous time-outs, and nothing that did not run counts as passed.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { everyTestRuns } from './test/setup/every-test-runs.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/fresh-build.ts'],
    pool: 'forks',
    maxWorkers: Math.max(2, Math.min(4, availableParallelism())),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    // Real processes on a busy machine of two cores: a race is seen three times in a row or it is the machine's. Retried tests are named at the end.
    retry: process.env['CI'] === undefined ? 0 : 2,
    allowOnly: false,
    dangerouslyIgnoreUnhandledErrors: false,
    reporters: [process.env['CI'] === undefined ? 'default' : 'dot', everyTestRuns()],
    env: { NO_COLOR: '1', FORCE_COLOR: '0' },
  },
})
