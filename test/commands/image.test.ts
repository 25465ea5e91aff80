import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { defaultBase } from '../../src/images/dockerfile.ts'
import { ask, mustAsk } from '../../src/images/program.ts'
import { anchorhold, makeWorld, type World } from '../support/anchorhold.ts'
import { describeContainers, type ContainerHere } from '../support/containers.ts'
import { ownBase } from '../images/support.ts'

function policy(world: World, text: string): void {
  const folder = path.join(world.home, '.config/anchorhold')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'policy.yaml'), text)
}
const line = (stdout: string): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>

test('image dockerfile prints what is built: a base by its digest, few programs, the agent last in a layer of its own', async () => {
  const world = makeWorld()
  const { stdout, code } = await anchorhold(world, ['image', 'dockerfile'])
  expect(code).toBe(0)
  expect(stdout).toMatch(new RegExp(`^FROM ${defaultBase}\n`))
  expect(defaultBase).toMatch(/@sha256:[0-9a-f]{64}$/)
  const steps = stdout.split('\n').filter((each) => /^[A-Z]+ /.test(each))
  expect(steps.map((each) => each.split(' ')[0])).toEqual(['FROM', 'USER', 'RUN', 'RUN', 'USER', 'CMD', 'COPY', 'LABEL'])
  expect(steps.at(-2)).toBe('COPY claude /usr/local/bin/claude')
  expect(stdout).not.toMatch(/ARG|ENV|proxy|token/i)
})

test('options and the policy choose; two answers to one question are refused', async () => {
  const world = makeWorld()
  expect((await anchorhold(world, ['image', 'dockerfile', '--base', 'mirror.test:5000/debian:12', '--agent', 'command'])).stdout).toMatch(
    /^FROM mirror.test:5000\/debian:12\n(?!.*COPY)/s,
  )
  policy(world, 'image: python:3.12\n')
  const named = await anchorhold(world, ['image', 'dockerfile'])
  expect(named.stdout).toMatch(/^FROM python:3.12\n/)
  expect(named.stdout).not.toContain('RUN')
  expect((await anchorhold(world, ['image', 'dockerfile', '--agent-version', '2.1.400'])).stdout).toContain(
    'FROM python:3.12\n\n# @anthropic-ai/claude-code 2.1.400',
  )
  const shown = await anchorhold(world, ['policy'])
  expect(shown.stdout).toMatch(/image +python:3.12 +.*policy.yaml:1/)
  policy(world, 'image: { name: a, base: b }\n')
  expect(await anchorhold(world, ['image', 'dockerfile'])).toMatchObject({
    code: 125,
    stderr: expect.stringContaining('name and base') as string,
  })
  for (const bad of ['a b', '-v', 'x;rm', 'FROM\nRUN']) {
    const refused = await anchorhold(world, ['image', 'dockerfile', '--image', bad])
    expect(refused.code, bad).toBe(125)
    expect(refused.stdout).toBe('')
  }
})

test("a project's image needs an approval, its policy first, then exactly the files; --revoke takes both back", async () => {
  const world = makeWorld()
  writeFileSync(path.join(world.project, 'anchorhold.yaml'), 'image: { dockerfile: Dockerfile }\n')
  writeFileSync(path.join(world.project, 'Dockerfile'), 'FROM scratch\n')
  const refused = await anchorhold(world, ['image', 'dockerfile'])
  expect(refused.stderr).toContain('chooses the image: built from')
  expect(refused.stderr).toContain('anchorhold trust')
  const trusted = await anchorhold(world, ['trust', '--yes'])
  expect(trusted.code, trusted.stderr).toBe(0)
  expect(trusted.stdout).toContain('Dockerfile. What it runs while it is built is not behind the wall')
  expect(trusted.stdout.match(/Approved/g)).toHaveLength(2)
  expect((await anchorhold(world, ['image', 'dockerfile'])).stdout).toMatch(/^FROM localhost\/anchorhold\/project:[0-9a-f]{12}\n/)
  writeFileSync(path.join(world.project, 'Dockerfile'), 'FROM scratch\nRUN true\n')
  expect((await anchorhold(world, ['trust', '--yes', '--json'])).stdout.trim().split('\n').map(line)).toMatchObject([
    { approved: true, file: path.join(world.project, 'anchorhold.yaml') },
    { approved: true, file: path.join(world.project, 'Dockerfile') },
  ])
  const revoked = await anchorhold(world, ['trust', '--revoke'])
  expect(revoked.stdout.match(/Taken back/g)).toHaveLength(2)
})

