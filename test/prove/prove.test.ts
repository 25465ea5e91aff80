// `anchorhold prove` as a user types it: it holds here, says so in every form, and leaves nothing behind.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import type { Proof } from '../../src/model/proof.ts'
import { walls } from '../../src/model/proof.ts'
import { loadCatalogue } from '../../src/prove/catalogue.ts'
import { anchorhold, makeWorld as makeAnyWorld, start, type World } from '../support/anchorhold.ts'

/** With a folder for temporary files of its own, so that what others make is not taken for ours. */
function makeWorld(): World {
  const world = makeAnyWorld()
  mkdirSync(temporary(world))
  return { ...world, env: { ...world.env, TMPDIR: temporary(world) } }
}
const temporary = (world: World): string => path.join(path.dirname(world.home), 'tmp')

function userPolicy(world: World, text: string): void {
  const folder = path.join(world.home, '.config', 'anchorhold')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'policy.yaml'), text, { mode: 0o600 })
}

async function proofOf(world: World, args: readonly string[] = []): Promise<{ readonly proof: Proof; readonly code: number }> {
  const { stdout, stderr, code } = await anchorhold(world, ['prove', '--json', ...args])
  expect(stderr).toBe('')
  return { proof: JSON.parse(stdout) as Proof, code }
}

/** Everything that a proof makes carries its name. */
function leftovers(world: World): readonly string[] {
  const places = [temporary(world), world.home, path.dirname(world.project), path.join(world.home, '.local/state/anchorhold/prove')]
  return places.flatMap((place) =>
    existsSync(place)
      ? readdirSync(place)
          .filter((name) => /prove-|\.json$/.test(name))
          .map((name) => path.join(place, name))
      : [],
  )
}

it('holds on this machine: every probe was tried, its control worked, and it held', async () => {
  const world = makeWorld()
  writeFileSync(path.join(world.project, 'work.txt'), 'mine')
  const before = leftovers(world)
  const { proof, code } = await proofOf(world, ['--full'])
  expect(proof.probes.filter(({ result }) => result !== 'holds' && result !== 'limit')).toEqual([])
  expect(proof).toMatchObject({ verdict: 'holds', engine: 'bubblewrap', set: 'full', project: world.project, opens: [] })
  expect(proof.probes.map(({ id }) => id)).toEqual(loadCatalogue().map(({ id }) => id))
  expect(new Set(proof.probes.map(({ wall }) => wall))).toEqual(new Set(walls))
  expect(proof.probes.length).toBeGreaterThanOrEqual(25)
  expect(proof.promises.filter(({ kept }) => !kept)).toEqual([])
  expect(proof).toMatchObject({
    kernel: os.release(),
    policyDigest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    versions: { anchorhold: expect.stringMatching(/^\d/) as unknown },
  })
  expect(Date.parse(proof.date)).toBeGreaterThan(0)
  expect(code).toBe(0)
  expect(leftovers(world).filter((name) => !before.includes(name))).toEqual([])
  expect(readdirSync(world.project)).toEqual(['work.txt'])
  expect(readdirSync(path.dirname(world.project))).toEqual(['project'])
})

it('a policy that shows what lies beside the project is found out, with exit code 1', async () => {
  const world = makeWorld()
  userPolicy(world, `files: { mount: [{ path: ${path.dirname(world.project)}, mode: rw }] }\nnetwork: { allow: ["*.amazonaws.com"] }\n`)
  const { proof, code } = await proofOf(world)
  expect(code).toBe(1)
  expect(proof.verdict).toBe('leaks')
  expect(proof.probes.filter(({ result }) => result === 'leaks').map(({ id }) => id)).toContain('files-beside')
  expect(proof.promises.find(({ id }) => id === 'P1')).toMatchObject({ kept: false })
  // One source: what `policy check` finds.
  const { findings } = JSON.parse((await anchorhold(world, ['policy', 'check', '--json'])).stdout) as {
    findings: readonly { id: string; subject: string; means: string }[]
  }
  expect(proof.opens.map(({ rule, subject, means }) => ({ id: rule, subject, means }))).toEqual(
    findings.map(({ id, subject, means }) => ({ id, subject, means })),
  )
  expect(proof.opens).toContainEqual({
    rule: 'open-host',
    severity: 'warning',
    subject: '*.amazonaws.com',
    place: `${path.join(world.home, '.config/anchorhold/policy.yaml')}:2`,
    means: "anybody's bucket there can receive what is sent.",
    instead: '- { host: NAME.amazonaws.com, methods: [GET, HEAD] }',
  })
  expect(proof.opens).toContainEqual(expect.objectContaining({ rule: 'writable-mount', subject: path.dirname(world.project) }) as unknown)
})

