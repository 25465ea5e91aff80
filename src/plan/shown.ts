// The plan's last check: the value of a held secret is nowhere in what the cell will see. Pure.
import { Failure } from '../errors/failure.ts'
import type { Plan } from '../model/plan.ts'
import type { HeldSecret } from '../model/secret.ts'
import { formsOf } from '../secrets/forms.ts'

/** Throws Failure `secret/shown`: most often a shell outside has put the value into the command line already. */
export function refuseShown(secrets: readonly HeldSecret[], plan: Pick<Plan, 'argv' | 'env' | 'mounts'>): void {
  const places = [
    ...plan.argv.map((text, index) => [text, `argument ${index} of the command`] as const),
    ...Object.entries(plan.env).map(([name, text]) => [text, `its variable ${name}`] as const),
    ...plan.mounts.flatMap((mount) => (mount.kind === 'file' ? [[mount.content, `the file ${mount.to}`] as const] : [])),
  ]
  for (const secret of secrets) {
    const forms = secret.values().flatMap((value) => [...formsOf(value).values()])
    const found = places.find(([text]) => forms.some((form) => text.includes(form)))
    if (found !== undefined) throw new Failure('secret/shown', { secret: secret.rule.name, place: found[1] })
  }
}
