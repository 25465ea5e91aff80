// Parts of the wall taken away (attacks.md CFG-07): the run fails closed and says what to do. In a mount namespace of the test's own,
// where the machine's files stay as they are.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { bin, makeWorld } from '../support/anchorhold.ts'

const native = path.resolve(import.meta.dirname, '../../dist/native')

/** Runs a shell script as root of a user and mount namespace, then anchorhold in it. */
function runIn(world: ReturnType<typeof makeWorld>, preparation: string, args: readonly string[]) {
  const script = `set -e; mount --make-rprivate /; ${preparation}; exec "$@"`
  const argv = ['--user', '--map-root-user', '--mount', '/bin/sh', '-c', script, 'sh', bin, ...args]
  return spawnSync('/usr/bin/unshare', argv, { cwd: world.project, env: { ...world.env }, encoding: 'utf8', input: '' })
}
const command = ['run', '--', 'sh', '-c', 'echo ran; touch ran']

it.each([
  ['bubblewrap', 'mount --bind /dev/null /usr/bin/bwrap', /bubblewrap/],
  ['the supervisor', `mount --bind /dev/null '${native}/anchorhold-cell'`, /anchorhold-cell|not built/],
  ['what runs inside', `mount --bind /dev/null '${native}/anchorhold-enter'`, /anchorhold-enter|not built|enter/],
  ['the search for protected paths', `mount --bind /dev/null '${native}/anchorhold-scout'`, /searched|scout/],
  ['user namespaces', 'echo 0 > /proc/sys/user/max_user_namespaces', /namespace/],
  ['network namespaces', 'echo 0 > /proc/sys/user/max_net_namespaces', /namespace/],
  ['pid namespaces', 'echo 0 > /proc/sys/user/max_pid_namespaces', /namespace|bwrap/],
  ['mount namespaces', 'echo 0 > /proc/sys/user/max_mnt_namespaces', /namespace|bwrap/],
  ['ipc namespaces', 'echo 0 > /proc/sys/user/max_ipc_namespaces', /namespace|bwrap/],
])('CFG-07 without %s nothing is started', (_what, preparation, why) => {
  const world = makeWorld()
  const { status, stdout, stderr } = runIn(world, preparation, command)
  expect([status, stdout, existsSync(path.join(world.project, 'ran'))], stderr).toEqual([125, '', false])
  expect(stderr).toMatch(why)
  expect(stderr).toMatch(/\u2192 \S/)
})

it('CFG-07 control: with all of them, in the same kind of namespace, the command runs', () => {
  const world = makeWorld()
  expect(runIn(world, ':', command)).toMatchObject({ status: 0, stdout: 'ran\n' })
})
