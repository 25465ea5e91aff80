// Bundles src/ with its dependencies into dist/: cli.js and index.js share chunks, and what only some commands need is loaded late.
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { rolldown } from 'rolldown'

const root = path.dirname(import.meta.dirname)
const dist = path.join(root, 'dist')
const staging = path.join(dist, `.bundle.${process.pid}`)

const input = Object.fromEntries(
  ['cli', 'index'].map((name) => [name, path.join(root, 'src', `${name}.ts`)] as const).filter(([, file]) => existsSync(file)),
)

async function bundle(): Promise<readonly string[]> {
  const build = await rolldown({
    input,
    platform: 'node',
    cwd: root,
    tsconfig: false,
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`bundle: ${log.message}`)
    },
  })
  const { output } = await build.write({
    dir: staging,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    assetFileNames: 'assets/[name]-[hash][extname]',
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    keepNames: true,
  })
  await build.close()
  return output.map((file) => file.fileName)
}

/** New chunks first, the entries last: a start in the middle of a build finds all it imports. Then what no entry names any more goes. */
async function publish(files: readonly string[]): Promise<void> {
  const ordered = files.toSorted((a, b) => Number(a in entries) - Number(b in entries))
  for (const file of ordered) {
    await mkdir(path.dirname(path.join(dist, file)), { recursive: true })
    await rename(path.join(staging, file), path.join(dist, file))
  }
  for (const folder of ['chunks', 'assets']) {
    if (!existsSync(path.join(dist, folder))) continue
    for (const file of await readdir(path.join(dist, folder))) {
      if (!files.includes(`${folder}/${file}`)) await rm(path.join(dist, folder, file), { force: true })
    }
  }
}
const entries = Object.fromEntries(Object.keys(input).map((name) => [`${name}.js`, true]))

/** Declarations of the library door, one file per source, under dist/types. */
async function declarations(): Promise<void> {
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const args = ['-p', path.join(root, 'tsconfig.types.json'), '--outDir', path.join(dist, 'types')]
  const result = spawnSync(process.execPath, [tsc, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (result.status !== 0) throw new Error('bundle: the declarations could not be written')
  await writeFile(path.join(dist, 'index.d.ts'), "export * from './types/index.js'\n")
}

try {
  await publish(await bundle())
} finally {
  await rm(staging, { recursive: true, force: true })
}
if ('index' in input) await declarations()
