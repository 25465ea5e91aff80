// The container engines of the machine that tests run on, each with the test base image in it. Where one is missing and not required
// (REQUIRE_ENGINES), one test says so by name and the end of the run repeats it.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { capture, systemPath } from '../../src/host/process.ts'

export type ContainerProgram = 'docker' | 'podman'

export interface ContainerHere {
  readonly program: ContainerProgram
  /** Variables that its command line needs to find the engine that tests use; a made-up home has no set-up of its own. */
  readonly env: Readonly<Record<string, string>>
  /** Reference of the base image: Debian with what an image of ours has, Node, and a few tools that tests call. */
  readonly base: string
}

/** Names of `REQUIRE_ENGINES`: these must be there, or the tests fail. */
export const requiredEngines: readonly string[] = (process.env['REQUIRE_ENGINES'] ?? '').split(',').filter(Boolean)

/**
 * Describes the same behaviour once for each container program.
 * @param tests called with the engine where it is there; what it registers are this program's tests
 */
export async function describeContainers(
  title: string,
  tests: (engine: ContainerHere) => void,
  programs: readonly ContainerProgram[] = ['docker', 'podman'],
): Promise<void> {
  for (const program of programs) {
    const engine = await containerEngine(program)
    if (typeof engine !== 'string') describe(`${title} (${program})`, { timeout: 180_000 }, () => tests(engine))
    else notTested(title, program, engine)
  }
}

/** One test in the place of those that this machine cannot do. */
export function notTested(title: string, program: string, reason: string): void {
  test(`${title} (${program}) is not tested here: ${reason}`, ({ task }) => {
    task.meta.notTested = `${program}: ${reason}`
    expect(requiredEngines, reason).not.toContain(program)
  })
}

declare module 'vitest' {
  interface TaskMeta {
    /** What this machine could not test, and why. */
    notTested?: string
  }
}

/** The engine with its base image, or the reason why it can't be used here. */
export async function containerEngine(program: ContainerProgram): Promise<ContainerHere | string> {
  const env = { PATH: systemPath, LANG: 'C.UTF-8', HOME: homedir(), ...(program === 'docker' ? dockerEnv() : podmanEnv()) }
  const answer = await capture([program, 'info'], { env, timeoutMilliseconds: 30_000 })
  if (answer.code !== 0) return answer.stderr.trim().split('\n').at(-1) ?? `${program} info ended with code ${answer.code}`
  const made = await baseImage(program, env)
  return 'reason' in made ? made.reason : { program, env, base: made.base }
}

function dockerEnv(): Record<string, string> {
  const host = process.env['DOCKER_HOST']
  return host === undefined ? {} : { DOCKER_HOST: host }
}

/** Storage of the tests' own, in the user's cache: overlay, and what works without systemd and cgroups of one's own. */
function podmanEnv(): Record<string, string> {
  const uid = process.getuid?.() ?? 0
  const folder = path.join(cache(), 'podman')
  const runtime = process.env['XDG_RUNTIME_DIR'] ?? path.join('/tmp', `anchorhold-test-${uid}`)
  for (const each of [folder, runtime]) mkdirSync(each, { recursive: true, mode: 0o700 })
  const storage = path.join(folder, 'storage.conf')
  const containers = path.join(folder, 'containers.conf')
  // Without root, `graphroot` is not heard, and the store would lie in the home: another one for every made-up user.
  const roots = ['graphroot', 'rootless_storage_path'].map((key) => `${key} = "${folder}/storage"\n`).join('')
  writeFileSync(storage, `[storage]\ndriver = "overlay"\nrunroot = "${runtime}/anchorhold-podman"\n${roots}`)
  // Podman's own would be higher than a root without CAP_SYS_RESOURCE may set them.
  writeFileSync(
    containers,
    '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n[containers]\nlog_driver = "k8s-file"\ndefault_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]\n',
  )
  return { XDG_RUNTIME_DIR: runtime, CONTAINERS_STORAGE_CONF: storage, CONTAINERS_CONF: containers }
}

/** Imported at the first call on a machine; tests of several files may ask at once. */
async function baseImage(program: ContainerProgram, env: Record<string, string>): Promise<{ base: string } | { reason: string }> {
  const root = path.resolve(import.meta.dirname, '../..')
  const given = process.env['ANCHORHOLD_TEST_BASE']
  const found =
    given !== undefined && existsSync(given)
      ? { code: 0, stdout: given, stderr: '' }
      : await capture(['sh', path.join(root, 'scripts/test-base.sh')], {
          env: { ...env, PATH: `${systemPath}:${process.env['PATH'] ?? ''}` },
          timeoutMilliseconds: 600_000,
        })
  if (found.code !== 0) return { reason: `no base image: ${found.stderr.trim().split('\n').at(-1) ?? ''}` }
  const tar = found.stdout.trim()
  const base = `anchorhold-test/base:${createHash('sha256').update(tar).digest('hex').slice(0, 12)}`
  mkdirSync(cache(), { recursive: true })
  const script = `"$1" image inspect "$3" >/dev/null 2>&1 || "$1" import -c 'ENV PATH=${systemPath}' -c 'CMD ["/bin/bash"]' "$2" "$3"`
  const imported = await capture(['flock', path.join(cache(), `.${program}-lock`), 'sh', '-c', script, 'sh', program, tar, base], {
    env,
    timeoutMilliseconds: 300_000,
  })
  if (imported.code !== 0) return { reason: `the base image could not be imported: ${imported.stderr.trim().split('\n').at(-1) ?? ''}` }
  return { base: program === 'podman' ? `localhost/${base}` : base }
}

function cache(): string {
  return process.env['ANCHORHOLD_TEST_CACHE'] ?? path.join(homedir(), '.cache', 'anchorhold-test')
}
