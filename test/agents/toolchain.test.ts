import { expect, test } from 'vitest'
import { nodeToolchain } from '../../src/agents/toolchain.ts'
import { machine, type Machine } from './fixtures.ts'

function nvm(host: Machine, at = 'home/.nvm/versions/node/v22.5.0'): string {
  host.elf(`${at}/bin/node`)
  host.file(`${at}/lib/node_modules/npm/bin/npm-cli.js`, '')
  host.file(`${at}/lib/node_modules/secret-tool/cli.js`, '')
  host.link(`${at}/bin/npm`, '../lib/node_modules/npm/bin/npm-cli.js')
  host.link(`${at}/bin/secret-tool`, '../lib/node_modules/secret-tool/cli.js')
  return `${host.root}/${at}`
}
const mounted = async (host: Machine, path: string, project?: string) =>
  (await nodeToolchain({ hostEnv: { PATH: path }, hostHome: host.home, ...(project === undefined ? {} : { project }) })).map(
    (mount) => `${mount.kind} ${mount.kind === 'bind' ? mount.mode : ''} ${mount.to}`,
  )

test('nvm: node and its npm, nothing else of it', async () => {
  using host = machine()
  const prefix = nvm(host)
  expect(await mounted(host, `${prefix}/bin:/usr/bin`)).toEqual([`bind ro ${prefix}/bin`, `bind ro ${prefix}/lib/node_modules/npm`])
})

test('a bin folder with other programs in it is not shown', async () => {
  using host = machine()
  const prefix = nvm(host, 'home/.local')
  host.file('home/.local/bin/my-script', '', 0o755)
  expect(await mounted(host, `${prefix}/bin`)).toEqual([])
})

test('links out of the packages, a Node of the project, a Node of the system: nothing is mounted', async () => {
  using host = machine()
  const prefix = nvm(host)
  expect(await mounted(host, `${prefix}/bin`, host.home)).toEqual([])
  expect(await mounted(host, '/usr/bin')).toEqual([])
  host.file('home/.ssh/id_ed25519', 'KEY')
  host.link('home/.nvm/versions/node/v22.5.0/bin/key', `${host.home}/.ssh/id_ed25519`)
  expect(await mounted(host, `${prefix}/bin`)).toEqual([])
})
