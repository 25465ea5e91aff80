// A proof as SARIF 2.1.0: one rule and one result for each probe; what held says so, with the kind `pass`.
import path from 'node:path'
import type { ProbeOutcome, Proof } from '../../model/proof.ts'
import { jsonLine } from '../json-line.ts'
import { sarifLog, type SarifResult } from '../sarif.ts'
import { plainDeep } from '../text.ts'

const standing: Readonly<Record<ProbeOutcome, Pick<SarifResult, 'level' | 'kind'>>> = {
  leaks: { level: 'error', kind: 'fail' },
  'could-not-run': { level: 'warning', kind: 'fail' },
  limit: { level: 'none', kind: 'informational' },
  holds: { level: 'none', kind: 'pass' },
  'not-applicable': { level: 'none', kind: 'notApplicable' },
}

export function proofSarif(proof: Proof): string {
  const { verdict, engine, set, kernel, policyDigest, versions, promises, opens } = proof
  return jsonLine(
    sarifLog({
      version: versions.anchorhold,
      root: proof.project,
      rules: proof.probes.map(({ id, says, wall, promise, source }) => ({
        id,
        level: 'error',
        title: says,
        source: `${promise}; attacks.md ${source.join(', ')}`,
        properties: { wall, promise, source },
      })),
      results: proof.probes.map(({ id, result, why }) => ({
        ruleId: id,
        ...standing[result],
        message: why,
        // Code scanning wants a place; the policy is what decides.
        place: { file: path.join(proof.project, 'anchorhold.yaml'), line: 1, column: 1 },
        properties: { result },
      })),
      invocation: { executionSuccessful: verdict !== 'could-not-run', endTimeUtc: proof.date },
      properties: plainDeep({ verdict, engine, set, kernel, policyDigest, versions, promises, opens }),
    }),
  )
}
