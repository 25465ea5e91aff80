// `anchorhold init`: writes a commented policy from what the project uses. Looks at names of files only; runs and reads nothing of the project.
import type { Command } from 'commander'
import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { projectPolicyName } from '../policy/load.ts'
import { jsonLine } from '../report/json-line.ts'
import { printLines } from '../report/output.ts'
import { plain } from '../report/text.ts'
import { loadInput } from './policy-input.ts'

/** What the name of a file at the project's top says about the package manager in use. */
const signs: Readonly<Record<string, string>> = {
  'package-lock.json': 'npm',
  'npm-shrinkwrap.json': 'npm',
  'pnpm-lock.yaml': 'pnpm',
  'yarn.lock': 'yarn',
  'requirements.txt': 'pip',
  'uv.lock': 'uv',
  'Cargo.toml': 'cargo',
  'go.mod': 'go',
  'pom.xml': 'maven',
}
/** Only where nothing more exact is there. */
const weakSigns: Readonly<Record<string, { readonly preset: string; readonly unless: readonly string[] }>> = {
  'package.json': { preset: 'npm', unless: ['npm', 'pnpm', 'yarn'] },
  'pyproject.toml': { preset: 'pip', unless: ['pip', 'uv'] },
}

/** Adds `init` to the program. */
export function register(program: Command): void {
  program
    .command('init')
    .summary('write a commented policy for this project')
    .description('Writes anchorhold.yaml from what the project uses. Never overwrites one.')
    .option('--project <dir>', 'the project (default: this folder)')
    .option('--json', 'one JSON object')
    .action(async (flags: { readonly project?: string; readonly json?: boolean }) => {
      const { project } = await loadInput(flags.project === undefined ? {} : { project: flags.project })
      const file = path.join(project, projectPolicyName)
      const presets = presetsFor(await readdir(project))
      await writeNew(file, policyText(presets))
      if (flags.json === true) return printLines([jsonLine({ file, presets })])
      const next = presets.length === 0 ? [] : ['It allows hosts, so it needs your approval once: anchorhold trust']
      return printLines([`Wrote ${plain(file)}`, ...next, 'See what holds: anchorhold policy'])
    })
}

/** Presets that file names at the top of a project speak for, in the order of the tables. */
export function presetsFor(names: readonly string[]): readonly string[] {
  const sure = Object.entries(signs).flatMap(([name, preset]) => (names.includes(name) ? [preset] : []))
  const likely = Object.entries(weakSigns).flatMap(([name, { preset, unless }]) =>
    names.includes(name) && !unless.some((each) => sure.includes(each)) ? [preset] : [],
  )
  return [...new Set([...sure, ...likely])]
}

/** A policy that is valid as it stands: what was found is on, everything else is a comment. */
export function policyText(presets: readonly string[]): string {
  const allow = presets.map((preset) => `    - ${preset}   # the registries that ${preset} is set up for on this machine\n`).join('')
  return `# Policy of anchorhold for this project. A project's policy only narrows what each user allows;
# what it allows beyond that, every user approves once with: anchorhold trust
# See what holds and why: anchorhold policy, anchorhold explain host HOST

workspace: { mode: live }          # live | readonly

# engine: auto
# agent: claude

network:
  allow:${presets.length === 0 ? ' []' : `\n${allow.trimEnd()}`}
    # - docs.example.org           # a host: ports 80 and 443
    # - db.example.com:5432        # any other TCP port
    # - "*.example.org"            # every name below example.org, not itself
    # - api.example.org: { methods: [GET, HEAD], paths: ["/v1/**"] }   # certain requests only
  deny: []                         # deny beats every allow: "*.example.net"

# secrets: [{ name: API_TOKEN, from: env, hosts: [api.example.com] }]   # put in outside; the cell has a placeholder

# files:
#   hide: ["*.pem"]                # empty inside; .env files are hidden anyway
#   protect: [deploy/]             # read-only inside
#   mount: [{ path: ../shared, mode: ro }]

# env: { NODE_ENV: test }          # the cell's environment is empty but for what is named

# permissions: { mode: ask }       # ask | allow-listed | auto

# limits: { memory: 4g, processes: 512, cpus: 2, time: 2h, tmp: 1g }
`
}

async function writeNew(file: string, text: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const handle = await open(file, flags, 0o644).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw new Failure('policy/exists', { file })
    throw error
  })
  await using _closed = handle
  await handle.writeFile(text)
}
