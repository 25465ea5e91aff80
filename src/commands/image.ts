// `anchorhold image`: what containers start from: build it, print its Dockerfile, list what was built, take away what is not needed.
import type { Command } from 'commander'
import { findAgent } from '../agents/list.ts'
import { chooseProgram } from '../images/choose.ts'
import { ensureImage } from '../images/ensure.ts'
import { listImages, pruneImages, type OwnImage } from '../images/list.ts'
import { recipe, type ImageInput } from '../images/recipe.ts'
import type { ContainerProgram, ImageRule } from '../model/image.ts'
import { parseImage } from '../policy/image.ts'
import { jsonLine } from '../report/json-line.ts'
import { endWithReader, printLines } from '../report/output.ts'
import { styleFor } from '../report/style.ts'
import { renderTable } from '../report/table.ts'
import { plain } from '../report/text.ts'
import { size } from '../report/units.ts'
import { loadEffective } from './policy-input.ts'

interface Flags {
  readonly engine?: string
  readonly json?: boolean
}
interface BuildFlags extends Flags {
  readonly project?: string
  readonly policy?: string
  readonly image?: string
  readonly base?: string
  readonly agent?: string
  readonly agentVersion?: string
  readonly verbose?: boolean
}

/** Adds `image` and what belongs to it to the program. */
export function register(program: Command): void {
  const image = program
    .command('image')
    .summary('what containers start from: build, print, list, prune')
    .description('The image that a run with docker or podman starts from. A run builds it by itself when it is not there.')
  withEngine(withBuild(image.command('build')))
    .summary('build the image, if it is not there yet')
    .description('Builds the image that a run here would start from: once for each base, agent and version.')
    .option('--verbose', 'show what the engine writes')
    .action(build)
  withBuild(image.command('dockerfile'))
    .summary('print the Dockerfile')
    .description('Prints the Dockerfile that `anchorhold image build` builds from here.')
    .action(printDockerfile)
  withEngine(image.command('ls')).summary('list what was built').description('Lists the images that anchorhold built for you.').action(list)
  withEngine(image.command('prune'))
    .summary('remove images that no run would take')
    .description('Removes images that anchorhold built for you, that no container uses and no next run would take.')
    .option('--all', 'also what a next run would take; it is then built again')
    .option('--dry-run', 'say what would be removed')
    .action(prune)
}

function withEngine(command: Command): Command {
  return command.option('--engine <name>', "docker or podman (default: the policy's, or the one that is here)").option('--json', 'as JSON')
}

function withBuild(command: Command): Command {
  return command
    .option('--project <dir>', 'the project (default: this folder)')
    .option('--policy <file>', "a policy file instead of the user's own")
    .option('--image <name>', 'an image by its name, to which the agent is added')
    .option('--base <name>', 'what the shipped Dockerfile starts from')
    .option('--agent <name>', 'claude, or command for none (default: claude)')
    .option('--agent-version <version>', 'version of the agent')
}

async function inputOf(flags: BuildFlags): Promise<Omit<ImageInput, 'program'> & { readonly engine: string }> {
  const { project, policy: file, image, base, agent: name, agentVersion: version } = flags
  const loaded = await loadEffective({
    ...(project === undefined ? {} : { project }),
    ...(file === undefined ? {} : { policy: file }),
    ...(name === undefined ? {} : { agent: name }),
  })
  const { input, policy } = loaded
  const agent = findAgent(name ?? policy.agent ?? 'claude')
  const { distribution, title } = agent
  return {
    engine: policy.engine,
    rule: said({ image, base, version }, policy.image, input.hostHome),
    agent: distribution === undefined ? undefined : { title, distribution },
    project: input.project,
    stateDir: input.stateDir,
    hostEnv: input.hostEnv,
    hostHome: input.hostHome,
  }
}

