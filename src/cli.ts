// The command line's entry: loads only the command that was typed, renders failures, sets the exit code. bin/anchorhold names the folder for
// compiled code.

await (await import('./commands/main.ts')).main(process.argv.slice(2))
