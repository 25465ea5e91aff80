// dist/cli.cjs: starts the program (cli.ts, which is dist/program.cjs) with the code that V8 compiled in earlier starts. Node's own compile cache keeps
// what is compiled before the first line runs; the functions that a run calls, one in three, would be compiled again by each start, for some 15 ms.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire, Module } from 'node:module'
import path from 'node:path'
import { Script } from 'node:vm'

/** Of the program's text; the bundler puts it here. V8 itself compares no more than the length. */
declare const PROGRAM_HASH: string
/** Different starts of one command call different functions: the first few add theirs. */
const starts = 4

type Program = (exports: unknown, require: NodeJS.Require, module: Module, file: string, folder: string) => void

/** What a command called before, and how many starts have added to it. */
interface Kept {
  readonly code?: Buffer
  readonly count: number
}

const file = path.join(__dirname, 'program.cjs')
const folder = process.env['NODE_COMPILE_CACHE'] // bin/anchorhold chooses it, and lets none in from its caller
const [, , word = ''] = process.argv
const name = `${/^[a-z]{1,20}$/.test(word) ? word : 'other'}-`

function read(): Kept {
  try {
    const bytes = readFileSync(path.join(folder ?? '', `${name}${PROGRAM_HASH}`))
    return { code: bytes.subarray(0, -1), count: bytes.at(-1) ?? 0 }
  } catch {
    return { count: 0 } // the first start, or a folder that cannot be read: then it is compiled
  }
}

/** Whole or not at all, also when the power fails: V8 does not look whether code that it made is still what it was. */
function keep(inside: string, script: Script, count: number): void {
  const place = path.join(inside, `${name}${PROGRAM_HASH}`)
  const fresh = `${place}.${process.pid}`
  try {
    if (count === 1) for (const old of readdirSync(inside)) if (old.startsWith(name)) rmSync(path.join(inside, old))
    writeFileSync(fresh, Buffer.concat([script.createCachedData(), Buffer.from([count])]), { flag: 'wx', mode: 0o600, flush: true })
    renameSync(fresh, place)
  } catch {
    // Nothing is lost but time.
  }
}

const kept: Kept = folder === undefined ? { count: starts } : read()
const text = `(function(exports,require,module,__filename,__dirname){${readFileSync(file, 'latin1')}\n})`
const script = new Script(text, { filename: file, ...(kept.code === undefined ? {} : { cachedData: kept.code }) })
const count = script.cachedDataRejected === true ? 0 : kept.count
if (folder !== undefined && count < starts) process.on('exit', () => keep(folder, script, count + 1))
// What it loads later asks Node for it, by this name.
const program = new Module(file, module)
program.filename = file
program.loaded = true // or Node takes whoever asks for it during the start for one in a circle, and warns
require.cache[file] = program
const start = script.runInThisContext() as Program
start(program.exports, createRequire(file), program, file, __dirname)
