// Gateway, steps: requests that were signed with an AWS key's placeholders are signed anew with the key itself, which is sent nowhere.
import { originText } from '../../policy/judge.ts'
import { isBound } from '../../policy/secret-hosts.ts'
import type { HeldSecret } from '../../model/secret.ts'
import { resign, type Keys } from '../aws/resign.ts'
import { sha256 } from '../aws/signature.ts'
import { foreignCredential, judgeBinding, refuseWebSocket } from './inject/bound.ts'
import { watchForEchoes } from './inject/echo.ts'
import { findForeign } from './inject/request.ts'
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
  const binding = `the AWS key ${id.rule.name} is bound by ${originText(rule.origin)}`
  const refuse = (code: string, reason: string, remedy?: string): StepResult => ({
    kind: 'refuse',
    refusal: { code, reason, ...(remedy === undefined ? {} : { remedy }) },
  })
  const narrow = (code: string, to: string, mend: string): StepResult =>
    refuse(code, `${binding} to ${to}, and this request is another`, `in your policy, for this secret: ${mend}`)
  return {
    name: 'aws',
    concerns: (target) => (isBound(rule, target) ? `requests signed with ${id.rule.name} are signed anew` : undefined),
    async request(request) {
      if (!request.safe)
        return refuse(
          'plain-http',
          'an AWS key signs only what leaves encrypted',
          `use https://${request.target.host}/, or route the host to this machine`,
        )
      if (request.websocket && rule.websocket !== true) return refuseWebSocket([id])
      const within = judgeBinding(rule, request)
      if (within.kind === 'refuse' && within.refusal.code === 'method')
        return narrow('method', (rule.methods ?? []).join(', '), 'name the method under methods:')
      if (within.kind === 'refuse') return narrow(within.refusal.code, (rule.paths ?? []).join(', '), 'name the path under paths:')
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
      if (made.kind === 'unsigned') return judgeUnsigned(request, id)
      if (made.kind === 'refused')
        return refuse(
          made.code,
          `${made.reason}; ${binding}`,
          'inside, sign with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as they stand there',
        )
      const { services, regions } = rule.aws ?? {}
      const { service, region } = made.signed
      if (services !== undefined && !services.includes(service))
        return narrow('aws-service', `the service ${services.join(', ')}`, `aws: { services: [${[...services, service].join(', ')}] }`)
      if (regions !== undefined && !regions.includes(region))
        return narrow('aws-region', `the region ${regions.join(', ')}`, `aws: { regions: [${[...regions, region].join(', ')}] }`)
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

/** Public things may be read. What is sent unsigned would be somebody else's doing: a form, a web identity or an older signature says whose in its own way. */
function judgeUnsigned(request: StepRequest, id: HeldSecret): StepResult {
  const foreign = findForeign(request, [id])
  if (foreign !== undefined) return { kind: 'refuse', refusal: foreignCredential([id], request.target, foreign) }
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method) && request.body.length === 0) return { kind: 'pass' }
  return {
    kind: 'refuse',
    refusal: {
      code: 'aws-unsigned',
      reason: `a request to ${request.target.host} that sends something and is not signed with ${id.rule.name} (bound by ${originText(id.rule.origin)}): it would be somebody else's`,
      remedy: 'inside, sign it with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as they stand there',
    },
  }
}

async function bodyHash({ body }: StepRequest): Promise<string | undefined> {
  const bytes = await body.whole(maxBody)
  return bytes === undefined ? undefined : sha256(bytes)
}
