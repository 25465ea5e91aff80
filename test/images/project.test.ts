import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { ensureImage } from '../../src/images/ensure.ts'
import { resolveSource } from '../../src/images/source.ts'
import type { ImageInput } from '../../src/images/recipe.ts'
import { approve } from '../../src/policy/approval.ts'
import { describeContainers } from '../support/containers.ts'
import { devcontainerCli } from './devcontainer-cli.ts'
import { bench, inside } from './support.ts'

async function trust({ rule, project, stateDir }: ImageInput): Promise<void> {
  const source = await resolveSource(rule, project)
  if (source.kind === 'built') await source[Symbol.asyncDispose]()
  if (source.files === undefined) throw new Error('nothing to approve')
  await approve(stateDir, source.files.file, source.files.digest, new Date())
}

await describeContainers('an image of the project', (engine) => {
  test('a Dockerfile of the project is built from after exactly its content was approved, without a network', async () => {
    const user = await bench(engine)
    const file = user.file('project/Dockerfile', `FROM ${user.base}\nRUN tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' >/networks\n`)
    const input = user.input({ source: { kind: 'dockerfile', file } })
    await expect(ensureImage(input)).rejects.toMatchObject({
      code: 'image/not-approved',
      remedy: expect.stringContaining('anchorhold trust') as string,
    })
    await trust(input)
    const { id, reference } = await ensureImage(input)
    expect(await inside(user.program, id, 'cat', '/networks')).toBe('lo\n')
    expect(await inside(user.program, id, 'tail', '-c', '6', '/usr/local/bin/claude')).toBe('3.0.0\n')
    expect((await ensureImage(input)).reference).toBe(reference)
    user.file('project/Dockerfile', `FROM ${user.base}\nRUN echo other >/networks\n`)
    await expect(ensureImage(input)).rejects.toMatchObject({ code: 'image/not-approved' })
  })

  test('it copies what its context has, and each change there needs a new approval; without a context there is nothing', async () => {
    const user = await bench(engine)
    const file = user.file('project/Dockerfile', `FROM ${user.base}\nCOPY greeting /greeting\n`)
    user.file('project/docker/greeting', 'hello\n')
    const without = user.input({ source: { kind: 'dockerfile', file } })
    await trust(without)
    await expect(ensureImage(without)).rejects.toMatchObject({
      code: 'image/build-failed',
      message: expect.stringContaining('greeting') as string,
    })
    const input = user.input({ source: { kind: 'dockerfile', file, context: path.join(user.project, 'docker') } })
    await trust(input)
    expect(await inside(user.program, (await ensureImage(input)).id, 'cat', '/greeting')).toBe('hello\n')
    user.file('project/docker/greeting', 'owned\n')
    await expect(ensureImage(input)).rejects.toMatchObject({ code: 'image/not-approved' })
  })

  test("a file of the user's own, outside the project, is the user's word already", async () => {
    const user = await bench(engine)
    const file = user.file('images/Dockerfile', `FROM ${user.base}\nRUN echo mine >/whose\n`)
    const { id } = await ensureImage(user.input({ source: { kind: 'dockerfile', file } }))
    expect(await inside(user.program, id, 'cat', '/whose')).toBe('mine\n')
  })

  test('a devcontainer.json with a build: arguments and target are taken, its commands are not', async () => {
    const user = await bench(engine)
    const file = user.file(
      'project/.devcontainer/devcontainer.json',
      `{
        // as editors write it
        "build": { "dockerfile": "Dockerfile", "args": { "WHAT": "argument" }, "target": "first", },
        "initializeCommand": "touch ${user.home}/owned",
      }`,
    )
    user.file(
      'project/.devcontainer/Dockerfile',
      `FROM ${user.base} AS first\nARG WHAT\nRUN echo "$WHAT" >/which\nFROM first\nRUN echo second >/which\n`,
    )
    const input = user.input({ source: { kind: 'devcontainer', file } })
    await expect(ensureImage(input)).rejects.toMatchObject({ code: 'image/not-approved' })
    await trust(input)
    expect(await inside(user.program, (await ensureImage(input)).id, 'cat', '/which')).toBe('argument\n')
    user.file('project/.devcontainer/Dockerfile', `FROM ${user.base} AS first\n`)
    await expect(ensureImage(input)).rejects.toMatchObject({ code: 'image/not-approved' })
  })

  test('a devcontainer.json with an image gets the agent on top', async () => {
    const user = await bench(engine)
    const file = user.file('project/.devcontainer.json', JSON.stringify({ image: user.base }))
    const input = user.input({ source: { kind: 'devcontainer', file } })
    await trust(input)
    expect(await inside(user.program, (await ensureImage(input)).id, 'tail', '-c', '6', '/usr/local/bin/claude')).toBe('3.0.0\n')
  })

  test('features: refused with the reason without a network or without their own command line', async () => {
    const user = await bench(engine)
    const file = user.file('project/.devcontainer/devcontainer.json', JSON.stringify({ image: user.base, features: { './one': {} } }))
    const input = user.input({ source: { kind: 'devcontainer', file } })
    await trust(input)
    await expect(ensureImage(input)).rejects.toMatchObject({ message: expect.stringContaining('image.network: true') as string })
    await expect(ensureImage(user.input({ source: { kind: 'devcontainer', file }, network: true }))).rejects.toMatchObject({
      message: expect.stringContaining('npm install -g @devcontainers/cli') as string,
    })
  })
})

