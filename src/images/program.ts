// What is asked of a container engine's command line about images: docker and podman answer the same words alike.
import { spawn } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { Failure } from '../errors/failure.ts'
import { capture, cleanEnv, systemPath } from '../host/process.ts'
import type { ContainerProgram } from '../model/image.ts'
import { show } from '../policy/show.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Where its engine is, and where its own set-up and storage lie: never a proxy or a credential of another program. */
const passed: Readonly<Record<ContainerProgram['name'], readonly string[]>> = {
  docker: ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_BUILDKIT', 'XDG_RUNTIME_DIR'],
  podman: [
    'CONTAINER_HOST',
    'CONTAINER_CONNECTION',
    'CONTAINERS_CONF',
    'CONTAINERS_STORAGE_CONF',
    'CONTAINERS_REGISTRIES_CONF',
    'REGISTRY_AUTH_FILE',
    'XDG_RUNTIME_DIR',
    'XDG_CONFIG_HOME',
    'XDG_DATA_HOME',
    'DBUS_SESSION_BUS_ADDRESS',
  ],
}

/** The program of that name, as this user has it set up. Whether it is there shows when it is asked. */
export function containerProgram(name: ContainerProgram['name'], env: Env): ContainerProgram {
  const own = passed[name].flatMap((each) => (env[each] === undefined ? [] : [[each, env[each]] as const]))
  return { name, argv: [name], env: { ...cleanEnv(env), PATH: systemPath, ...Object.fromEntries(own) } }
}

/** What is known of one image. */
export interface Inspected {
  /** `sha256:…` */
  readonly id: string
  readonly tags: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** Digests of its layers, lowest first. */
  readonly layers: readonly string[]
  /** As images say it: `amd64`, `arm64`. */
  readonly architecture: string
  readonly os: string
  /** What a build on top of it would run without being asked. */
  readonly onBuild: readonly string[]
  readonly bytes: number
  readonly created: string
}

/** Those of `names` that are on the machine, in their order; undefined for each that is not. */
export async function inspectImages(program: ContainerProgram, names: readonly string[]): Promise<readonly (Inspected | undefined)[]> {
  if (names.length === 0) return []
  const answer = await ask(program, ['image', 'inspect', ...names])
  if (answer.code === 0) return (JSON.parse(answer.stdout) as readonly unknown[]).map((image) => readInspected(record(image)))
  if (names.length === 1) {
    if (/no such image|image not known|unable to inspect|failed to find image/i.test(answer.stderr)) return [undefined]
    throw unreachable(program, answer.stderr)
  }
  // One that is missing spoils the answer for all.
  return (await Promise.all(names.map((name) => inspectImages(program, [name])))).flat()
}

/**
 * Runs it to its end. Podman has no daemon: it reads every image of the store for a list, and gives up where another process removes one of
 * them just then, whosever it is. Then it is asked again.
 */
export async function ask(program: ContainerProgram, args: readonly string[]): ReturnType<typeof capture> {
  for (let left = 20; ; left -= 1) {
    const answer = await capture([...program.argv, ...args], { env: program.env, timeoutMilliseconds: 120_000 })
    if (answer.code === 0 || left === 0 || !storeChanged.test(answer.stderr)) return answer
    await setTimeout(50)
  }
}

