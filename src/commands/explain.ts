// `anchorhold explain host|path|env`: the verdict that a run here would give, why, and what would change it.
import type { Command } from 'commander'
import { Failure } from '../errors/failure.ts'
import type { Policy } from '../model/policy.ts'
import { canonicalHost } from '../policy/host-name.ts'
import { judge } from '../policy/judge.ts'
import { parsePort } from '../policy/ports.ts'
import { jsonLine } from '../report/json-line.ts'
import { endWithReader, printLines } from '../report/output.ts'
import { styleFor } from '../report/style.ts'
import { plain } from '../report/text.ts'
import { explainEnv } from './explain-env.ts'
import { explainPath } from './explain-path.ts'
import { loadEffective, withPolicyOptions, type PolicyFlags } from './policy-input.ts'

export interface Explained {
  readonly subject: string
  /** One word: allow, deny; read-write, read-only, hidden, held, private, absent; set, passed. */
  readonly verdict: string
  readonly reason: string
  readonly remedy?: string
}

/** Adds `explain` to the program. */
export function register(program: Command): void {
  const explain = program
    .command('explain')
    .summary('say what a run would allow, and why')
    .description('Answers for a host, a path or a variable: the verdict, the rule, and what would change it.')
  withPolicyOptions(explain.command('host').argument('<host[:port]...>').description('whether the cell may reach a host')).action(
    async (hosts: readonly string[], flags: PolicyFlags) => {
      const { policy } = await loadEffective(flags)
      print(
        hosts.flatMap((host) => explainHosts(host, policy)),
        flags,
      )
    },
  )
  withPolicyOptions(explain.command('path').argument('<path...>').description('what the cell sees of a path')).action(
    async (paths: readonly string[], flags: PolicyFlags) => {
      const { policy, input } = await loadEffective(flags)
      const answers: Explained[] = []
      for (const each of paths) answers.push(await explainPath(each, policy, input))
      print(answers, flags)
    },
  )
  withPolicyOptions(explain.command('env').argument('<name...>').description('whether the cell has a variable')).action(
    async (names: readonly string[], flags: PolicyFlags) => {
      const { policy, input } = await loadEffective(flags)
      const answers: Explained[] = []
      for (const each of names) answers.push(await explainEnv(each, policy, input))
      print(answers, flags)
    },
  )
}

/** Without a port: both of the web's. Throws Failure `policy/bad-host`. */
function explainHosts(text: string, policy: Policy): readonly Explained[] {
  const colon = text.lastIndexOf(':')
  const written = colon === -1 || text.includes('::') || text.endsWith(']') ? undefined : text.slice(colon + 1)
  const port = written === undefined ? undefined : parsePort(written)
  if (written !== undefined && port === undefined)
    throw new Failure('policy/bad-host', { host: text, reason: 'its port is not a number from 1 to 65535' })
  const host = canonicalHost(written === undefined ? text : text.slice(0, colon))
  return (port === undefined ? [443, 80] : [port]).map((each) => {
    const { effect, reason, remedy } = judge(policy.network, { host, port: each })
    const route = policy.network.routes.find((candidate) => candidate.host === host && candidate.port === each)
    const routed = route === undefined || effect === 'deny' ? '' : `; it is routed to ${route.to.address} port ${route.to.port}`
    return { subject: `${host}:${each}`, verdict: effect, reason: `${reason}${routed}`, ...(remedy === undefined ? {} : { remedy }) }
  })
}

function print(answers: readonly Explained[], { json }: PolicyFlags): void {
  endWithReader()
  if (json === true) return printLines(answers.map(jsonLine))
  const style = styleFor(process.stdout)
  const shown = ({ subject, verdict, reason, remedy }: Explained): readonly string[] => [
    `${style.bold(plain(subject))}: ${verdict === 'deny' || verdict === 'absent' || verdict === 'hidden' || verdict === 'held' ? style.bad(verdict) : style.good(verdict)}`,
    `  ${plain(reason)}`,
    ...(remedy === undefined ? [] : [`  → ${plain(remedy)}`]),
  ]
  printLines(answers.flatMap(shown))
}
