// Puts an export into a new folder: what the containers are built from, what the gateway is told, and the file that starts them.
import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, realpath, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { containerProfile } from '../engines/seccomp/profile.ts'
import { Failure } from '../errors/failure.ts'
import { nativePath, isWithin, packageRoot } from '../host/paths.ts'
import { show } from '../policy/show.ts'
import type { ExportedCell } from './cell.ts'
import { composeFile, devcontainerFile, staying } from './compose.ts'
import { places } from './orders.ts'
import { scriptFile } from './script.ts'
import { seccompFile, servicesOf } from './services.ts'

export type Form = 'compose' | 'devcontainer' | 'docker'

export interface WriteInput {
  readonly form: Form
  readonly cell: ExportedCell
  readonly folder: string
  /** What the gateway's image is made from. */
  readonly base: string
  readonly network: string
}

/**
 * The folder is the caller's own (0700): who may write to it decides what the containers are. Returns the command that starts it.
 * @throws Failure 'export/place'
 */
export async function writeExport({ form, cell, folder: asked, base, network }: WriteInput): Promise<string> {
  const folder = await freshFolder(asked, cell)
  const { version } = cell.orders
  const orders = `${JSON.stringify(cell.orders, null, 2)}\n`
  const tag = createHash('sha256')
    .update(JSON.stringify([orders, cell.image, base, version, folder]))
    .digest('hex')
    .slice(0, 12)
  const images = { gateway: `localhost/anchorhold/export-gateway:${tag}`, cell: `localhost/anchorhold/export-cell:${tag}` }
  const stays = form === 'devcontainer'
  const { services, files } = servicesOf({ cell: stays ? { ...cell, argv: staying } : cell, images, network })
  const put = async (name: string, content: string, mode = 0o644): Promise<void> => {
    const file = path.join(folder, name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, content, { mode, flag: 'wx' })
  }
  await put('gateway.json', orders)
  await put(seccompFile, containerProfile({ pinned: false, coreHandler: true }))
  for (const file of files) await put(file.path, file.content, file.mode)
  await mkdir(path.join(folder, 'files', 'empty'), { recursive: true })
  await mkdir(path.join(folder, 'state'), { mode: 0o700 })
  await cp(cell.home, path.join(folder, 'home'), { recursive: true })
  // The gateway writes it before the cell begins.
  await put('state/ca-certificates.crt', '')
  const program = path.join(folder, 'gateway', 'anchorhold')
  await mkdir(program, { recursive: true })
  await cp(nativePath('anchorhold-lend'), path.join(program, 'lend'))
  await cp(path.join(packageRoot(), 'dist', 'gateway.cjs'), path.join(program, 'gateway.cjs'))
  await cp(await realpath(process.execPath), path.join(program, 'node'))
  await put('gateway/Dockerfile', gatewayDockerfile(base))
  await put('cell/Dockerfile', cell.image.dockerfile)
  if (cell.image.program !== undefined) await cp(cell.image.program.from, path.join(folder, 'cell', cell.image.program.name))
  const start = startOf(form, folder)
  const head = headOf(cell, start)
  if (form === 'docker') await put('run.sh', scriptFile(services, head), 0o755)
  else {
    await put('.env', `COMPOSE_PROJECT_NAME=anchorhold-${tag}\n`)
    await put('compose.yaml', composeFile(services, head, folder))
  }
  if (form === 'devcontainer') await put('.devcontainer/devcontainer.json', devcontainerFile(cell.project))
  return start
}

/** The socket's folder is anybody's in that container, whatever its user's number. */
function gatewayDockerfile(base: string): string {
  const door = path.dirname(places.door)
  return `FROM ${base}\nUSER 0\nCOPY anchorhold ${places.program}\nRUN mkdir -p ${door} ${places.state} && chmod 1777 ${door}\n`
}

function startOf(form: Form, folder: string): string {
  if (form === 'docker') return path.join(folder, 'run.sh')
  return form === 'compose' ? `docker compose --file ${path.join(folder, 'compose.yaml')} run --rm cell` : `code ${folder}`
}

function headOf({ project, orders, without }: ExportedCell, start: string): readonly string[] {
  const names = orders.secrets.map(({ rule }) => rule.name)
  return [
    `Made by anchorhold ${orders.version} from the policy of ${project}. A changed policy needs a new export.`,
    `To start: ${start}`,
    ...(names.length === 0
      ? []
      : [`Secrets are taken from these variables of whoever starts it, by the gateway alone: ${names.join(', ')}`]),
    `What was asked for is in state/sessions, live in the gateway's output.`,
    ...(without.length === 0 ? [] : ['What anchorhold run has besides:', ...without.map((each) => `- ${each}`)]),
  ].map((line) => line.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?'))
}

async function freshFolder(asked: string, { project, mounts }: ExportedCell): Promise<string> {
  const refuse = (reason: string): never => {
    throw new Failure('export/place', { folder: show(asked, 300), reason })
  }
  await mkdir(asked, { recursive: true, mode: 0o700 })
  const folder = await realpath(asked)
  const shown = [project, ...mounts.flatMap((mount) => (mount.kind === 'bind' ? [mount.from] : []))].find((place) =>
    isWithin(folder, place),
  )
  if (shown !== undefined) refuse(`it lies in ${shown}, where the cell could change it`)
  if ((await readdir(folder)).length > 0) refuse('it is not empty')
  return folder
}
