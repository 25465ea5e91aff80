// `anchorhold prove`: the wall tries itself, for this project, with the user's own policy.
import { InvalidArgumentError, type Command } from 'commander'
import { Failure } from '../errors/failure.ts'
import { walls, type Proof, type Wall } from '../model/proof.ts'
import { processContext } from '../run/context.ts'
import { catchInterrupts } from './interrupts.ts'
import { withPolicyOptions, type PolicyFlags } from './policy-input.ts'
import { loadForProof } from './proof-input.ts'

interface Flags extends PolicyFlags {
  readonly wall?: Wall
  readonly full?: boolean
  readonly quick?: boolean
  readonly sarif?: boolean
  readonly html?: boolean
}

/** Adds `prove` to the program. */
export function register(program: Command): void {
  const command = program
    .command('prove')
    .summary('try to get through the wall, with your own policy')
    .description(
      'Makes a cell as `run` would for this project and tries to get out of it: harmless attempts, judged by witnesses outside. Exit code 0 when everything held, 1 when something leaks or could not be tried.',
    )
  withPolicyOptions(command)
    .option('--wall <name>', `this wall alone: ${walls.join(', ')}`, wallOf)
    .option('--quick', 'the most important probes, in under two seconds')
    .option('--full', 'every probe there is')
    .option('--sarif', 'as SARIF 2.1.0, for code scanning')
    .option('--html', 'as one HTML page')
    .action(async (flags: Flags) => {
      process.exitCode = await perform(flags)
    })
}

function wallOf(value: string): Wall {
  const found = walls.find((wall) => wall === value)
  if (found === undefined) throw new InvalidArgumentError(`Allowed choices are ${walls.join(', ')}.`)
  return found
}

async function perform(given: Flags): Promise<number> {
  refuseContradictions(given)
  const { wall, full, quick, sarif: _sarif, html: _html, ...flags } = given
  const { prove } = await import('../prove/prove.ts')
  const input = await loadForProof(flags)
  using interrupts = catchInterrupts()
  try {
    const proof = await prove({
      ...input,
      context: { ...processContext(), signal: interrupts.signal },
      set: full === true ? 'full' : quick === true ? 'quick' : 'standard',
      ...(wall === undefined ? {} : { wall }),
      onProgress: (text) => (process.stderr.isTTY ? void process.stderr.write(`anchorhold: ${text} …\n`) : undefined),
    })
    if (interrupts.exitCode !== undefined) return interrupts.exitCode
    await print(proof, given)
    return proof.verdict === 'holds' ? 0 : 1
  } catch (error) {
    if (interrupts.exitCode !== undefined) return interrupts.exitCode // what was made is gone by now
    throw error
  }
}

async function print(proof: Proof, flags: Flags): Promise<void> {
  const { printLines } = await import('../report/output.ts')
  if (flags.json === true) printLines([(await import('../report/json-line.ts')).jsonLine(proof)])
  else if (flags.sarif === true) printLines([(await import('../report/proof/sarif.ts')).proofSarif(proof)])
  else if (flags.html === true) printLines([(await import('../report/proof/html.ts')).proofPage(proof)])
  else {
    const [{ proofLines }, { styleFor }] = await Promise.all([import('../report/proof/text.ts'), import('../report/style.ts')])
    printLines(proofLines(proof, styleFor(process.stdout)))
  }
}

function refuseContradictions({ json, sarif, html, quick, full }: Flags): void {
  const forms = Object.entries({ '--json': json, '--sarif': sarif, '--html': html }).filter(([, given]) => given === true)
  const amounts = Object.entries({ '--quick': quick, '--full': full }).filter(([, given]) => given === true)
  for (const given of [forms, amounts]) {
    const [one, two] = given.map(([name]) => name)
    if (one !== undefined && two !== undefined) throw new Failure('command/contradiction', { one, two })
  }
}
