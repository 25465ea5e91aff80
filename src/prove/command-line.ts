// Proof: the command that tries the wall of a certain run: `prove` takes the options of `run` that have their twin in the policy.
import type { RunOptions } from '../model/run-options.ts'
import { quoteArgv } from '../report/quote.ts'

const single = ['agent', 'project', 'engine', 'image', 'policy', 'workspace', 'mode'] as const
const repeated = ['allow', 'deny', 'route', 'secret', 'env', 'hide', 'budget', 'limit'] as const

/** As a shell reads it. `--env NAME=VALUE` stands without its value: it may be nobody else's to see. */
export function proveCommand(options: RunOptions): string {
  const env = options.env?.map((one) => one.replace(/=.*/s, '=…'))
  const words = [
    ...single.flatMap((name) => (options[name] === undefined ? [] : [`--${name}`, options[name]])),
    ...repeated.flatMap((name) => ((name === 'env' ? env : options[name]) ?? []).flatMap((value) => [`--${name}`, value])),
    ...(options.mount ?? []).flatMap(({ path, mode }) => ['--mount', `${path}:${mode}`]),
  ]
  return quoteArgv(['anchorhold', 'prove', ...words])
}