it.each(['readonly', 'review'] as const)('holds with a policy that shows the project %s', async (mode) => {
  const world = makeWorld()
  userPolicy(world, `workspace: { mode: ${mode} }\n`)
  const { proof, code } = await proofOf(world)
  expect(proof.probes.filter(({ result }) => result !== 'holds').map(({ id, result }) => [id, result])).toEqual([
    ['terminal-log', 'not-applicable'], // nothing of the project is watched there
  ])
  expect(code).toBe(0)
})

it('the user reads one line of verdict, the promises and what the policy opens', async () => {
  const world = makeWorld()
  userPolicy(world, 'network: { allow: ["*.amazonaws.com"] }\nsecrets: [{ name: A_TOKEN, from: env, hosts: [api.example.test] }]\n')
  const { stdout, code } = await anchorhold(world, ['prove', '--quick'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/Promises kept: P1, /)
  expect(stdout).toContain('*.amazonaws.com')
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^The wall holds: \d+ probes, none got through \(\d+\.\d s\)\.$/)
})

it('one wall, SARIF, and an HTML page that needs nothing else', async () => {
  const world = makeWorld()
  userPolicy(world, 'network: { allow: ["*.amazonaws.com"] }\n')
  const { stdout: sarif } = await anchorhold(world, ['prove', '--wall', 'kernel', '--sarif'])
  const log = JSON.parse(sarif) as { version: string; runs: { results: { ruleId: string; kind: string }[] }[] }
  expect(log.version).toBe('2.1.0')
  expect(log.runs[0]?.results.every(({ ruleId, kind }) => ruleId.startsWith('kernel-') && kind === 'pass')).toBe(true)
  const about = { kernel: os.release(), versions: { engine: expect.stringMatching(/bubblewrap \d/) as unknown }, verdict: 'holds' }
  expect(log.runs[0]).toMatchObject({ properties: { ...about, policyDigest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown } })
  const { stdout: html } = await anchorhold(world, ['prove', '--wall', 'kernel', '--html'])
  for (const text of [os.release(), world.project, 'bubblewrap', '*.amazonaws.com', 'P8 Privileges kept']) expect(html).toContain(text)
  expect(html).toMatch(/^<!doctype html>/)
  expect(html).not.toMatch(/<script|src=|href=|@import|url\(/i)
})

it.each([
  [['--json', '--html'], 'cannot be given together'],
  [['--wall', 'moat'], 'Allowed choices'],
  [['--engine', 'moat'], 'moat'],
])('refuses %j', async (args, said) => {
  const { code, stdout, stderr } = await anchorhold(makeWorld(), ['prove', ...args])
  expect(code).toBe(125)
  expect(`${stdout}${stderr}`).toContain(said)
})

it.each(['SIGINT', 'SIGKILL'] as const)('%s leaves nothing, at the latest at the next start', async (signal) => {
  const world = makeWorld()
  const before = leftovers(world)
  const { child, outcome } = start(world, ['prove', '--full'])
  await expect
    .poll(() => leftovers(world).filter((name) => !before.includes(name)).length, { timeout: 20_000, interval: 5 })
    .toBeGreaterThan(3)
  child.kill(signal)
  const ended = await outcome
  if (signal === 'SIGINT') expect(ended.code).toBe(130)
  else await anchorhold(world, ['prove', '--quick'])
  expect(leftovers(world).filter((name) => !before.includes(name))).toEqual([])
})
