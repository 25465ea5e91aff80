// A proof for people: what did not hold first and with its reason, then the walls, the promises, what the policy opens, one line of verdict.
import { walls, type Opening, type ProbeResult, type Proof } from '../../model/proof.ts'
import type { Style } from '../style.ts'
import { plain } from '../text.ts'

export function proofLines(proof: Proof, style: Style): readonly string[] {
  const line = (text: string): string => plain(text, { max: 400 })
  const odd = proof.probes.filter(({ result }) => result !== 'holds' && result !== 'not-applicable')
  return [
    style.dim(
      line(
        `anchorhold ${proof.versions.anchorhold}, ${proof.engine}, kernel ${proof.kernel}, policy ${proof.policyDigest.slice(0, 12)}, ${proof.date}, ${proof.project}`,
      ),
    ),
    '',
    ...odd.flatMap((one) => [
      `${sign(one, style)} ${style.bold(line(one.id))}  ${line(one.says)}`,
      `          ${line(one.why)} ${style.dim(line(one.source.join(', ')))}`,
    ]),
    ...(odd.length === 0 ? [] : ['']),
    ...walls.flatMap((wall) => {
      const own = proof.probes.filter((one) => one.wall === wall && one.result !== 'not-applicable')
      if (own.length === 0) return []
      const held = own.filter(({ result }) => result === 'holds').length
      const text = `${held} of ${own.length} probes hold`
      return [`  ${wall.padEnd(12)} ${held === own.length ? style.good(text) : text}`]
    }),
    '',
    `Promises kept: ${proof.promises.flatMap(({ id, kept }) => (kept ? [id] : [])).join(', ') || 'none'}`,
    ...proof.promises.flatMap(({ id, kept }) => (kept ? [] : [style.bad(`Promise not kept: ${id}`)])),
    ...(proof.opens.length === 0 ? [] : ['', 'Your own policy opens:', ...proof.opens.flatMap((one) => openingLines(one, style))]),
    '',
    verdictLine(proof, style),
  ]
}

function sign({ result }: ProbeResult, style: Style): string {
  if (result === 'leaks') return style.bad('leaks    ')
  return result === 'limit' ? style.dim('limit    ') : style.warn('not run  ')
}

function painted(severity: Opening['severity'], text: string, style: Style): string {
  if (severity === 'note') return style.dim(text)
  return severity === 'error' ? style.bad(text) : style.warn(text)
}

function openingLines({ severity, subject, place, means, instead }: Opening, style: Style): readonly string[] {
  const line = (text: string): string => plain(text, { max: 400 })
  return [
    `  ${painted(severity, line(subject), style)} (${line(place)}): ${line(means)}`,
    ...(instead === undefined ? [] : [`    ${style.dim('instead:')} ${line(instead)}`]),
  ]
}

export function verdictLine(proof: Proof, style: Style): string {
  const count = (result: ProbeResult['result']): number => proof.probes.filter((one) => one.result === result).length
  const seconds = `${(proof.milliseconds / 1000).toFixed(1)} s`
  if (proof.verdict === 'holds') return style.good(`The wall holds: ${count('holds')} probes, none got through (${seconds}).`)
  if (proof.verdict === 'leaks')
    return style.bad(`The wall leaks: ${count('leaks')} of ${proof.probes.length} probes got through (${seconds}).`)
  return style.warn(
    `Not shown: ${count('could-not-run')} of ${proof.probes.length} probes could not be run, none got through (${seconds}).`,
  )
}
