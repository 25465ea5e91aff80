// The entry of `anchorhold cost` and `statusline`, which bin/anchorhold starts directly: nothing of a run is loaded, nothing that knows a network.
import * as cost from './commands/cost.ts'
import { perform } from './commands/perform.ts'
import * as statusline from './commands/statusline.ts'

void perform(process.argv.slice(2), { cost: () => cost, statusline: () => statusline }).then((code) => process.exit(code))
