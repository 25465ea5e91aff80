// Bundles src/ with its dependencies into dist/, so that a start reads little: what every run needs lies in one chunk, the rest is loaded when
// it is needed. Called by build.sh.
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { rolldown, type OutputAsset, type OutputChunk } from 'rolldown'
import { inAscii } from './in-ascii.ts'
import { inOneFile, namingProgram, type Built } from './one-file.ts'
import { withReadyFilters } from './ready-filters.ts'
import { whenNeeded } from './when-needed.ts'
import { withoutFacades } from './without-facades.ts'

const root = path.dirname(import.meta.dirname)
const dist = path.join(root, 'dist')
const staging = path.join(dist, `.bundle.${process.pid}`)
/** The command is CommonJS, which Node starts some milliseconds sooner; the library's door is an ES module. `cli.cjs` starts the program with
 * the code that was compiled before. `anchorhold cost` is a program of its own, which holds nothing of a run, and so is a further thread of it. */
const products = [
  { entry: 'program', source: 'cli', format: 'cjs', extension: 'cjs' },
  { entry: 'cli', source: 'load-program', format: 'cjs', extension: 'cjs' },
  { entry: 'index', format: 'esm', extension: 'js' },
  { entry: 'cost', source: 'cost-cli', format: 'cjs', extension: 'cjs', startsPrograms: false },
  { entry: 'scan-worker', source: 'cost/scan-worker', format: 'cjs', extension: 'cjs' },
  // Goes into an image: one file.
  { entry: 'gateway', source: 'export/serve', format: 'cjs', extension: 'cjs', alone: true },
] as const
type Product = (typeof products)[number]

function sourceOf(product: Product): string {
  return 'source' in product ? product.source : product.entry
}

/** The command whose start-up time counts, and what it loads late but always. */
const always = ['src/commands/main.ts', 'src/commands/run.ts', 'src/report/run-report.ts', 'src/review/net.ts', 'src/gateway/open.ts'].map(
  (file) => path.join(root, file),
)

/** Commander asks for `node:child_process`, which brings the network's modules and 8 ms, for commands that are programs of their own: not here. */
const withoutPrograms = {
  name: 'without-programs',
  resolveId: (id: string): string | undefined => (id === 'node:child_process' ? '\0no-programs' : undefined),
  load: (id: string): string | undefined => (id === '\0no-programs' ? 'export default {}' : undefined),
}

type Output = readonly (OutputChunk | OutputAsset)[]

async function bundle(product: Product, together: ReadonlySet<string>): Promise<Output> {
  const build = await rolldown({
    input: { [product.entry]: path.join(root, 'src', `${sourceOf(product)}.ts`) },
    platform: 'node',
    cwd: root,
    tsconfig: false,
    plugins: [withReadyFilters, ...('startsPrograms' in product ? [withoutPrograms] : [])],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`bundle: ${log.message}`)
    },
  })
  const { output } = await build.generate({
    format: product.format,
    entryFileNames: `[name].${product.extension}`,
    chunkFileNames: `chunks/[name]-[hash].${product.extension}`,
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    codeSplitting: 'alone' in product ? false : { groups: [{ name: 'run', test: (id) => together.has(id) }] },
  })
  await build.close()
  return output
}

/** The modules in the chunks that hold `always`, and in all that those chunks import at once. */
function neededByEveryRun(output: Output): ReadonlySet<string> {
  const chunks = new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file] as const] : [])))
  const reached = new Set([...chunks.values()].filter((chunk) => chunk.moduleIds.some((id) => always.includes(id))))
  for (const chunk of reached) {
    for (const name of chunk.imports) {
      const imported = chunks.get(name)
      if (imported !== undefined) reached.add(imported)
    }
  }
  const doors = products.map((product) => path.join(root, 'src', `${sourceOf(product)}.ts`))
  return new Set([...reached].flatMap((chunk) => chunk.moduleIds).filter((id) => !doors.includes(id)))
}

/** CommonJS asks for built-in modules by `require`, without the wrapper that an ES module would get. */
function codeOf(file: OutputChunk): string {
  return inAscii(file.fileName.endsWith('.cjs') ? whenNeeded(file.code) : withoutFacades(file.code))
}

function built(file: OutputChunk | OutputAsset): Built {
  const { fileName } = file
  if (file.type === 'asset') return { fileName, name: '', isEntry: false, content: file.source }
  return { fileName, name: file.name, isEntry: file.isEntry, content: codeOf(file) }
}

/** New chunks first, the entries last: a start in the middle of a build finds all it imports. Then what no entry names any more goes. */
async function publish(output: readonly Built[]): Promise<void> {
  for (const file of output.toSorted((a, b) => Number(a.isEntry) - Number(b.isEntry))) {
    const staged = path.join(staging, file.fileName)
    await mkdir(path.dirname(staged), { recursive: true })
    await writeFile(staged, file.content)
    await mkdir(path.dirname(path.join(dist, file.fileName)), { recursive: true })
    await rename(staged, path.join(dist, file.fileName))
  }
  const made = new Set(output.map((file) => path.basename(file.fileName)))
  // A command that runs since before this build may still load what it was built with.
  const settled = Date.now() - 3_600_000
  for (const name of await readdir(path.join(dist, 'chunks'))) {
    const file = path.join(dist, 'chunks', name)
    if (!made.has(name) && (await stat(file)).mtimeMs < settled) await rm(file)
  }
}

/** Declarations of the library door, one file per source, under dist/types. */
async function declarations(): Promise<void> {
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const args = ['-p', path.join(root, 'tsconfig.types.json'), '--outDir', path.join(dist, 'types')]
  const result = spawnSync(process.execPath, [tsc, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (result.status !== 0) throw new Error('bundle: the declarations could not be written')
  await writeFile(path.join(dist, 'index.d.ts'), "export * from './types/index.js'\n")
}

try {
  const outputs: Built[] = []
  for (const product of products) {
    const files = (await bundle(product, neededByEveryRun(await bundle(product, new Set())))).map(built)
    if (product.entry === 'program') outputs.push(...inOneFile(files, 'run'))
    else if (product.entry === 'cli') outputs.push(...namingProgram(files, outputs))
    else outputs.push(...files)
  }
  await publish(outputs)
} finally {
  if (existsSync(staging)) await rm(staging, { recursive: true })
}
await declarations()
