// The rule of the proof: only an attempt that was made, beside a control that worked and a witness that is awake, is ever called held.
import { expect, it } from 'vitest'
import { bubblewrap } from '../../src/engines/bubblewrap.ts'
import type { Probe, ProbeOutcome } from '../../src/model/proof.ts'
import { readSaid, type Said } from '../../src/prove/attempts.ts'
import { judgeProbe, type Sight } from '../../src/prove/judge.ts'

const probe: Probe = {
  id: 'one',
  wall: 'files',
  says: 'A thing.',
  promise: 'P1',
  source: ['FS-01'],
  set: 'standard',
  place: 'project',
  try: [['read', '/x']],
  witness: { kind: 'canary' },
  control: 'read',
  weakened: 'bare',
  engines: 'all',
}
const refused: Said = { probe: 'one', number: 0, client: 'node', outcome: 'refused', text: 'ENOENT' }
const good: Sight = {
  said: [refused],
  absent: new Set(),
  canaries: ['CANARY-1'],
  visits: { hits: 0, text: '', awake: true },
  damage: [],
  control: () => true,
  engine: bubblewrap.traits,
  limits: [],
  shown: [],
  listed: new Map([['node', 1]]),
}

it.each<readonly [string, Partial<Sight>, Partial<Probe>, ProbeOutcome]>([
  ['refused, with a control that worked', {}, {}, 'holds'],
  ['the control did not work', { control: () => false }, {}, 'could-not-run'],
  ['nothing was said', { said: [] }, {}, 'could-not-run'],
  ['the client does not know the verb', { said: [{ ...refused, outcome: 'lacking' }] }, {}, 'could-not-run'],
  ['one of two attempts is missing', { listed: new Map([['node', 2]]) }, {}, 'could-not-run'],
  ['the only client is not inside', { said: [], absent: new Set(['node'] as const) }, {}, 'could-not-run'],
  ['the witness is asleep', { visits: { hits: 0, text: '', awake: false } }, {}, 'could-not-run'],
  ['nothing to try here', { said: [], listed: new Map() }, {}, 'not-applicable'],
  ['another engine', {}, { engines: ['docker'] }, 'not-applicable'],
  ['the witness was visited, whatever was said', { visits: { hits: 1, text: '', awake: true } }, {}, 'leaks'],
  ['a value came back, whatever the control', { said: [{ ...refused, text: 'x CANARY-1' }], control: () => false }, {}, 'leaks'],
  ['a file is there', { damage: ['/x is there on the host'] }, {}, 'leaks'],
  ['the kernel did it', { said: [{ ...refused, outcome: 'done' }] }, { witness: { kind: 'answer' } }, 'leaks'],
  ['what is not promised', { visits: { hits: 1, text: '', awake: true } }, { limit: 'docs/limitations.md.' }, 'limit'],
  [
    'the value came to the witness in base64',
    { visits: { hits: 1, text: btoa('x CANARY-1'), awake: true } },
    { witness: { kind: 'unsent' } },
    'leaks',
  ],
  ['a visit without the value', { visits: { hits: 1, text: 'GET /', awake: true } }, { witness: { kind: 'unsent' } }, 'holds'],
  ['refused on its way', {}, { witness: { kind: 'unsent' } }, 'holds'],
  ['sent, and nothing came', { said: [{ ...refused, outcome: 'done' }] }, { witness: { kind: 'unsent' } }, 'could-not-run'],
  ['a control in the log', { shown: ['mark \u001b[31m'] }, { witness: { kind: 'shown', mark: 'mark' } }, 'leaks'],
  ['a log that shows it as text', { shown: ['mark \\x1b[31m'] }, { witness: { kind: 'shown', mark: 'mark' } }, 'holds'],
  ['a log that does not name it', { shown: ['other'] }, { witness: { kind: 'shown', mark: 'mark' } }, 'could-not-run'],
  ['what this engine is not promised for', { visits: { hits: 1, text: '', awake: true } }, { limit: { bubblewrap: 'x' } }, 'limit'],
  ['what another is not promised for', { visits: { hits: 1, text: '', awake: true } }, { limit: { docker: 'x' } }, 'leaks'],
  ['what the engine cannot do', { visits: { hits: 1, text: '', awake: true } }, { needs: 'own-kernel' }, 'not-applicable'],
  [
    'a limit that is not kept here',
    { damage: ['/x'], limits: [{ name: 'fileSize', value: 1, enforced: false, how: 'nobody does' }] },
    { needs: 'limit-file-size' },
    'limit',
  ],
])('%s', (_name, sight, over, result) => {
  expect(judgeProbe({ ...probe, ...over }, { ...good, ...sight }).result).toBe(result)
})

it('lines without the nonce of this proof are not read', () => {
  const heard = readSaid('other\tone\t0\tnode\trefused\t\nmine\tone\t0\tnode\tdone\t6f6b\nmine\t-\t0\tpython\tlacking\t\nnoise\n', 'mine')
  expect(heard).toMatchObject({ whole: false, said: [{ probe: 'one', outcome: 'done', text: 'ok' }] })
  expect([...heard.absent]).toEqual(['python'])
})
