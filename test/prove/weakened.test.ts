// A probe that never goes red shows nothing: each is launched where its wall is missing.
import { expect, it } from 'vitest'
import { loadCatalogue } from '../../src/prove/catalogue.ts'
import { makeWorld } from '../support/anchorhold.ts'
import { weakened } from './weakened.ts'

it('every probe goes red where its wall is missing', async () => {
  const world = makeWorld()
  const root = process.getuid?.() === 0
  // `npm run test:mutants` takes all of them, every other run of the tests the quick set.
  const all = process.env['ANCHORHOLD_MUTANTS'] === 'all'
  const probes = loadCatalogue().filter((probe) => (root || probe.weakenedNeedsRoot !== true) && (all || probe.set === 'quick'))
  const results = await weakened(world, probes)
  expect(results).toHaveLength(probes.length)
  expect(
    results
      .filter(({ result }) => result !== 'leaks' && result !== 'limit')
      .map(({ id, result, why, clients }) => ({ id, result, why, clients })),
  ).toEqual([])
}, 120_000)
