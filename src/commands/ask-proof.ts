// What `run` asks in `auto`: the proof that stands, or the quick set now, with one line on a terminal while it is tried.
import type { Standing } from '../model/proof.ts'
import { requireStanding } from '../prove/require.ts'
import type { ProofAsked } from '../run/context.ts'
import { catchInterrupts } from './interrupts.ts'

/** @throws Failure where nothing may start. An interrupt ends the process by its signal, once what was made is gone. */
export async function askProof(asked: ProofAsked, { silent }: { readonly silent: boolean }): Promise<Standing> {
  const interrupts = catchInterrupts()
  try {
    return await requireStanding({
      ...asked,
      context: { ...asked.context, signal: interrupts.signal },
      onProgress: (text) => (silent || !process.stderr.isTTY ? undefined : void process.stderr.write(`anchorhold: ${text} …\n`)),
    })
  } finally {
    interrupts[Symbol.dispose]()
    if (interrupts.name !== undefined) process.kill(process.pid, interrupts.name)
  }
}
