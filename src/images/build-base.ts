// The base that a project brings as files: built from the copy that was hashed, without a network unless the policy gives one.
import path from 'node:path'
import { executableAt } from '../agents/files.ts'
import { Failure } from '../errors/failure.ts'
import { isWithin } from '../host/paths.ts'
import { capture } from '../host/process.ts'
import type { ContainerProgram } from '../model/image.ts'
import { buildFiles } from './build-files.ts'
import type { ImageInput } from './recipe.ts'
import { buildFailure, buildImage, mustAsk, type Inspected } from './program.ts'
import { stateLabel } from './record.ts'
import type { BuiltBase } from './source.ts'

/** @throws Failure 'image/build-failed', 'image/devcontainer' */
export async function buildBase(reference: string, source: BuiltBase, input: ImageInput): Promise<Inspected> {
  const { program, rule, stateDir, onStep, onLine, signal } = input
  const network = rule?.network === true
  onStep?.(`Building the image of ${source.files.file} with ${program.name}${network ? '' : ', without a network'}`)
  const labels = { 'anchorhold.image': source.files.digest, 'anchorhold.state': stateLabel(stateDir), 'anchorhold.base': 'project' }
  if (source.features) return withFeatures(reference, source, labels, input)
  const context = path.join(source.folder, 'context')
  const args = [
    '--file',
    path.join(source.folder, 'Dockerfile'),
    ...Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    ...Object.entries(source.args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...(source.target === undefined ? [] : ['--target', source.target]),
    ...(network ? [] : ['--network', 'none']),
    context,
  ] as const
  const { image, last } = await buildImage(program, reference, args, { onLine, signal })
  if (image === undefined) throw buildFailure(program, source.files.file, last)
  return image
}

/** Features are shell scripts from the network; the devcontainer command line knows how they are put in. */
async function withFeatures(
  reference: string,
  source: BuiltBase,
  labels: Readonly<Record<string, string>>,
  input: ImageInput,
): Promise<Inspected> {
  const { program, rule, project, hostEnv } = input
  const refuse = (reason: string): never => {
    throw new Failure('image/devcontainer', { file: source.files.file, reason })
  }
  if (rule?.network !== true) refuse('its features are fetched from the network; allow that with image.network: true in your policy')
  const cli =
    (await findProgram('devcontainer', project, hostEnv)) ??
    refuse('it wants features, and the devcontainer command line is not installed (npm install -g @devcontainers/cli)')
  const made = `${reference}-features`
  const args = ['build', '--workspace-folder', source.folder, '--image-name', made, '--docker-path', await programPath(program)]
  const env = { ...program.env, PATH: `${path.dirname(cli)}:${program.env['PATH'] ?? ''}` }
  const built = await capture([cli, ...args], { cwd: source.folder, env, timeoutMilliseconds: 1_800_000 })
  if (built.code !== 0)
    throw buildFailure(program, source.files.file, [...built.stdout.split('\n'), ...built.stderr.split('\n')].filter(Boolean))
  // Its image gets our labels as any other, so that it is found and pruned.
  const flags = Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`])
  await using files = await buildFiles(`FROM ${made}\n`)
  const { image, last } = await buildImage(program, reference, ['--file', files.dockerfile, ...flags, files.empty], {})
  if (image === undefined) throw buildFailure(program, source.files.file, last)
  await mustAsk(program, ['rmi', made])
  return image
}

async function programPath(program: ContainerProgram): Promise<string> {
  return (await findIn((program.env['PATH'] ?? '').split(':'), program.argv[0])) ?? program.argv[0]
}

async function findProgram(name: string, project: string, env: ImageInput['hostEnv']): Promise<string | undefined> {
  const folders = (env['PATH'] ?? '').split(':').filter((folder) => path.isAbsolute(folder) && !isWithin(folder, project))
  const found = await findIn(folders, name)
  return found !== undefined && isWithin(found, project) ? undefined : found
}

async function findIn(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) {
    const file = path.join(folder, name)
    if ((await executableAt(file)) !== undefined) return file
  }
  return undefined
}
