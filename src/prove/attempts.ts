// Proof: the probes' tries become lists of attempts, one per client, every place in braces filled in; and what the clients print becomes records.
import type { EnforcedLimit } from '../model/engine.ts'
import type { Client, Probe } from '../model/proof.ts'
import { clients } from '../model/proof.ts'
import type { ReadLine } from '../session/follow.ts'

/** What a client can do; a verb is told by the fields that it takes in probes/. */
export const verbs: Readonly<Record<string, readonly Client[]>> = {
  read: ['sh', 'node', 'python', 'static'],
  write: ['sh', 'node', 'python', 'static'],
  list: ['sh', 'node', 'python'],
  env: ['sh', 'node', 'python', 'static'],
  run: ['sh'],
  tcp: ['node', 'python', 'static'],
  udp: ['node', 'python', 'static'],
  unix: ['node', 'python', 'static'],
  /** Port of the proxy, method, address, a field or `-`, a body or `-`, the host of the tunnel where it is another, or `-`. `%TOKEN%`: the variable. */
  fetch: ['sh', 'node', 'python'],
  name: ['node', 'python'],
  call: ['static'],
}

export interface Attempt {
  readonly probe: string
  readonly number: number
  readonly client: Client
  readonly verb: string
  readonly fields: readonly string[]
}

/** What a client said of one attempt. It is believed only where no witness outside can see. */
export interface Said {
  readonly probe: string
  readonly number: number
  readonly client: Client
  readonly outcome: 'done' | 'refused' | 'lacking'
  readonly text: string
}

export type Places = Readonly<Record<string, string | undefined>>

/** Every attempt of these probes; one whose place does not exist here is left out. */
export function attemptsOf(probes: readonly Pick<Probe, 'id' | 'try' | 'clients'>[], placesOf: (id: string) => Places): readonly Attempt[] {
  return probes.flatMap((probe) =>
    probe.try.flatMap(([verb, ...fields], number) =>
      (verbs[verb] ?? [])
        .filter((client) => probe.clients?.includes(client) ?? true)
        .flatMap((client) => {
          const filled = fields.map((field) => fillPlaces(field, { ...placesOf(probe.id), client, id: probe.id }))
          if (filled.some((field) => field === undefined || /[\t\n]/.test(field))) return []
          return [{ probe: probe.id, number, client, verb, fields: filled.flatMap((field) => field ?? []) }]
        }),
    ),
  )
}

/** Undefined where a place has no value here. */
export function fillPlaces(text: string, places: Places): string | undefined {
  let whole = true
  const filled = text.replace(/\{([a-z]+)\}/g, (_, name: string) => {
    const value = places[name]
    if (value === undefined) whole = false
    return value ?? ''
  })
  return whole ? filled : undefined
}

/** One client's list, as the programs of probes/inside read it. */
export function listFor(client: Client, attempts: readonly Attempt[]): string {
  return attempts
    .filter((attempt) => attempt.client === client)
    .map(({ probe, number, verb, fields }) => `${[probe, number, verb, ...fields].join('\t')}\n`)
    .join('')
}

export interface Heard {
  readonly said: readonly Said[]
  /** Clients whose interpreter is not inside. */
  readonly absent: ReadonlySet<Client>
  /** Whether the list was worked through to its end. */
  readonly whole: boolean
  /** How limits were kept, and the lines of the journal, where it was a cell. */
  readonly limits?: readonly EnforcedLimit[]
  readonly journal?: readonly ReadLine[]
}

/** Lines with the nonce of this proof; everything else that was printed is none of ours. */
export function readSaid(output: string, nonce: string): Heard {
  const said: Said[] = []
  const absent = new Set<Client>()
  let whole = false
  for (const line of output.split('\n')) {
    const [mark, probe, number, who, outcome, hex = ''] = line.split('\t')
    if (mark !== nonce || probe === undefined) continue
    const client = clients.find((each) => each === who)
    if (outcome === 'end') whole = true
    else if (client !== undefined && probe === '-') absent.add(client)
    else if (client !== undefined && (outcome === 'done' || outcome === 'refused' || outcome === 'lacking'))
      said.push({ probe, number: Number(number), client, outcome, text: Buffer.from(hex, 'hex').toString('latin1') })
  }
  return { said, absent, whole }
}