await describeContainers(
  'features of a devcontainer.json',
  (engine) => {
    test('are put in by its own command line; the agent comes on top, and its commands for the host are not run', async () => {
      const user = await bench(engine)
      const file = user.file(
        'project/.devcontainer/devcontainer.json',
        JSON.stringify({ image: user.base, features: { './one': { word: 'chosen' } }, initializeCommand: `touch ${user.home}/owned` }),
      )
      user.file(
        'project/.devcontainer/one/devcontainer-feature.json',
        JSON.stringify({ id: 'one', version: '1.0.0', name: 'One', options: { word: { type: 'string', default: 'none' } } }),
      )
      user.file('project/.devcontainer/one/install.sh', '#!/bin/sh\necho "$WORD" >/feature\n')
      const input = user.input({ source: { kind: 'devcontainer', file }, network: true })
      await trust(input)
      const hostEnv = { ...input.hostEnv, PATH: `${devcontainerCli.folder}:${input.hostEnv['PATH'] ?? ''}` }
      const { id, reference } = await ensureImage({ ...input, hostEnv })
      expect(await inside(user.program, id, 'cat', '/feature')).toBe('chosen\n')
      expect(await inside(user.program, id, 'tail', '-c', '6', '/usr/local/bin/claude')).toBe('3.0.0\n')
      expect(existsSync(path.join(user.home, 'owned'))).toBe(false)
      expect((await ensureImage({ ...input, hostEnv })).reference).toBe(reference)
    })
  },
  ['docker'],
)

await describeContainers('what decides on an image', (engine) => {
  test('stays in the project: neither a link nor .. leads a Dockerfile or its context out of it', async () => {
    const user = await bench(engine)
    user.file('other/Dockerfile', 'FROM scratch\n')
    const file = user.file('project/Dockerfile', 'FROM scratch\n')
    symlinkSync(path.join(user.home, 'other'), path.join(user.project, 'out'))
    const outside = { code: 'image/unreadable', message: expect.stringContaining('outside the project') as string }
    await expect(
      ensureImage(user.input({ source: { kind: 'dockerfile', file: path.join(user.project, 'out/Dockerfile') } })),
    ).rejects.toMatchObject(outside)
    const rule = user.input({ source: { kind: 'dockerfile', file, context: user.home } }).rule
    if (rule === undefined) throw new Error('no rule')
    const project = { ...rule, origin: { kind: 'project', source: 'anchorhold.yaml' } } as const
    await expect(resolveSource(project, user.project)).rejects.toMatchObject(outside)
    const json = user.file('project/.devcontainer.json', JSON.stringify({ build: { dockerfile: 'Dockerfile', context: '..' } }))
    await expect(ensureImage(user.input({ source: { kind: 'devcontainer', file: json } }))).rejects.toMatchObject(outside)
  })

  test('is read as what it is, or refused: no such file, a folder of thousands, a compose project, variables, no JSON', async () => {
    const user = await bench(engine)
    const of = (content: string) =>
      ensureImage(user.input({ source: { kind: 'devcontainer', file: user.file('project/.devcontainer.json', content) } }))
    await expect(ensureImage(user.input({ source: { kind: 'dockerfile', file: '/nowhere/Dockerfile' } }))).rejects.toMatchObject({
      code: 'image/unreadable',
    })
    for (const [content, reason] of [
      ['{ "image": "a", ', 'not JSON'],
      ['{ "dockerComposeFile": "compose.yaml" }', 'compose'],
      ['{ "image": "${localEnv:IMAGE}" }', 'variable'],
      ['{}', 'neither'],
      ['{ "image": "a", "build": { "dockerfile": "b" } }', 'or both'],
    ] as const)
      await expect(of(content)).rejects.toMatchObject({ code: 'image/devcontainer', message: expect.stringContaining(reason) as string })
    const file = user.file('project/Dockerfile', 'FROM scratch\n')
    mkdirSync(path.join(user.project, 'many'))
    user.file('project/many/big', 'x'.repeat(65 * 2 ** 20))
    const context = path.join(user.project, 'many')
    await expect(ensureImage(user.input({ source: { kind: 'dockerfile', file, context } }))).rejects.toMatchObject({
      code: 'image/context-too-large',
    })
    rmSync(context, { recursive: true })
  })
})
