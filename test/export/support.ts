// An export that is run: a made-up user with a project and a policy, a witness on the host's loopback, and containers that are gone at the end.
import { createServer } from 'node:http'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { capture } from '../../src/host/process.ts'
import { anchorhold, makeWorld, type World } from '../support/anchorhold.ts'
import type { ContainerHere } from '../support/containers.ts'
import { ownBase } from '../images/support.ts'

/** The value that must be in no file and in no cell. */
export const secret = 'ah-real-5f81c0d2b7e94a63'

export interface Exported {
  readonly world: World
  /** Where the files are. */
  readonly folder: string
  /** Requests that the witness saw: the path and what was in Authorization. */
  readonly seen: readonly string[]
  readonly port: number
  /** Runs a program as somebody without anchorhold does: docker's variables, the secret, and nothing of the made-up user. */
  readonly start: (
    argv: readonly [string, ...string[]],
  ) => Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>
}

export interface Wanted {
  readonly form: 'compose' | 'devcontainer' | 'docker'
  readonly flags?: readonly string[]
  readonly command: readonly string[]
}

/** Exports a policy that allows `model.test` alone, which is the witness, with a secret for it. */
export async function exported(engine: ContainerHere, { form, flags = [], command }: Wanted): Promise<Exported> {
  const world = makeWorld()
  const seen: string[] = []
  const witness = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization ?? 'none'}`)
    response.end(`witness of ${request.headers.host}: ${request.headers.authorization ?? 'none'}\n`)
  })
  await new Promise<void>((resolve) => witness.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void witness.close())
  const { port } = witness.address() as AddressInfo
  const base = await ownBase(engine)
  mkdirSync(path.join(world.home, '.config/anchorhold'), { recursive: true })
  writeFileSync(path.join(world.home, '.config/anchorhold/policy.yaml'), `image: { base: ${base} }\nagent: command\n`)
  writeFileSync(path.join(world.project, 'readme'), 'of the project\n')
  writeFileSync(path.join(world.project, '.env'), 'PASSWORD=hidden\n')
  mkdirSync(path.join(world.project, '.vscode'))
  writeFileSync(path.join(world.project, '.vscode/tasks.json'), '{}\n')
  const folder = path.join(world.home, 'exported')
  const made = await anchorhold(
    world,
    [
      'export',
      form,
      '--to',
      folder,
      '--gateway-network',
      'host',
      '--allow',
      'model.test',
      '--route',
      `model.test:80=127.0.0.1:${port}`,
      '--route',
      `model.test:443=http://127.0.0.1:${port}`,
      '--secret',
      'TOKEN@model.test:80,model.test:443',
      ...flags,
      ...(command.length > 0 ? ['--', ...command] : []),
    ],
    { env: { TOKEN: secret } },
  )
  expect(made.code, made.stderr).toBe(0)
  expect(made.stdout).toContain('Set these variables first: TOKEN')
  const env = { ...engine.env, TOKEN: secret }
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return {
    world,
    folder,
    seen,
    port,
    start: async (argv) => capture(argv, { env, cwd: '/', timeoutMilliseconds: 150_000 }),
  }
}
