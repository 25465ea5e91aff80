// `anchorhold explain host|path|env`: the verdict that a run here would give, why, and what would change it.
import type { Command } from 'commander'
import { jsonLine } from '../report/json-line.ts'
import { printLines } from '../report/output.ts'
import { styleFor } from '../report/style.ts'
import { plain } from '../report/text.ts'
import { explainEnv } from './explain-env.ts'
import { explainHosts, type RequestFlags } from './explain-host.ts'
import { explainPath } from './explain-path.ts'
import { loadEffective, withPolicyOptions, type PolicyFlags } from './policy-input.ts'

export interface Explained {
  readonly subject: string
  /** One word: allow, deny; read-write, review, read-only, hidden, held, private, absent; set, passed. */
  readonly verdict: string
  readonly reason: string
  readonly remedy?: string
  /** Of a host that is allowed: whether what passes is read, and why or why not. */
  readonly tls?: { readonly ended: boolean; readonly why: string }
}

/** Adds `explain` to the program. */
export function register(program: Command): void {
  const explain = program
    .command('explain')
    .summary('say what a run would allow, and why')
    .description('Answers for a host, a path, a variable or a secret: the verdict, the rule, and what would change it.')
  withPolicyOptions(
    explain
      .command('host')
      .argument('<host[:port]...>', 'a host, or the address of a request (https://HOST/PATH)')
      .description('whether the cell may reach a host, or make a request to it')
      .option('--method <method>', 'the method of a request (default: GET)')
      .option('--path <path>', 'the path of a request (default: /)'),
  ).action(async (hosts: readonly string[], flags: PolicyFlags & RequestFlags) => {
    const { policy } = await loadEffective(flags)
    print(
      hosts.flatMap((host) => explainHosts(host, policy, flags)),
      flags,
    )
  })
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
  withPolicyOptions(
    explain.command('secret').argument('<name...>').description('where a secret comes from, who gets it, whether it is there'),
  ).action(async (names: readonly string[], flags: PolicyFlags) => {
    const { policy, input } = await loadEffective(flags)
    const { explainSecret } = await import('./explain-secret.ts')
    const answers: Explained[] = []
    for (const each of names) answers.push(await explainSecret(each, policy, input))
    print(answers, flags)
  })
}

function print(answers: readonly Explained[], { json }: PolicyFlags): void {
  if (json === true) return printLines(answers.map(jsonLine))
  const style = styleFor(process.stdout)
  const shown = ({ subject, verdict, reason, remedy, tls }: Explained): readonly string[] => [
    `${style.bold(plain(subject))}: ${verdict === 'deny' || verdict === 'absent' || verdict === 'hidden' || verdict === 'held' ? style.bad(verdict) : style.good(verdict)}`,
    `  ${plain(reason)}`,
    ...(tls === undefined ? [] : [`  TLS is ${tls.ended ? 'ended by the gateway' : 'passed on as it is'}: ${plain(tls.why)}`]),
    ...(remedy === undefined ? [] : [`  → ${plain(remedy)}`]),
  ]
  printLines(answers.flatMap(shown))
}
