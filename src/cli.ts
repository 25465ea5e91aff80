// The command line's entry: loads only the command that was typed, renders failures, sets the exit code. bin/anchorhold names the folder for
// compiled code.
import { main } from './commands/main.ts'

void main(process.argv.slice(2))
