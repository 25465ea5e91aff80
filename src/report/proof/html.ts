// A proof as one page that needs nothing else: no script, no request, every text escaped.
import type { ProbeResult, Proof } from '../../model/proof.ts'
import { plain } from '../text.ts'
import { unstyled } from '../style.ts'
import { verdictLine } from './text.ts'

const css = `body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ddd}
.holds{color:#16652f}.leaks{color:#b00020;font-weight:bold}.could-not-run{color:#8a5a00;font-weight:bold}.limit,.not-applicable,dt{color:#666}
dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1rem}dd{margin:0;overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){body{color:#ddd;background:#161616}td,th{border-color:#333}.holds{color:#7bd88f}.leaks{color:#ff6b7a}.could-not-run{color:#e8b04a}}`

const facts = (proof: Proof): readonly (readonly [string, string])[] => [
  ['Engine', proof.engine],
  ['anchorhold', proof.versions.anchorhold],
  ['Node', proof.versions.node],
  ['Kernel', proof.kernel],
  ['Policy', proof.policyDigest],
  ['Project', proof.project],
  ['Date', proof.date],
  ['Promises kept', proof.promises.flatMap(({ id, kept }) => (kept ? [id] : [])).join(', ') || 'none'],
]

export function proofPage(proof: Proof): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>anchorhold: ${escape(proof.verdict)}</title><style>${css}</style></head><body>`,
    `<h1 class="${escape(proof.verdict)}">${escape(verdictLine(proof, unstyled))}</h1>`,
    `<dl>${facts(proof)
      .map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`)
      .join('')}</dl>`,
    proof.opens.length === 0
      ? ''
      : `<h2>What your policy opens</h2><ul>${proof.opens.map((text) => `<li>${escape(text)}</li>`).join('')}</ul>`,
    '<h2>Probes</h2><table><tr><th>Wall</th><th>Probe</th><th>Result</th><th>Why</th><th>Promise</th><th>Source</th></tr>',
    ...proof.probes.map(row),
    '</table></body></html>',
  ].join('\n')
}

function row({ wall, id, says, result, why, promise, source }: ProbeResult): string {
  const cells = [
    escape(wall),
    `<b>${escape(id)}</b><br>${escape(says)}`,
    escape(result),
    escape(why),
    escape(promise),
    escape(source.join(', ')),
  ]
  return `<tr class="${escape(result)}">${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
}

/** For text and quoted attributes; controls and invisible characters become visible first. */
function escape(text: string): string {
  return plain(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
