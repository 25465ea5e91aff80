// `anchorhold explain secret`: where a value comes from, who gets it and in which place, what the cell sees, and whether it is there now. Never the value.
import { Failure } from '../errors/failure.ts'
import type { Policy } from '../model/policy.ts'
import { dataDir } from '../host/paths.ts'
import { originText } from '../policy/judge.ts'
import type { LoadInput } from '../policy/load.ts'
import { placesText, sourceText } from '../policy/secret.ts'
import { secretHostText } from '../policy/secret-hosts.ts'
import { openSecrets } from '../secrets/open.ts'
import type { Explained } from './explain.ts'

/** The source is asked as a run asks it. @throws Failure `secret/unknown` for a name that nothing binds */
export async function explainSecret(name: string, policy: Policy, { hostEnv, hostHome, project }: LoadInput): Promise<Explained> {
  const rule = policy.secrets.find((candidate) => candidate.name === name)
  if (rule === undefined) throw new Failure('secret/unknown', { secret: name })
  const shown = [project, ...policy.files.mount.map((mount) => mount.path)]
  const failure = await openSecrets([rule], { hostEnv, hostHome, dataDir: dataDir(hostEnv, hostHome), shown }).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof Failure) return error
      throw error
    },
  )
  const only = [rule.methods?.join(', '), rule.paths?.join(', ')].filter((part) => part !== undefined)
  const reason = [
    `its value comes from ${sourceText(rule.from)}, bound by ${originText(rule.origin)}`,
    `put in for ${rule.hosts.map(secretHostText).join(', ')} in ${placesText(rule)}${only.length === 0 ? '' : `, only ${only.join(' at ')}`}`,
    `the cell's variable ${name} has a placeholder of the same form, new in every session`,
    failure === undefined ? 'the value is there now' : `the value cannot be had now: ${failure.message}`,
  ].join('; ')
  return {
    subject: name,
    verdict: failure === undefined ? 'ready' : 'absent',
    reason,
    ...(failure === undefined ? {} : { remedy: failure.remedy }),
  }
}
