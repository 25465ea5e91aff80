// Mutation-tests the gateway's judge and the policy code with StrykerJS, in a copy of its own, and keeps the score of each file in
// test/mutation/score.json, from which `npm run docs` writes its table. Arguments: files, where not all of test/mutation/stryker.json are wanted.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Not among the dependencies: it brings more packages than all of anchorhold. */
const version = '10.1.1'

/** By the file; `killed`: by a failing test or by never ending; the rest survived, or no test reaches it. */
export type MutationScore = Readonly<Record<string, { readonly date: string; readonly mutants: number; readonly killed: number }>>

const root = path.dirname(import.meta.dirname)
const kept = path.join(root, 'test/mutation/score.json')

export function readScore(): MutationScore {
  return existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as MutationScore) : {}
}

/** The part of StrykerJS's report that is read here (mutation-testing-report-schema, version 2). */
interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>
}
interface Mutant {
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'Ignored' | 'RuntimeError' | 'CompileError' | 'Pending'
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: { readonly line: number } }
}

function measure(folder: string, files: readonly string[]): Report {
  const run = (command: string, args: readonly string[]): void =>
    void execFileSync(command, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] })
  for (const name of ['src', 'test', 'probes', 'scripts', 'tsconfig.json', 'tsconfig.types.json', 'package.json', 'package-lock.json'])
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true, verbatimSymlinks: true })
  const packages = ['core', 'vitest-runner'].map((name) => `@stryker-mutator/${name}@${version}`)
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', ...packages])
  const stryker = path.join(folder, 'node_modules/@stryker-mutator/core/bin/stryker.js')
  run(process.execPath, [stryker, 'run', 'test/mutation/stryker.json', ...(files.length === 0 ? [] : ['--mutate', files.join(',')])])
  return JSON.parse(readFileSync(path.join(folder, 'mutation.json'), 'utf8')) as Report
}

function main(files: readonly string[]): void {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'anchorhold-mutation-')))
  try {
    const score: Record<string, MutationScore[string]> = { ...readScore() }
    for (const [file, { source, mutants }] of Object.entries(measure(folder, files).files)) {
      const survived = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
      const killed = mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout').length
      for (const { mutatorName, replacement, location } of survived)
        process.stdout.write(
          `${file}:${location.start.line} ${mutatorName}: ${source.split('\n')[location.start.line - 1]?.trim()} => ${replacement}\n`,
        )
      score[file] = { date: new Date().toISOString().slice(0, 10), mutants: survived.length + killed, killed }
    }
    const sorted = Object.fromEntries(Object.entries(score).toSorted(([one], [other]) => (one < other ? -1 : 1)))
    writeFileSync(kept, `${JSON.stringify(sorted, undefined, 2)}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

if (import.meta.main) main(process.argv.slice(2))
