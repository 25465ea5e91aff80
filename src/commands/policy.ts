// `anchorhold policy` and `policy schema`: the effective policy, and where each line of it comes from.
import type { Command } from 'commander'
import type { Origin, Policy } from '../model/policy.ts'
import { amountText } from '../policy/budget.ts'
import { imageText } from '../policy/image.ts'
import { originText, ruleText } from '../policy/judge.ts'
import { showLimit, type LimitName } from '../policy/limits.ts'
import { passText } from '../policy/pass-through.ts'
import { placesText, sourceText } from '../policy/secret.ts'
import { secretHostText } from '../policy/secret-hosts.ts'
import type { LoadedPolicy } from '../policy/load.ts'
import { jsonLine } from '../report/json-line.ts'
import { printLines } from '../report/output.ts'
import { styleFor } from '../report/style.ts'
import { renderTable } from '../report/table.ts'
import { plain } from '../report/text.ts'
import { namesCredential, redact } from '../session/redact.ts'
import { addCheck } from './policy-check-command.ts'
import { loadEffective, withPolicyOptions, type PolicyFlags } from './policy-input.ts'

/** Adds `policy` to the program. */
export function register(program: Command): void {
  const policy = program
    .command('policy')
    .summary('show the effective policy')
    .description('Shows the policy that a run here would have, and where each line comes from.')
    .enablePositionalOptions() // `policy check --json` is not `policy --json check`
  withPolicyOptions(policy).action(show)
  addCheck(policy)
  policy
    .command('schema')
    .summary('print the JSON schema of policy files')
    .description('Prints the JSON schema of policy files, for editors.')
    .action(async () => {
      const { policyJsonSchema } = await import('../policy/schema.ts')
      printLines([JSON.stringify(policyJsonSchema(), null, 2)])
    })
}

async function show(flags: PolicyFlags): Promise<void> {
  const loaded = await loadEffective(flags)
  const { policy, sources, origins, notes } = loaded
  if (flags.json === true) return printLines([jsonLine({ policy, sources, origins, notes })])
  const rows = policyRows(loaded)
  const columns = [
    { title: 'WHAT', least: 10 },
    { title: 'VALUE', least: 20 },
    { title: 'FROM', least: 20 },
  ]
  const files = sources.map(({ kind, file, digest, widens }) => {
    const approved = widens.length === 0 ? '' : `, approved to widen ${widens.length} ${widens.length === 1 ? 'thing' : 'things'}`
    return `${kind}: ${plain(file)} (sha-256 ${digest.slice(0, 12)}…${approved})`
  })
  const style = styleFor(process.stdout)
  // Where a line comes from is the point of this list: a file or pipe gets it whole.
  const roomy = process.stdout.isTTY ? style : { ...style, width: 10_000 }
  printLines([
    ...renderTable(columns, rows, roomy),
    '',
    ...(files.length === 0 ? ['No policy file: built-in rules and flags only. anchorhold init writes one.'] : files),
    ...notes.map((note) => `note: ${plain(note)}`),
  ])
}

/** One row per line of the effective policy: what, value, where from. */
export function policyRows({ policy, origins }: Pick<LoadedPolicy, 'policy' | 'origins'>): readonly (readonly string[])[] {
  const from = (key: string): string => (origins[key] === undefined ? '' : originText(origins[key]))
  const limits = Object.entries(policy.limits) as [LimitName, number][]
  return [
    ['engine', policy.engine, from('engine')],
    ...(policy.image === undefined ? [] : [['image', imageText(policy.image), from('image')] as const]),
    ...(policy.agent === undefined ? [] : [['agent', policy.agent, from('agent')]]),
    ['workspace', policy.workspace.mode, from('workspace.mode')],
    ['permissions', [policy.permissions.mode, ...policy.permissions.allow].join(' '), from('permissions.mode')],
    ...networkRows(policy.network),
    ...policy.secrets.map((secret) => [
      'secret',
      `${secret.name} from ${sourceText(secret.from)} for ${secret.hosts.map(secretHostText).join(', ')} (${bindingText(secret)})`,
      originText(secret.origin),
    ]),
    ...policy.files.mount.map((mount) => ['mount', `${mount.path} (${mount.mode})`, originText(mount.origin)]),
    ...(['hide', 'protect', 'unprotect'] as const).flatMap((list) =>
      policy.files[list].map(({ glob, origin }) => [list, glob, originText(origin)]),
    ),
    ...policy.env.map(({ name, value, origin }) => [
      'env',
      value === undefined ? `${name} (your own value)` : `${name}=${namesCredential(name) ? '[redacted]' : redact(value)}`,
      originText(origin),
    ]),
    ...(policy.budget ?? []).map((rule) => [`budget ${rule.scope}`, amountText(rule), originText(rule.origin)]),
    ...limits.map(([name, value]) => [`limit ${name}`, showLimit(name, value), from(`limits.${name}`)]),
  ]
}

function bindingText(secret: Policy['secrets'][number]): string {
  const { methods = [], paths = [], pass = [], websocket } = secret
  return [
    placesText(secret),
    ...methods,
    ...paths,
    ...pass.map((name) => `any ${name}`),
    ...(websocket === true ? ['WebSockets too'] : []),
  ].join('; ')
}

function networkRows({ rules, routes, passThrough = [] }: Policy['network']): readonly (readonly string[])[] {
  const because = (reason: string | undefined, origin: Origin): string =>
    reason === undefined ? originText(origin) : `${originText(origin)}: ${reason}`
  return [
    ...rules.filter(({ effect }) => effect === 'deny').map((rule) => ['deny', ruleText(rule), because(rule.reason, rule.origin)]),
    ...rules.filter(({ effect }) => effect === 'allow').map((rule) => ['allow', ruleText(rule), because(rule.reason, rule.origin)]),
    ...routes.map(({ host, port, to, origin }) => [
      'route',
      `${host}:${port} → ${to.scheme === 'http' ? 'http://' : ''}${to.address.includes(':') ? `[${to.address}]` : to.address}:${to.port}`,
      originText(origin),
    ]),
    ...passThrough.map((pass) => ['pass through', passText(pass), originText(pass.origin)]),
  ]
}