/** What the options say wins over the policy; a version alone leaves the policy's image as it is. */
function said(
  { image, base, version }: { image: string | undefined; base: string | undefined; version: string | undefined },
  rule: ImageRule | undefined,
  home: string,
): ImageRule | undefined {
  if (image === undefined && base === undefined && version === undefined) return rule
  const options = Object.entries({ '--image': image, '--base': base, '--agent-version': version })
  const source = options.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${value}`])).join(' ')
  const entry = { name: image, base, version }
  const parsed = parseImage(entry, { kind: 'flag', source }, { home, base: process.cwd() })
  return image === undefined && base === undefined && rule !== undefined && version !== undefined ? { ...rule, version } : parsed
}

async function build({ verbose, json, ...flags }: BuildFlags): Promise<void> {
  endWithReader()
  const { engine, ...input } = await inputOf(flags)
  const program = await chooseProgram(flags.engine ?? engine, input.hostEnv)
  const say = (line: string): void => void process.stderr.write(`${plain(line)}\n`)
  const image = await ensureImage({ ...input, program, onStep: say, ...(verbose === true ? { onLine: say } : {}) })
  printLines([json === true ? jsonLine({ engine: program.name, ...image }) : `${plain(image.reference)}  ${image.id}`])
}

/** For `export dockerfile` too. */
export async function printDockerfile(flags: BuildFlags): Promise<void> {
  endWithReader()
  const { engine: _, ...input } = await inputOf(flags)
  await using made = await recipe(input)
  process.stdout.write(made.text)
}

/** Those of one engine, or of each that is here. */
async function programsOf({ engine }: Flags): Promise<readonly ContainerProgram[]> {
  if (engine !== undefined) return [await chooseProgram(engine, process.env)]
  const each = await Promise.allSettled(['podman', 'docker'].map((name) => chooseProgram(name, process.env)))
  const found = each.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  return found.length > 0 ? found : [await chooseProgram('auto', process.env)]
}

async function list(flags: Flags): Promise<void> {
  endWithReader()
  const { input } = await loadEffective({})
  const programs = await programsOf(flags)
  const each = await Promise.all(programs.map(async (program) => ({ program, images: await listImages(program, input.stateDir) })))
  const rows = each.flatMap(({ program, images }) => images.map((image) => ({ engine: program.name, ...image })))
  if (flags.json === true) return printLines(rows.map(jsonLine))
  if (rows.length === 0)
    return printLines(['Nothing was built yet. The first run with docker or podman builds an image, or: anchorhold image build'])
  const now = Date.now()
  printLines(
    renderTable(
      // The tag is the beginning of the hash; cut off, it would name nothing.
      ['engine', 'image', 'agent', 'size', 'age', 'used by'].map((title) => ({ title, ...(title === 'image' ? { least: 24 } : {}) })),
      rows.map((row) => [
        row.engine,
        row.reference.replace(/^localhost\/anchorhold\//, ''),
        agentText(row),
        size(row.bytes),
        ageText(now - Date.parse(row.created)),
        useText(row),
      ]),
      styleFor(process.stdout),
    ),
  )
}

async function prune({ all, dryRun, ...flags }: Flags & { readonly all?: boolean; readonly dryRun?: boolean }): Promise<void> {
  endWithReader()
  const { input } = await loadEffective({})
  for (const program of await programsOf(flags)) {
    const { removed, kept } = await pruneImages(program, input.stateDir, { all: all === true, dryRun: dryRun === true })
    if (flags.json === true) {
      printLines([jsonLine({ engine: program.name, dryRun: dryRun === true, removed, kept })])
      continue
    }
    const verb = dryRun === true ? 'would be removed' : 'removed'
    printLines([
      ...removed.map((image) => `${program.name}: ${verb}: ${plain(image.reference)} (${size(image.bytes)})`),
      ...kept.map(({ image, why }) => `${program.name}: kept: ${plain(image.reference)} (${plain(why)})`),
      ...(removed.length + kept.length === 0 ? [`${program.name}: nothing was built yet`] : []),
    ])
  }
}

function agentText({ agent, version }: OwnImage): string {
  return agent === undefined ? 'none' : `${agent} ${version ?? ''}`.trim()
}

function useText({ containers, current }: OwnImage): string {
  if (containers.length > 0) return containers.join(', ')
  return current ? 'next run' : 'nothing'
}

function ageText(milliseconds: number): string {
  const hours = Math.max(0, Math.floor(milliseconds / 3_600_000))
  return hours < 1 ? 'new' : hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}
