// Held secrets and requests for the tests of steps: a step is asked as the gateway asks it, and its answer is taken apart.
import { Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Refusal } from '../../../src/gateway/context.ts'
import { injectStep } from '../../../src/gateway/steps/inject.ts'
import type { Field, StepBody, StepResult, Watch } from '../../../src/gateway/steps/step.ts'
import type { CanonicalHost } from '../../../src/model/policy.ts'
import type { HeldSecret, SecretHost, SecretRule } from '../../../src/model/secret.ts'

export interface Known {
  readonly name: string
  readonly value: string
  readonly placeholder: string
}
export const token: Known = { name: 'TOKEN', value: 'tok_the/real+value&of=it~0123', placeholder: 'tok_xxxplaceholderxxxxxxx9999' }
export const other: Known = { name: 'OTHER', value: 'oth_another-real-value-4567', placeholder: 'oth_qqqplaceholderqqqqq0000' }

export function key(host: string): CanonicalHost {
  return host as CanonicalHost
}

export function place(host: string, port = 443): readonly SecretHost[] {
  return [{ pattern: { kind: 'host', host: key(host) }, port }]
}

export function held({ name, value, placeholder }: Known, more: Partial<SecretRule> = {}): HeldSecret {
  const rule: SecretRule = {
    name,
    from: { kind: 'env', variable: name },
    hosts: place('api.thing.test'),
    where: ['header', 'basic'],
    origin: { kind: 'flag', source: `--secret ${name}@api.thing.test` },
    ...more,
  }
  return { rule, placeholder, current: async () => value, values: () => [value] }
}
export const otherHold: HeldSecret = held(other, { hosts: place('other.test') })

export interface Sent {
  readonly host?: string
  readonly port?: number
  readonly safe?: boolean
  readonly method?: string
  readonly path?: string
  readonly fields?: readonly Field[]
  readonly body?: string
  readonly websocket?: boolean
}

export interface Came {
  readonly refusal?: Refusal
  readonly path?: string
  readonly fields?: readonly Field[]
  readonly body?: string
  readonly watch?: Watch
  readonly uses: readonly (readonly unknown[])[]
}

/** What the step makes of one request. */
export async function ask(secrets: readonly HeldSecret[], sent: Sent): Promise<Came> {
  const uses: unknown[][] = []
  const step = injectStep(secrets, {
    used: (name, { host, port }, where) => uses.push([name, host, port, where]),
    echoed: (name, { host }) => uses.push([name, host, 'echoed']),
  })
  const result = await step.request({
    target: { host: key(sent.host ?? 'api.thing.test'), port: sent.port ?? 443 },
    safe: sent.safe ?? true,
    method: sent.method ?? 'GET',
    path: sent.path ?? '/v1/things',
    fields: sent.fields ?? [],
    body: bodyOf(sent.body),
    websocket: sent.websocket ?? false,
  })
  return { ...(await takeApart(result, sent.body)), uses }
}

async function takeApart(result: StepResult, sentBody = ''): Promise<Omit<Came, 'uses'>> {
  if (result.kind !== 'pass') return result.refusal === undefined ? {} : { refusal: result.refusal }
  const { path, fields, body } = result.change ?? {}
  return {
    ...(path === undefined ? {} : { path }),
    ...(fields === undefined ? {} : { fields }),
    ...(body === undefined ? {} : { body: body instanceof Transform ? await through(body, sentBody) : body.toString('latin1') }),
    ...(result.watch === undefined ? {} : { watch: result.watch }),
  }
}

async function through(stream: Transform, text: string): Promise<string> {
  const done = buffer(stream)
  for (let at = 0; at < text.length; at += 65_537) stream.write(Buffer.from(text.slice(at, at + 65_537), 'latin1'))
  stream.end()
  return (await done).toString('latin1')
}

function bodyOf(text = ''): StepBody {
  const bytes = Buffer.from(text, 'latin1')
  return {
    length: bytes.length,
    peek: async () => bytes,
    whole: async (most) => (bytes.length > most ? undefined : bytes),
  }
}
