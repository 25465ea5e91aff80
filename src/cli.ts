// The command line's entry: loads only the command that was typed, renders failures, sets the exit code.
import { enableCompileCache } from 'node:module'
enableCompileCache()

await (await import('./commands/main.ts')).main(process.argv.slice(2))
