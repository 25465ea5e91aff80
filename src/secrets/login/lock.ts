// Secrets, login: "one refreshes, the others wait": folders made and touched as the agents themselves do it (npm's proper-lockfile).
import { mkdir, rmdir, stat, utimes } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A holder that did not touch its lock for so long is gone. */
const staleMilliseconds = 60_000
const touchMilliseconds = 5_000

/** Undefined where the lock is somebody else's now. What is held is let go by disposing. */
export async function takeLocks(places: readonly string[]): Promise<AsyncDisposable | undefined> {
  await using scope = new AsyncDisposableStack()
  for (const place of places) {
    if (!(await take(place))) return undefined
    scope.defer(() => rmdir(place).catch(() => undefined))
  }
  const timer = setInterval(() => {
    for (const place of places) void utimes(place, new Date(), new Date()).catch(() => undefined)
  }, touchMilliseconds).unref()
  scope.defer(() => clearInterval(timer))
  return scope.move()
}

async function take(place: string): Promise<boolean> {
  for (let tries = 0; tries < 2; tries++) {
    try {
      await mkdir(place, { mode: 0o700 })
      return true
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const facts = await stat(place).catch(() => undefined)
    if (facts !== undefined && Date.now() - facts.mtimeMs < staleMilliseconds) return false
    await rmdir(place).catch(() => undefined)
  }
  return false
}

/** Between two tries, long enough for a refresh and not in step with the others. */
export function awhile(): Promise<void> {
  return sleep(100 + Math.random() * 200)
}