/** The end of what it says of an image or layer that was in the list a moment before. */
const storeChanged = /locating (?:image with ID|item named) "|checking if image "[^"]+" is dangling|top layer \S+ of image|layer not known/

/** @throws Failure 'image/engine' where it did not do it */
export async function mustAsk(program: ContainerProgram, args: readonly string[]): Promise<string> {
  const answer = await ask(program, args)
  if (answer.code !== 0) throw unreachable(program, answer.stderr)
  return answer.stdout
}

function unreachable(program: ContainerProgram, said: string): Failure {
  return new Failure('image/engine', { program: program.name, reason: lastSentence(said) })
}

/** For work that takes minutes: every line goes to `onLine`; the last ones come back. Ends with `signal`. */
export function work(
  program: ContainerProgram,
  args: readonly string[],
  options: { readonly onLine?: ((line: string) => void) | undefined; readonly signal?: AbortSignal | undefined },
): Promise<{ readonly code: number; readonly last: readonly string[] }> {
  return new Promise((resolve) => {
    const [file, ...own] = program.argv
    const child = spawn(file, [...own, ...args], {
      env: program.env,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    const last: string[] = []
    const read = (): ((chunk: Buffer) => void) => {
      let rest = ''
      return (chunk) => {
        const parts = `${rest}${chunk.toString()}`.slice(-65_536).split(/\r?\n|\r/)
        rest = parts.pop() ?? ''
        for (const line of parts.filter((part) => part.trim() !== '')) {
          options.onLine?.(line)
          last.push(line)
          if (last.length > 40) last.shift()
        }
      }
    }
    child.stdout.on('data', read())
    child.stderr.on('data', read())
    child.on('error', (error) => resolve({ code: 127, last: [...last, error.message] }))
    child.on('close', (code) => resolve({ code: code ?? 128, last }))
  })
}

/**
 * A build of `reference`; `args` end with its context. The engine's store is everybody's: where another process takes an image away whose step
 * this build had just found in the cache, the engine gives up or has nothing to show. Then it is built again, at last without that cache.
 */
export async function buildImage(
  program: ContainerProgram,
  reference: string,
  args: readonly [string, ...string[]],
  options: Parameters<typeof work>[2],
): Promise<{ readonly last: readonly string[]; readonly image: Inspected | undefined }> {
  for (const more of [[], [], ['--no-cache']]) {
    const done = await work(program, ['build', '--tag', reference, ...more, ...args], options)
    if (done.code !== 0 && !tookAway.test(done.last.slice(-3).join('\n'))) return { last: done.last, image: undefined }
    const [image] = done.code === 0 ? await inspectImages(program, [reference]) : []
    if (image !== undefined || more.length > 0) return { last: done.last, image }
  }
  return { last: [], image: undefined }
}

/** As Docker's classic builder, BuildKit and Podman say it. */
const tookAway =
  /failed to get digest sha256:|unknown parent image|No such (?:image|container): (?:sha256:)?[0-9a-f]{12}|(?:image|layer) not known|layer does not exist/i

/** Of a build that did not work: its last lines. */
export function buildFailure(program: ContainerProgram, what: string, last: readonly string[]): Failure {
  const lines = last
    .slice(-12)
    .map((line) => `  ${show(line, 1000)}`)
    .join('\n')
  return new Failure('image/build-failed', { program: program.name, what, lines })
}

/** What a program said last, which is where it says why. */
export function lastSentence(said: string): string {
  return lines(said).at(-1)?.trim() ?? 'no reason given'
}

export function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '')
}

function readInspected(image: Readonly<Record<string, unknown>>): Inspected {
  const config = record(image['Config'])
  const id = text(image['Id'])
  return {
    id: id.startsWith('sha256:') ? id : `sha256:${id}`,
    tags: texts(image['RepoTags']),
    labels: Object.fromEntries(Object.entries(record(config['Labels'])).map(([name, value]) => [name, text(value)])),
    layers: texts(record(image['RootFS'])['Layers']),
    architecture: text(image['Architecture']),
    os: text(image['Os']),
    onBuild: [...texts(config['OnBuild']), ...onBuildOf(image['History'])],
    bytes: typeof image['Size'] === 'number' ? image['Size'] : 0,
    created: text(image['Created']),
  }
}

/** Podman shows it in the history alone. */
function onBuildOf(history: unknown): readonly string[] {
  const steps = Array.isArray(history) ? history.map((step) => text(record(step)['created_by'])) : []
  return steps.flatMap((step) => /^(?:\/bin\/sh -c #\(nop\)\s+)?ONBUILD (.*)$/s.exec(step)?.[1] ?? [])
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text) : []
}
