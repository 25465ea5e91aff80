import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, homedir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { claudeDistribution } from '../../src/agents/claude.ts'
import { ensureImage } from '../../src/images/ensure.ts'
import { pruneImages } from '../../src/images/list.ts'
import { inspectImages, mustAsk } from '../../src/images/program.ts'
import { capture } from '../../src/host/process.ts'
import { cachedClaude, claudeData } from '../agents/claude-cache.ts'
import { describeContainers } from '../support/containers.ts'
import { bench, inside, noImage, smallAgent, type Bench } from './support.ts'

const layersOf = async ({ program }: Bench, image: string): Promise<readonly string[]> =>
  (await inspectImages(program, [image]))[0]?.layers ?? []

await describeContainers('the image of a run', (engine) => {
  test('is built once, and then found without a word', async () => {
    const user = await bench(engine)
    const built = await ensureImage(user.input())
    expect(user.said.some((line) => line.includes('Building the image'))).toBe(true)
    expect(built.id).toMatch(/^sha256:[0-9a-f]{64}$/)
    user.said.length = 0
    expect(await ensureImage(user.input())).toEqual(built)
    expect(user.said).toEqual([])
  })

  test('is built again where it was taken away meanwhile, and is the same without the state folder', async () => {
    const user = await bench(engine)
    const built = await ensureImage(user.input())
    rmSync(path.join(user.home, '.local/state'), { recursive: true })
    expect(await ensureImage(user.input())).toEqual(built)
    await mustAsk(user.program, ['rmi', '--force', built.id])
    expect((await ensureImage(user.input())).reference).toBe(built.reference)
    expect(await inspectImages(user.program, [built.reference])).toHaveLength(1)
  })

  test('others build the same at the same time and take it away: no build loses the step that it had found', async () => {
    const user = await bench(engine)
    const turns = async (name: string): Promise<void> => {
      for (let turn = 0; turn < 4; turn += 1) {
        const stateDir = path.join(user.home, name)
        const { reference } = await ensureImage(user.input({ agent: undefined, stateDir }))
        const { removed } = await pruneImages(user.program, stateDir, { all: true, dryRun: false })
        expect(removed.map((image) => image.reference)).toContain(reference)
      }
    }
    await Promise.all(['one', 'two', 'three'].map(turns))
  })

  test('has an ordinary user, the agent at its place, and no file of the host besides', async () => {
    const user = await bench(engine)
    const { id } = await ensureImage(user.input())
    expect(await inside(user.program, id, 'id', '-u')).toBe('1000\n')
    expect(
      await inside(
        user.program,
        id,
        'sh',
        '-c',
        'command -v git; command -v rg; tail -c 6 /usr/local/bin/claude; stat -c %u:%a /usr/local/bin/claude',
      ),
    ).toBe('/usr/bin/git\n/usr/bin/rg\n3.0.0\n0:755\n')
    const added = await filesOfTopLayer(user, id)
    expect(added.filter((name) => !name.endsWith('/'))).toEqual(['usr/local/bin/claude'])
  })

  test('a new version of the agent is one new layer', async () => {
    const user = await bench(engine)
    const [one, two] = [await ensureImage(user.input()), await ensureImage(user.input({ version: '3.0.1' }))]
    expect(two.reference).not.toBe(one.reference)
    const [before, after] = [await layersOf(user, one.id), await layersOf(user, two.id)]
    expect(after.slice(0, -1)).toEqual(before.slice(0, -1))
    expect(after.at(-1)).not.toBe(before.at(-1))
    expect(await inside(user.program, two.id, 'tail', '-c', '6', '/usr/local/bin/claude')).toBe('3.0.1\n')
  })

  test('another base under the same name is another image', async () => {
    const user = await bench(engine)
    const name = `localhost/anchorhold-test/moving:${path.basename(path.dirname(user.home)).toLowerCase()}`
    const change = (text: string) => buildOn(user, name, text)
    await change('RUN echo one >/which')
    const one = await ensureImage(user.input({ source: { kind: 'name', name } }))
    await change('RUN echo two >/which')
    const two = await ensureImage(user.input({ source: { kind: 'name', name } }))
    expect([await inside(user.program, one.id, 'cat', '/which'), await inside(user.program, two.id, 'cat', '/which')]).toEqual([
      'one\n',
      'two\n',
    ])
  })

  test('for a plain command: no agent; an image that was named is taken as it is', async () => {
    const user = await bench(engine)
    const plain = await ensureImage(user.input({ agent: undefined }))
    expect(await inside(user.program, plain.id, 'sh', '-c', 'command -v rg; command -v claude || echo none')).toBe('/usr/bin/rg\nnone\n')
    const [base] = await inspectImages(user.program, [user.base])
    expect(await ensureImage(user.input({ agent: undefined, source: { kind: 'name', name: user.base } }))).toEqual({
      reference: user.base,
      id: base?.id,
    })
  })

  test('a base that is not here and cannot be fetched: the error has the command', async () => {
    const user = await bench(engine)
    const base = noImage()
    await expect(ensureImage(user.input({ source: { kind: 'shipped', base } }))).rejects.toMatchObject({
      code: 'image/base-missing',
      remedy: expect.stringContaining(`${engine.program} pull ${base}`) as string,
    })
  })

  test('a base that has instructions for whoever builds on it is refused: they would run in the build', async () => {
    const user = await bench(engine)
    const name = `localhost/anchorhold-test/onbuild:${path.basename(path.dirname(user.home)).toLowerCase()}`
    await buildOn(user, name, 'ONBUILD RUN touch /owned', ['--format', 'docker'])
    await expect(ensureImage(user.input({ source: { kind: 'name', name } }))).rejects.toMatchObject({
      code: 'image/bad-base',
      message: expect.stringContaining('touch /owned') as string,
    })
  })

  test('an agent below its floor is refused before anything is fetched or built', async () => {
    const user = await bench(engine)
    await expect(ensureImage(user.input({ version: '2.1.0' }))).rejects.toMatchObject({ code: 'image/old-agent' })
    expect(user.said).toEqual([])
  })

  test('no secret of the user is in any layer, in the history or in what inspect shows', async () => {
    const user = await bench(engine)
    const canary = 'ah-canary-5f1c9d'
    user.file('.npmrc', `//registry.test/:_authToken=${canary}-npmrc\n`)
    user.file('project/.env', `TOKEN=${canary}-project\n`)
    user.file('.docker/config.json', JSON.stringify({ auths: { 'registry.test': { auth: `${canary}-docker` } } }))
    const secrets = { NPM_TOKEN: `${canary}-env`, HTTPS_PROXY: `http://me:${canary}-proxy@127.0.0.1:9`, ANTHROPIC_API_KEY: `${canary}-key` }
    for (const [name, value] of Object.entries(secrets)) {
      const before = process.env[name]
      process.env[name] = value
      onTestFinished(() => void (before === undefined ? delete process.env[name] : (process.env[name] = before)))
    }
    const input = user.input()
    const { id } = await ensureImage({ ...input, hostEnv: { ...input.hostEnv, ...secrets } })
    const shown = `${await mustAsk(user.program, ['image', 'inspect', id])}${await mustAsk(user.program, ['history', '--no-trunc', id])}`
    expect(shown).toContain('/usr/local/bin/claude')
    expect(shown).not.toContain(canary)
    // Control: what is searched does have the content of files.
    expect(await searchLayers(user, id, '#!/usr/bin/perl')).toBe(true)
    expect(await searchLayers(user, id, canary)).toBe(false)
  })

  test('the real Claude Code: fetched by npm, checked against what anchorhold knows of it, and runs', async () => {
    const user = await bench(engine)
    await cachedClaude()
    const input = user.input({ agent: { title: 'Claude Code', distribution: claudeDistribution } })
    const hostEnv = { ...process.env, XDG_DATA_HOME: claudeData }
    const { id } = await ensureImage({ ...input, hostEnv, hostHome: homedir() })
    expect(await inside(user.program, id, 'claude', '--version')).toContain(claudeDistribution.pinned)
    const others = Object.fromEntries(Object.keys(claudeDistribution.integrity).map((name) => [name, 'sha512-other']))
    const distribution = { ...claudeDistribution, integrity: others }
    await mustAsk(user.program, ['rmi', '--force', id])
    await expect(
      ensureImage({ ...input, hostEnv, hostHome: homedir(), agent: { title: 'Claude Code', distribution } }),
    ).rejects.toMatchObject({
      code: 'image/integrity',
    })
  }, 300_000)
})

