// Gateway, steps: requests that were signed with an AWS key's placeholders are signed anew with the key itself, which is sent nowhere.
import { patternAllows } from '../../policy/path-pattern.ts'
import { isBound } from '../../policy/secret-hosts.ts'
import type { HeldSecret } from '../../model/secret.ts'
import { resign, type Keys } from '../aws/resign.ts'
import { sha256 } from '../aws/signature.ts'
import { watchForEchoes } from './inject/echo.ts'
import type { SecretUses } from './inject/uses.ts'
import type { Step, StepRequest, StepResult } from './step.ts'

/** A body whose hash is not given is read whole to be signed; SDKs give the hash with anything large. */
const maxBody = 16 * 1024 * 1024

/** Undefined where the policy has no AWS key. */
export function awsStep(secrets: readonly HeldSecret[], uses: Pick<SecretUses, 'used' | 'echoed'>): Step | undefined {
  const part = (wanted: 'id' | 'secret' | 'token'): HeldSecret | undefined => secrets.find(({ rule }) => rule.aws?.part === wanted)
  const [id, secret, token] = [part('id'), part('secret'), part('token')]
  if (id === undefined || secret === undefined) return undefined
  const { rule } = secret
  const parts = [id, secret, ...(token === undefined ? [] : [token])]
  const cell: Keys = { id: id.placeholder, secret: secret.placeholder, ...(token === undefined ? {} : { token: token.placeholder }) }
  const refuse = (code: string, reason: string): StepResult => ({ kind: 'refuse', refusal: { code, reason } })
  return {
    name: 'aws',
    concerns: (target) => (isBound(rule, target) ? `requests signed with ${id.rule.name} are signed anew` : undefined),
    async request(request) {
      if (!request.safe) return refuse('plain-http', 'an AWS key signs only what leaves encrypted')
      if (rule.methods !== undefined && !rule.methods.includes(request.method))
        return refuse('method', `the AWS key of this session signs ${rule.methods.join(', ')} only`)
      if (rule.paths !== undefined && !rule.paths.some((pattern) => patternAllows(pattern, request.path)))
        return refuse('path', 'the AWS key of this session is not for this path')
      const real: Keys = {
        id: await id.current(),
        secret: await secret.current(),
        ...(token === undefined ? {} : { token: await token.current() }),
      }
      const { host, port } = request.target
      const authority = port === 443 ? host : `${host}:${port}`
      const made = await resign(
        { method: request.method, path: request.path, host: authority, fields: request.fields, bodyHash: () => bodyHash(request) },
        cell,
        real,
      )
      if (made.kind === 'unsigned') return { kind: 'pass' }
      if (made.kind === 'refused') return refuse(made.code, made.reason)
      const { services, regions } = rule.aws ?? {}
      if (services !== undefined && !services.includes(made.signed.service))
        return refuse('aws-service', `the AWS key of this session signs for ${services.join(', ')}, not for ${made.signed.service}`)
      if (regions !== undefined && !regions.includes(made.signed.region))
        return refuse('aws-region', `the AWS key of this session signs for ${regions.join(', ')}, not for ${made.signed.region}`)
      uses.used(id.rule.name, request.target, 'signature')
      return {
        kind: 'pass',
        change: { path: made.path, fields: made.fields, ...(made.body === undefined ? {} : { body: made.body, sameLength: true }) },
        // S3 names the key in its errors.
        watch: watchForEchoes(parts, (found) => uses.echoed(found.rule.name, request.target)),
      }
    },
  }
}

async function bodyHash({ body }: StepRequest): Promise<string | undefined> {
  const bytes = await body.whole(maxBody)
  return bytes === undefined ? undefined : sha256(bytes)
}
