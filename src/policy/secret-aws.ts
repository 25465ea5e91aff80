// Policy: an AWS key is one line of `secrets` and up to three values, which are never sent: they sign. Called by secret.ts; gateway/aws signs.
import type { AwsBinding, SecretRule, SecretSource } from '../model/secret.ts'
import type { AwsEntry, SecretEntry } from './schema.ts'
import { show } from './show.ts'

/** What AWS's own programs read, and the members that `aws configure export-credentials --format process` prints. */
const parts = [
  { part: 'id', variable: 'AWS_ACCESS_KEY_ID', member: 'AccessKeyId' },
  { part: 'secret', variable: 'AWS_SECRET_ACCESS_KEY', member: 'SecretAccessKey' },
  { part: 'token', variable: 'AWS_SESSION_TOKEN', member: 'SessionToken' },
] as const

/** `refuse` throws. The names of the rules are AWS's own variables, whatever the line is called. */
export function awsRules(
  entry: SecretEntry,
  aws: AwsEntry,
  { from, ...same }: Pick<SecretRule, 'from' | 'hosts' | 'origin' | 'methods' | 'paths' | 'pass' | 'websocket'>,
  refuse: (reason: string) => never,
): readonly SecretRule[] {
  if (entry.where !== undefined || entry.header !== undefined || entry.git !== undefined)
    return refuse('an AWS key signs requests and is never sent; leave where, header and git out')
  for (const name of [...(aws.services ?? []), ...(aws.regions ?? [])])
    if (!/^[a-z0-9-]+$/.test(name)) return refuse(`${show(name)} is no name of a service or region`)
  return parts.map(({ part, variable, member }) => ({
    name: variable,
    ...same,
    from: sourceOf(from, variable, member, refuse),
    where: [],
    aws: {
      part,
      ...(aws.services === undefined ? {} : { services: aws.services }),
      ...(aws.regions === undefined ? {} : { regions: aws.regions }),
    },
    ...(part === 'token' ? { optional: true } : {}),
  }))
}

function sourceOf(from: SecretSource, variable: string, member: string, refuse: (reason: string) => never): SecretSource {
  if (from.kind === 'env') return { kind: 'env', variable }
  if (from.kind === 'file' || from.kind === 'command') return { ...from, member }
  return refuse(
    'an AWS key comes from `env`, a file or a command that has it as JSON (`aws configure export-credentials --format process`)',
  )
}

/** In words: "signs for s3 in eu-central-1". */
export function awsText({ services, regions }: AwsBinding): string {
  return `signs for ${services?.join(', ') ?? 'every service'} in ${regions?.join(', ') ?? 'every region'}`
}
