// A user with an npm of their own, and images that are gone when the test ends.
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { claudeDistribution } from '../../src/agents/claude.ts'
import type { Distribution } from '../../src/model/agent.ts'
import type { ImageInput } from '../../src/images/recipe.ts'
import { ask, lines, mustAsk } from '../../src/images/program.ts'
import type { ContainerProgram, ImageRule, ImageSource } from '../../src/model/image.ts'
import type { ContainerHere } from '../support/containers.ts'

/** A small agent of any version: its npm package has a script that says so. */
export const smallAgent: Distribution = { ...claudeDistribution, integrity: {}, pinned: '3.0.0' }

export interface Bench {
  readonly program: ContainerProgram
  /** What images of this test start from. */
  readonly base: string
  readonly home: string
  readonly project: string
  readonly said: string[]
  /** What ensureImage is told; `source` instead of the shipped Dockerfile on the test base. */
  input(
    changes?: Partial<ImageInput> & { readonly source?: ImageSource; readonly network?: boolean; readonly version?: string },
  ): ImageInput
  file(at: string, content: string): string
}

/**
 * The test base under a name and id of this test's own, so that nothing that is built on it is another test's too: neither an image nor a step
 * in the engine's cache. Everything on it goes with the test.
 */
export async function ownBase({ program: name, env, base }: ContainerHere): Promise<string> {
  const program: ContainerProgram = { name, argv: [name], env }
  const mark = randomUUID()
  const own = `localhost/anchorhold-test/own:${mark}`
  const folder = mkdtempSync(path.join(tmpdir(), 'ah-base-'))
  onTestFinished(async () => {
    rmSync(folder, { recursive: true })
    await removeImages(program, `anchorhold.test=${mark}`)
  })
  writeFileSync(path.join(folder, 'Dockerfile'), `FROM ${base}\nLABEL anchorhold.test=${mark}\n`)
  await mustAsk(program, ['build', '--quiet', '--network', 'none', '--tag', own, folder])
  return own
}

/** An image goes after those that were built on it; an engine lists them by the second in which they were made, which is no order. */
async function removeImages(program: ContainerProgram, label: string): Promise<void> {
  // A container has its image's labels.
  const containers = lines(await mustAsk(program, ['ps', '--all', '--quiet', '--filter', `label=${label}`]))
  if (containers.length > 0) await ask(program, ['rm', '--force', '--volumes', ...containers])
  const list = async (): Promise<readonly string[]> =>
    lines(await mustAsk(program, ['images', '--quiet', '--no-trunc', '--filter', `label=${label}`]))
  for (let ids = new Set(await list()); ids.size > 0;) {
    const answers = await Promise.all([...ids].map((id) => ask(program, ['rmi', '--force', id])))
    const left = new Set(await list())
    if (left.size >= ids.size) throw new Error(answers.map(({ stderr }) => stderr).join(''))
    ids = left
  }
}

export async function bench(engine: ContainerHere): Promise<Bench> {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-image-')))
  const home = path.join(root, 'home')
  const project = path.join(home, 'project')
  const stateDir = path.join(home, '.local/state/anchorhold')
  mkdirSync(project, { recursive: true })
  const program: ContainerProgram = { name: engine.program, argv: [engine.program], env: engine.env }
  const base = await ownBase(engine)
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const file = (at: string, content: string): string => {
    const full = path.join(root, at)
    mkdirSync(path.dirname(full), { recursive: true })
    writeFileSync(full, content)
    return full
  }
  const name = `@anthropic-ai/claude-code-linux-${process.arch}`
  const npm = file(
    'bin/npm',
    `#!/bin/sh
while [ "$1" != --prefix ]; do shift; done
folder=$2 version=
for word; do case $word in @anthropic-ai/*@*) version=\${word##*@} ;; esac; done
for name in @anthropic-ai/claude-code ${name}; do
  mkdir -p "$folder/node_modules/$name"
  printf '{"name":"%s","version":"%s"}' "$name" "$version" >"$folder/node_modules/$name/package.json"
done
cp /usr/bin/true "$folder/node_modules/${name}/claude"
echo "$version" >>"$folder/node_modules/${name}/claude"
`,
  )
  chmodSync(npm, 0o755)
  const hostEnv = { PATH: `${root}/bin:/usr/bin:/bin`, HOME: home }
  const said: string[] = []
  return {
    program,
    base,
    home,
    project,
    said,
    file: (at, content) => file(path.join('home', at), content),
    input: ({ source, network, version, ...changes } = {}) => ({
      program,
      rule: ruleOf(source ?? { kind: 'shipped', base }, network, version),
      agent: { title: 'Claude Code', distribution: smallAgent },
      project,
      stateDir,
      hostEnv,
      hostHome: home,
      onStep: (line) => said.push(line),
      ...changes,
    }),
  }
}

function ruleOf(source: ImageSource, network = false, version?: string): ImageRule {
  return { source, network, origin: { kind: 'user', source: 'policy.yaml', line: 1 }, ...(version === undefined ? {} : { version }) }
}

/** A name that no image has. */
export function noImage(): string {
  return `localhost/anchorhold-test/none:${randomUUID()}`
}

/** Output of a program in a container of the image, as a run would start it: no network, nothing writable, somebody's own number. */
export async function inside(program: ContainerProgram, image: string, ...argv: readonly [string, ...string[]]): Promise<string> {
  const [entry, ...args] = argv
  const flags = ['--rm', '--network', 'none', '--read-only', '--cap-drop', 'ALL', '--pull', 'never', '--entrypoint', entry]
  return mustAsk(program, ['run', ...flags, image, ...args])
}
