// What the cfg tests share: a run that must be refused, and the user's own policy.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import { anchorhold, type World } from '../support/anchorhold.ts'

/** What must not have run after a refusal. */
const ran = ['--', 'sh', '-c', 'echo ran; touch ran']

/** Code 125, nothing ran, and the words of the reason. */
export async function expectRefused(world: World, options: readonly string[], why: RegExp): Promise<void> {
  const { code, stdout, stderr } = await anchorhold(world, ['run', ...options, ...ran])
  expect([code, stdout, existsSync(path.join(world.project, 'ran'))], `${options.join(' ')}\n${stderr}`).toEqual([125, '', false])
  expect(stderr, options.join(' ')).toMatch(why)
}

/** Writes the user's own policy. */
export function ownPolicy(world: World, text: string): void {
  const folder = path.join(world.home, '.config/anchorhold')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'policy.yaml'), text, { mode: 0o600 })
}
