// `anchorhold prove`: the wall tries itself, for this project, with the user's own policy.
import { InvalidArgumentError, type Command } from 'commander'
import { Failure } from '../errors/failure.ts'
import type { EngineChoice } from '../model/policy.ts'
import { walls, type Proof, type Wall } from '../model/proof.ts'
import { processContext } from '../run/context.ts'
import { loadPolicyForProof } from './proof-input.ts'
import { once } from './run-options.ts'

interface Flags {
  readonly engine?: EngineChoice
  readonly wall?: Wall
  readonly policy?: string
  readonly full?: boolean
  readonly quick?: boolean
  readonly json?: boolean
  readonly sarif?: boolean
  readonly html?: boolean
}

/** Adds `prove` to the program. */
export function register(program: Command): void {
  program
    .command('prove')
    .summary('try to get through the wall, with your own policy')
    .description(
      'Makes a cell as `run` would for this project and tries to get out of it: harmless attempts, judged by witnesses outside. Exit code 0 when everything held, 1 when something leaks or could not be tried.',
    )
    .option('--engine <name>', 'what builds the wall: auto, bubblewrap', once('--engine'))
    .option('--wall <name>', `this wall alone: ${walls.join(', ')}`, wallOf)
    .option('--policy <file>', "a policy file instead of the user's own", once('--policy'))
    .option('--quick', 'the most important probes, in under two seconds')
    .option('--full', 'every probe there is')
    .option('--json', 'the whole proof as one JSON object')
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

const interrupted = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

async function perform(flags: Flags): Promise<number> {
  refuseContradictions(flags)
  const { prove } = await import('../prove/prove.ts')
  const { policy, project } = await loadPolicyForProof(flags)
  const stop = new AbortController()
  let code = 0
  const handlers = Object.entries(interrupted).map(([name, exit]) => {
    const handler = (): void => {
      code = exit
      stop.abort()
    }
    process.on(name, handler)
    return [name, handler] as const
  })
  try {
    const proof = await prove({
      policy,
      project,
      context: { ...processContext(), signal: stop.signal },
      set: flags.full === true ? 'full' : flags.quick === true ? 'quick' : 'standard',
      ...(flags.wall === undefined ? {} : { wall: flags.wall }),
      onProgress: (text) => (process.stderr.isTTY ? void process.stderr.write(`anchorhold: ${text} …\n`) : undefined),
    })
    if (code !== 0) return code
    await print(proof, flags)
    return proof.verdict === 'holds' ? 0 : 1
  } catch (error) {
    if (code !== 0) return code // what was made is gone by now
    throw error
  } finally {
    for (const [name, handler] of handlers) process.off(name, handler)
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
