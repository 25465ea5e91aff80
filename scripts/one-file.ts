// What every run needs lies in the program's own file: each further file costs a start half a millisecond (looked up, read, checked against its
// compiled code). The chunks that are loaded later ask that file for what they share with it. A step of bundle.ts.
import { createHash } from 'node:crypto'

/** A file below dist/. */
export interface Built {
  readonly fileName: string
  /** Of its chunk, without the hash. */
  readonly name: string
  readonly isEntry: boolean
  readonly content: string | Uint8Array
}

/**
 * `files` (CommonJS) with the chunk called `name`, and the bundler's few helpers, moved into the entry that starts it. Node loads that
 * file from its own list, where src/load-program.ts has put it, so that what the entry starts is started once.
 */
export function inOneFile(files: readonly Built[], name: string): readonly Built[] {
  const shared = files.find((file) => file.name === name)
  const entry = files.find((file) => file.isEntry)
  if (shared === undefined || entry === undefined) throw new Error(`bundle: there is no chunk ${name}, or no entry`)
  const asked = `require("./${shared.fileName.replace('chunks/', '')}")`
  const start = String(entry.content).replace(`require("./${shared.fileName}").`, 'exports.')
  if (!start.startsWith('exports.') || start.includes('require('))
    throw new Error(`bundle: the entry does more than to start chunk ${name}`)
  const runtime = files.find((file) => file.name === 'rolldown-runtime')
  const inner = `(exports=>{${String(runtime?.content)};return exports})({})`
  const program = String(shared.content)
    .replace(`require("./${runtime?.fileName.replace('chunks/', '')}")`, () => inner)
    .replaceAll('require("./', 'require("./chunks/')
  return files
    .filter((file) => file !== shared)
    .map((file) => ({
      ...file,
      content: file === entry ? `${program}\n${start}` : String(file.content).replaceAll(asked, `require("../${entry.fileName}")`),
    }))
}

/** The one file of `loader` with the hash of the program among `built` in it (src/load-program.ts). */
export function namingProgram(loader: readonly Built[], built: readonly Built[]): readonly Built[] {
  const program = built.find((file) => file.isEntry && file.name === 'program')
  if (program === undefined || loader.length !== 1) throw new Error('bundle: there is no program, or its loader has several files')
  const hash = createHash('sha256').update(program.content).digest('hex').slice(0, 16)
  return loader.map((file) => {
    const content = String(file.content).replace(/\bPROGRAM_HASH\b/g, `"${hash}"`)
    if (!content.includes(hash)) throw new Error('bundle: the loader does not name its program')
    return { ...file, content }
  })
}
