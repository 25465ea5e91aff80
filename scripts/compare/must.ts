// For compare.ts: a command of the machine that has to work.
import { spawnSync } from 'node:child_process'

export function must(command: string, args: readonly string[], cwd?: string): string {
  const result = spawnSync(command, args, { ...(cwd === undefined ? {} : { cwd }), encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.error?.message ?? result.stderr.slice(-500)}`)
  return result.stdout
}
