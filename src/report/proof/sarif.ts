// A proof as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/): one rule per probe, one result for each that did not hold.
import type { ProbeOutcome, Proof } from '../../model/proof.ts'
import { jsonLine } from '../json-line.ts'
import { plain } from '../text.ts'

const levels: Readonly<Record<ProbeOutcome, 'error' | 'warning' | 'note' | 'none'>> = {
  leaks: 'error',
  'could-not-run': 'warning',
  limit: 'note',
  holds: 'none',
  'not-applicable': 'none',
}
const kinds: Readonly<Record<ProbeOutcome, string>> = {
  leaks: 'fail',
  'could-not-run': 'fail',
  limit: 'informational',
  holds: 'pass',
  'not-applicable': 'notApplicable',
}

export function proofSarif(proof: Proof): string {
  return jsonLine({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'anchorhold prove',
            version: proof.versions.anchorhold,
            rules: proof.probes.map(({ id, says, wall, promise, source }) => ({
              id,
              shortDescription: { text: plain(says) },
              properties: { wall, promise, source },
            })),
          },
        },
        results: proof.probes.map(({ id, result, why }, ruleIndex) => ({
          ruleId: id,
          ruleIndex,
          kind: kinds[result],
          level: levels[result],
          message: { text: plain(why) },
          // Code scanning wants a place; the policy is what decides.
          locations: [{ physicalLocation: { artifactLocation: { uri: 'anchorhold.yaml' }, region: { startLine: 1 } } }],
          properties: { result },
        })),
        invocations: [{ executionSuccessful: proof.verdict !== 'could-not-run', endTimeUtc: proof.date }],
        properties: {
          verdict: proof.verdict,
          engine: proof.engine,
          kernel: proof.kernel,
          policyDigest: proof.policyDigest,
          versions: proof.versions,
          promises: proof.promises,
          opens: proof.opens.map((text) => plain(text)),
        },
      },
    ],
  })
}
