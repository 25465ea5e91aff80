import { expect, test } from 'vitest'
import { docker, podman } from '../../../src/engines/containers/dialect.ts'
import { openEscapes } from '../../../src/engines/containers/escapes.ts'
import { findings } from '../../../src/engines/containers/examine.ts'
import type { Found } from '../../../src/engines/containers/look.ts'

const found: Found = {
  kind: 'found',
  version: '28.2.2',
  rootless: false,
  remapped: false,
  seccomp: true,
  runtime: { name: 'runc', version: '1.3.3' },
  memory: true,
  pids: true,
  cpu: true,
  alone: '',
}
const warned = (dialect: typeof docker, changes: Partial<Found>): readonly string[] =>
  findings(dialect, { ...found, ...changes })
    .filter(({ id }) => id === `${dialect.name}/escape`)
    .map(({ what }) => what)

test('doctor names what an old runtime, Docker or Podman is open to, and the versions that mend it', () => {
  expect(warned(docker, {})).toEqual([])
  expect(warned(docker, { runtime: { name: 'runc', version: '1.1.5+ds1' } })).toEqual([
    expect.stringMatching(/^runc 1\.1\.5\+ds1 has CVE-2024-21626, mended in 1\.1\.12; a distribution may/),
    expect.stringMatching(/^runc 1\.1\.5\+ds1 has CVE-2025-31133.*mended in 1\.2\.8, 1\.3\.3, 1\.4\.0;/),
  ])
  expect(warned(docker, { version: '20.10.24+dfsg1' })).toEqual([expect.stringContaining('Docker 20.10.24+dfsg1 has CVE-2024-23651')])
  expect(warned(podman, { version: '4.3.1' })).toEqual([expect.stringContaining('Podman 4.3.1 has CVE-2024-1753')])
  expect(warned(podman, { version: '5.6.2', runtime: { name: 'crun', version: '1.14' } })).toEqual([
    expect.stringContaining('crun 1.14 has CVE-2025-24965'),
  ])
  // Old is a warning: only its distribution knows whether it was mended.
  expect(findings(docker, { ...found, version: '20.10.24+dfsg1' }).every(({ level }) => level !== 'missing')).toBe(true)
})

test('a series is judged by its own first mended version', () => {
  const open = (...versions: readonly string[]): readonly string[] =>
    versions.filter((version) => openEscapes('runc', version).some(({ flaw }) => flaw.includes('CVE-2025-31133')))
  expect(open('1.1.15', '1.2.7', '1.2.8', '1.2.10', '1.3.0', '1.3.2', '1.3.3', '1.4.0', '1.10.0', '2.0.0')).toEqual([
    '1.1.15',
    '1.2.7',
    '1.3.0',
    '1.3.2',
  ])
  expect(['24.0.8', '24.0.9', '25.0.1', '25.0.2', '28.0.0'].filter((version) => openEscapes('docker', version).length > 0)).toEqual([
    '24.0.8',
    '25.0.1',
  ])
  expect(['4.9.4', '5.0.0', '5.0.1'].filter((version) => openEscapes('podman', version).length > 0)).toEqual(['5.0.0'])
})
