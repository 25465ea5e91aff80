// The tests that mutants of the judge and of the policy have to fail: those that need no cell and no built program.
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  test: {
    include: [
      'test/policy/{addresses,host-name,judge,judge-words,narrow,pass-through,request-path,request-rules,rules}.test.ts',
      'test/gateway/judging.test.ts',
      'test/gateway/names/*.test.ts',
      'test/gateway/steps/rules.test.ts',
      'test/gateway/dial/vet.test.ts',
    ],
    testTimeout: 60_000,
    isolate: false,
    fileParallelism: false,
  },
})

export default config
