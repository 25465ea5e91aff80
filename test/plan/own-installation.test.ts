// anchorhold's own code in the project is not the agent's to write (attacks.md FS-24).
import { expect, it } from 'vitest'
import { ownInstallation } from '../../src/plan/own-installation.ts'

const everything = () => true

it('covers what runs on the host where it lies in a root, once each', () => {
  const covers = ownInstallation('/p/anchorhold', '/p/anchorhold/node_modules/node/bin/node', ['/p'], everything)
  expect(covers.map((cover) => cover.path)).toEqual(['bin', 'dist', 'node_modules', 'scripts'].map((name) => `/p/anchorhold/${name}`))
})

it('covers a hoisted Node, skips what is not there, and nothing outside the roots', () => {
  const root = '/p/node_modules/anchorhold'
  const covers = ownInstallation(root, '/p/node_modules/node/bin/node', ['/p'], (path) => !path.endsWith('/node_modules'))
  expect(covers.map((cover) => cover.path)).toEqual([`${root}/bin`, `${root}/dist`, `${root}/scripts`, '/p/node_modules/node/bin'])
  expect(ownInstallation('/opt/anchorhold', '/opt/anchorhold/node', ['/p', '/opt/anchor'], everything)).toEqual([])
})
