// Before all tests: the native helpers and the bundle are those of the sources. Nothing is done where the stamps say so.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

export function setup(): void {
  const root = path.resolve(import.meta.dirname, '../..')
  if (!existsSync(path.join(root, 'dist/.built'))) {
    process.stderr.write('anchorhold tests: this clone was not set up yet (npm run setup); tests of the built program will fail\n')
    return
  }
  const result = spawnSync('/bin/sh', [path.join(root, 'scripts/build.sh'), '--stale'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (result.status === 0) return
  if (!namesFiles()) throw new Error('the build failed (see above), so no test was run')
  process.stderr.write('anchorhold tests: the build failed (see above); tests of the built program run with the previous one\n')
}

/** Whether this run is about certain files only; those may not need the build at all. */
function namesFiles(): boolean {
  return process.argv.slice(2).some((word) => word !== 'run' && !word.startsWith('-'))
}
