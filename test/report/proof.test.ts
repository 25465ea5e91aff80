// A proof's forms hold against one whose texts are hostile where they come from the machine or the policy: they are read in a browser, by code scanning, on a terminal.
import { expect, it } from 'vitest'
import type { Proof } from '../../src/model/proof.ts'
import { proofPage } from '../../src/report/proof/html.ts'
import { proofSarif } from '../../src/report/proof/sarif.ts'
import { proofLines } from '../../src/report/proof/text.ts'
import { unstyled } from '../../src/report/style.ts'

const bad = `</td><script>alert(1)</script>" onload='x' \u001b]0;title\u0007 \u202e`
const proof: Proof = {
  verdict: 'leaks',
  probes: (['leaks', 'holds', 'limit', 'not-applicable', 'could-not-run'] as const).map((result) => ({
    id: `id-${result}`,
    wall: 'files',
    result,
    says: 'Nothing & nobody.',
    promise: 'P1',
    source: ['FS-01'],
    why: bad,
    clients: { sh: 'holds' },
  })),
  promises: [{ id: 'P1', kept: false, probes: 5 }],
  opens: [{ rule: 'open-host', severity: 'warning', subject: bad, place: bad, means: bad, instead: bad }],
  engine: 'bubblewrap',
  set: 'quick',
  versions: { anchorhold: '0.1.0', node: '24', engine: bad },
  kernel: bad,
  policyDigest: bad,
  project: `/tmp/${bad}`,
  date: '2026-11-23T22:00:00.000Z',
  milliseconds: 10,
}

it('HTML: no tag, attribute, control or direction of theirs; what did not hold comes before what did', () => {
  const page = proofPage(proof)
  expect(page).not.toMatch(/<script|<\/td><script|[\u0000-\u0009\u000b-\u001f\u007f\u202e]/)
  expect(page.replace(/<style>.*<\/style>/s, '').replace(/<[^<>]*>/g, '')).not.toMatch(/[<>"']/)
  expect(page.indexOf('id-leaks')).toBeLessThan(page.indexOf('id-holds'))
  expect(page).toContain('P1 Files not kept')
})

it('SARIF and text: no control, and each result by its kind', () => {
  const log = JSON.parse(proofSarif(proof)) as { runs: { results: { kind: string; level: string }[] }[] }
  expect(log.runs[0]?.results.map(({ kind, level }) => `${kind} ${level}`)).toEqual([
    'fail error',
    'pass none',
    'informational none',
    'notApplicable none',
    'fail warning',
  ])
  for (const text of [JSON.stringify(log), proofLines(proof, unstyled).join('\n')])
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]|\\u00[01]/)
})
