// A reporter: fails the run where a test was skipped or left open, names what was retried, and ends with the plain line that scripts read.
import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

/** `ANCHORHOLD_TEST_SUMMARY` names a file for `{ passed, failed, skipped }` as JSON. */
export function everyTestRuns(): Reporter {
  return {
    onTestRunEnd(modules, unhandled) {
      const count = { passed: 0, failed: unhandled.length, skipped: 0 }
      const skipped: string[] = []
      const retried: string[] = []
      const notTested = new Set<string>()
      for (const module of modules) {
        count.failed += brokenModule(module)
        for (const test of module.children.allTests()) {
          const { state } = test.result()
          if ((test.diagnostic()?.retryCount ?? 0) > 0) retried.push(`${module.relativeModuleId}: ${test.fullName}`)
          const missing = test.meta().notTested
          if (missing !== undefined) notTested.add(missing)
          if (state === 'passed') count.passed += 1
          else if (state === 'failed') count.failed += 1
          else {
            count.skipped += 1
            skipped.push(`${module.relativeModuleId}: ${test.fullName}`)
          }
        }
      }
      const filtered = process.argv.some((word) => word === '-t' || word.startsWith('--testNamePattern'))
      if (skipped.length > 0 && !filtered) {
        process.exitCode = 1
        count.failed += skipped.length
        process.stdout.write(`\nThese tests did not run, which counts as failed:\n${skipped.map((name) => `  ${name}\n`).join('')}`)
      }
      if (retried.length > 0)
        process.stdout.write(`\nThese tests were run more than once:\n${retried.map((name) => `  ${name}\n`).join('')}`)
      if (notTested.size > 0) process.stdout.write(`\nNot tested on this machine:\n${[...notTested].map((what) => `  ${what}\n`).join('')}`)
      process.stdout.write(`\n${count.passed} passed, ${count.failed} failed\n`)
      const summary = process.env['ANCHORHOLD_TEST_SUMMARY']
      if (summary !== undefined) writeFileSync(summary, JSON.stringify(count))
    },
  }
}

/** A file that could not be loaded has no tests that could fail. */
function brokenModule(module: TestModule): number {
  return module.errors().length > 0 ? 1 : 0
}
