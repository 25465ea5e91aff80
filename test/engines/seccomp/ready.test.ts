// What the bundle carries ready-made is what would be compiled.
import { expect, test } from 'vitest'
import { compileFilter } from '../../../src/engines/seccomp/compile.ts'
import { architectures, options, readyFilters } from '../../../scripts/ready-filters.ts'

test('every filter of the bundle is the compiled one, byte for byte, and no two are the same', async () => {
  const ready = (await import(`data:text/javascript,${encodeURIComponent(readyFilters())}`)) as {
    readonly compileFilter: typeof compileFilter
  }
  const texts = new Set<string>()
  for (const architecture of architectures)
    for (const option of options) {
      const program = ready.compileFilter(architecture, option)
      expect(program).toEqual(compileFilter(architecture, option))
      expect(program.length).toBeGreaterThan(400)
      texts.add(Buffer.from(program).toString('hex'))
    }
  expect(texts.size).toBe(architectures.length * options.length)
})