test('every platform that an image can have is pinned', () => {
  expect(Object.keys(claudeDistribution.integrity).sort()).toEqual(['linux-arm64', 'linux-arm64-musl', 'linux-x64', 'linux-x64-musl'])
  expect(smallAgent.program).toBe('claude')
})

async function buildOn({ program, base }: Bench, name: string, text: string, podman: readonly string[] = []): Promise<void> {
  const folder = emptyFolder()
  writeFileSync(path.join(folder, 'Dockerfile'), `FROM ${base}\n${text}\n`)
  const args = ['build', '--network', 'none', '--tag', name, ...(program.name === 'podman' ? podman : []), folder]
  const built = await capture([...program.argv, ...args], { env: program.env, timeoutMilliseconds: 120_000 })
  expect(built.code, built.stderr).toBe(0)
  onTestFinished(
    async () => void (await capture([...program.argv, 'rmi', '--force', name], { env: program.env, timeoutMilliseconds: 60_000 })),
  )
}

function emptyFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ah-empty-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** The image as the engine saves it, unpacked: every layer is a tar in it. */
async function saved({ program, home }: Bench, id: string): Promise<string> {
  const folder = emptyFolder()
  const script = '"$1" save "$2" >"$4/image.tar" && tar xf "$4/image.tar" -C "$4" && rm "$4/image.tar"'
  const done = await capture(['sh', '-c', script, 'sh', ...program.argv, id, home, folder], {
    env: program.env,
    timeoutMilliseconds: 120_000,
  })
  expect(done.code, done.stderr).toBe(0)
  return folder
}

async function searchLayers(user: Bench, id: string, text: string): Promise<boolean> {
  const folder = await saved(user, id)
  const found = await capture(['grep', '-rqaF', '-e', text, folder], { timeoutMilliseconds: 60_000 })
  expect(found.code).toBeLessThan(2)
  return found.code === 0
}

async function filesOfTopLayer(user: Bench, id: string): Promise<readonly string[]> {
  const folder = await saved(user, id)
  const [manifest] = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as { readonly Layers: readonly string[] }[]
  const layer = manifest?.Layers.at(-1) ?? ''
  const listed = await capture(['tar', 'tf', path.join(folder, layer)], { timeoutMilliseconds: 60_000 })
  return listed.stdout.split('\n').filter(Boolean)
}
