// Holds a session open until it is killed: `node hold.fixture.ts STATEDIR`. Prints the id.
import { openSession } from '../../src/session/open.ts'

const session = await openSession({ stateDir: process.argv[2] ?? '', project: '/project', agent: 'command', engine: 'bubblewrap', onBroken: (failure) => process.exit(failure.exitCode) })
session.emit({ kind: 'warning', code: 'test', message: 'held' })
process.stdout.write(`${session.id}\n`)
setInterval(() => session.emit({ kind: 'warning', code: 'test', message: 'tick' }), 5)