await describeContainers('anchorhold image', (engine) => {
  const env = Object.fromEntries(Object.entries(engine.env).filter(([name]) => !['HOME', 'PATH', 'LANG'].includes(name)))
  const image = (world: World, ...args: readonly string[]) =>
    anchorhold(world, ['image', ...args, '--engine', engine.program], { env, timeoutMilliseconds: 150_000 })
  const onOwnBase = async () => ['--base', await ownBase(engine), '--agent', 'command']

  test('build says the image, ls lists it, prune keeps what is needed and removes the rest', async () => {
    const world = makeWorld()
    const base = await onOwnBase()
    expect((await image(world, 'ls')).stdout).toContain('Nothing was built yet')
    const built = await image(world, 'build', ...base, '--json')
    expect(built.code, built.stderr).toBe(0)
    expect(built.stderr).toContain('Building the image')
    const { id, reference } = line(built.stdout)
    const again = await image(world, 'build', ...base)
    expect(again).toMatchObject({ stdout: `${String(reference)}  ${String(id)}\n`, stderr: '' })
    const listed = line((await image(world, 'ls', '--json')).stdout)
    expect(listed).toMatchObject({ engine: engine.program, reference, id, containers: [], current: true })
    expect((await image(world, 'ls')).stdout).toMatch(/ plain:[0-9a-f]{12} +none .* new +next run/)

    expect((await image(world, 'prune')).stdout).toContain(`kept: ${String(reference)} (the next run takes it)`)
    const container = await hold(engine, String(id))
    expect((await image(world, 'prune', '--all')).stdout).toContain(`used by ${container.name}`)
    await container.remove()
    expect((await image(world, 'prune', '--all', '--dry-run')).stdout).toContain(`would be removed: ${String(reference)}`)
    expect(line((await image(world, 'prune', '--all', '--json')).stdout)).toMatchObject({ removed: [{ reference }], kept: [] })
    expect((await image(world, 'ls')).stdout).toContain('Nothing was built yet')
    // The base is somebody's own.
    expect(await mustAsk({ name: engine.program, argv: [engine.program], env: engine.env }, ['images', '--quiet', base[1] ?? ''])).not.toBe(
      '',
    )
  })

  test("nobody else's images are listed or pruned", async () => {
    const [one, two] = [makeWorld(), makeWorld()]
    const base = await onOwnBase()
    const built = await image(one, 'build', ...base)
    expect(built.code, built.stderr).toBe(0)
    expect((await image(two, 'ls')).stdout).toContain('Nothing was built yet')
    expect((await image(two, 'prune', '--all')).stdout).toContain('nothing was built yet')
    expect((await image(one, 'ls', '--json')).stdout).not.toBe('')
    // The same image for both is one of each.
    expect((await image(two, 'build', ...base)).code).toBe(0)
    const [ofOne, ofTwo] = [line((await image(one, 'ls', '--json')).stdout), line((await image(two, 'ls', '--json')).stdout)]
    expect(ofTwo['reference']).not.toBe(ofOne['reference'])
    expect(line((await image(two, 'prune', '--all', '--json')).stdout)).toMatchObject({ removed: [{ reference: ofTwo['reference'] }] })
    expect(line((await image(one, 'ls', '--json')).stdout)).toEqual(ofOne)
  })
})

test('without an engine: what each of them said, and what to install', async () => {
  const world = makeWorld()
  const { code, stderr } = await anchorhold(world, ['image', 'build', '--engine', 'docker'], {
    env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' },
  })
  expect(code).toBe(125)
  expect(stderr).toMatch(/docker: .*\n?.*(?:Install|Cannot connect)/s)
})

/** A container of the image that was made and not started. */
async function hold({ program: name, env }: ContainerHere, id: string): Promise<{ readonly name: string; remove(): Promise<void> }> {
  const program = { name, argv: [name], env } as const
  const held = `anchorhold-test-${randomUUID()}`
  onTestFinished(async () => void (await ask(program, ['rm', '--force', held])))
  await mustAsk(program, ['create', '--name', held, '--network', 'none', id, 'true'])
  return { name: held, remove: async () => void (await mustAsk(program, ['rm', held])) }
}
