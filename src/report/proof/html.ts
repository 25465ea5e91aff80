// A proof as one page that needs nothing else: no script, no request, every text escaped. What did not hold stands first and open.
import { promises as names, walls, type Opening, type ProbeOutcome, type ProbeResult, type Proof } from '../../model/proof.ts'
import { unstyled } from '../style.ts'
import { plain } from '../text.ts'
import { verdictLine } from './text.ts'

const css = `:root{--ink:#1d2126;--dim:#5b6570;--paper:#fff;--line:#dfe3e8;--good:#16652f;--bad:#b00020;--warn:#8a5a00}
@media (prefers-color-scheme:dark){:root{--ink:#dde2e8;--dim:#98a2ad;--paper:#14171a;--line:#30363d;--good:#7bd88f;--bad:#ff6b7a;--warn:#e8b04a}}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1.25rem;color:var(--ink);background:var(--paper)}
h1{font-size:1.5rem;margin:0 0 1rem;padding:.75rem 1rem;border-left:.4rem solid currentColor}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.holds{color:var(--good)}.leaks{color:var(--bad)}.could-not-run{color:var(--warn)}.limit,.not-applicable{color:var(--dim)}
.error{color:var(--bad)}.warning{color:var(--warn)}.note{color:var(--dim)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.25rem;margin:0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:.25rem 0 1rem}td,th{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line)}
th{color:var(--dim);font-weight:normal;font-size:.85rem}td:first-child{width:8rem;white-space:nowrap;font-weight:600}
small,.why{color:var(--dim);font-size:.85rem}code{font:.9em ui-monospace,monospace}
details{border-bottom:1px solid var(--line);padding:.4rem 0}summary{cursor:pointer}summary b{display:inline-block;min-width:8rem}
ul{padding-left:1.2rem}li{margin:.2rem 0}.promises{display:flex;flex-wrap:wrap;gap:.4rem;padding:0;list-style:none}
.promises li{border:1px solid currentColor;border-radius:.3rem;padding:0 .5rem}@media print{details>*{display:block}}`

const words: Readonly<Record<ProbeOutcome, string>> = {
  holds: 'holds',
  leaks: 'leaks',
  limit: 'limit',
  'not-applicable': 'not here',
  'could-not-run': 'not shown',
}

export function proofPage(proof: Proof): string {
  const odd = proof.probes.filter(({ result }) => result !== 'holds' && result !== 'not-applicable')
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>anchorhold: ${escape(proof.verdict)}</title><style>${css}</style></head><body>`,
    `<h1 class="${escape(proof.verdict)}">${escape(verdictLine(proof, unstyled))}</h1>`,
    facts(proof),
    ...(odd.length === 0 ? [] : ['<h2>What did not hold</h2>', table(odd)]),
    ...(proof.promises.length === 0 ? [] : ['<h2>Promises</h2>', promises(proof)]),
    ...(proof.opens.length === 0 ? [] : ['<h2>What your own policy opens</h2>', `<ul>${proof.opens.map(opening).join('')}</ul>`]),
    '<h2>Every probe, by wall</h2>',
    ...walls.map((wall) =>
      part(
        wall,
        proof.probes.filter((probe) => probe.wall === wall),
      ),
    ),
    '</body></html>',
  ].join('\n')
}

function facts({ engine, versions, kernel, policyDigest, project, date, set }: Proof): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Project', project],
    ['Date', date],
    ['Engine', `${engine}: ${versions.engine}`],
    ['Kernel', kernel],
    ['anchorhold', `${versions.anchorhold}, Node ${versions.node}`],
    ['Policy', policyDigest],
    ['Set', set],
  ]
  return `<dl>${rows.map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`).join('')}</dl>`
}

function promises(proof: Proof): string {
  const items = proof.promises.map(({ id, kept, probes }) => {
    const text = `${id} ${names[id] ?? ''} ${kept ? 'kept' : 'not kept'}`
    return `<li class="${kept ? 'holds' : 'leaks'}" title="${escape(`${probes} probes`)}">${escape(text)}</li>`
  })
  return `<ul class="promises">${items.join('')}</ul>`
}

function opening({ severity, subject, place, means, instead }: Opening): string {
  const tighter = instead === undefined ? '' : `<br><small>Instead: <code>${escape(instead)}</code></small>`
  return `<li><b class="${escape(severity)}">${escape(subject)}</b> <small>${escape(place)}</small><br>${escape(means)}${tighter}</li>`
}

function part(wall: string, own: readonly ProbeResult[]): string {
  if (own.length === 0) return ''
  const held = own.filter(({ result }) => result === 'holds').length
  const all = own.filter(({ result }) => result !== 'not-applicable').length
  const count = `<span class="${held === all ? 'holds' : 'could-not-run'}">${held} of ${all} hold</span>`
  return `<details><summary><b>${escape(wall)}</b> ${count}</summary>${table(own)}</details>`
}

function table(own: readonly ProbeResult[]): string {
  return `<table><tr><th>Result</th><th>Probe</th><th>Promise</th><th>Source</th></tr>${own.map(row).join('\n')}</table>`
}

function row({ id, says, result, why, promise, source }: ProbeResult): string {
  return [
    `<tr><td class="${escape(result)}">${escape(words[result])}</td>`,
    `<td>${escape(says)}<br><span class="why">${escape(why)} <code>${escape(id)}</code></span></td>`,
    `<td>${escape(promise)}</td><td><small>${escape(source.join(', '))}</small></td></tr>`,
  ].join('')
}

/** For text and quoted attributes; controls and invisible characters become visible first. */
function escape(text: string): string {
  return plain(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
