// Proof: for every kind of attempt the twin that must work in the same cell, so that "refused" is not "broken".
import type { Client, Probe } from '../model/proof.ts'
import type { Said } from './attempts.ts'

/** By the name that a probe's `control` gives. */
const tries: Readonly<Record<string, Probe['try']>> = {
  read: [['read', '{inside}/control.txt']],
  write: [['write', '{inside}/control-{client}', 'written']],
  plant: [['write', '{project}/control-{client}', 'written']],
  list: [['list', '{inside}']],
  env: [['env']],
  run: [['run', 'echo working']],
  tcp: [['tcp', '127.0.0.1', '{proxy}', 'GET http://{allowed}/{client} HTTP/1.1\\r\\nHost: {allowed}\\r\\nConnection: close\\r\\n\\r\\n']],
  fetch: [['fetch', '{proxy}', 'GET', 'http://{allowed}/fetch-{client}', '-', '-', '-']],
  // The proof's own secret arrives where it is bound to.
  secret: [['fetch', '{proxy}', 'GET', '{scheme}://{bound}/{client}', 'Authorization: Bearer %TOKEN%', '-', '-']],
  // A question about the allowed name's host part, written by hand: the resolver answers whatever is asked.
  udp: [['udp', '127.0.0.1', '53', '\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x04test\\x00\\x00\\x01\\x00\\x01']],
  name: [['name', '{allowed}']],
  call: [['call', 'fork']],
}

/** Entries like a probe's, to be tried with them. */
export function controlsFor(probes: readonly Probe[]): readonly Pick<Probe, 'id' | 'try'>[] {
  const wanted = new Set(probes.map((probe) => probe.control))
  return Object.entries(tries).flatMap(([name, list]) => (wanted.has(name) ? [{ id: `control-${name}`, try: list }] : []))
}

export function isControl(name: string): boolean {
  return Object.hasOwn(tries, name)
}

export interface ControlSight {
  readonly said: readonly Said[]
  /** What lies in control.txt. */
  readonly text: string
  /** What the listener of the allowed name was sent. */
  readonly allowed: string
  /** What the listener of the control's bound name was sent. */
  readonly bound: string
  /** The value of the proof's own secret. */
  readonly secret: string
  /** Whether a file that a client should have written is there, seen from outside. */
  readonly written: (control: 'write' | 'plant', client: Client) => boolean
}

/** Whether the control worked for this client. Controls that only other clients know hold for the one that was heard at all. */
export function controlWorked(name: string, client: Client, { said, text, allowed, bound, secret, written }: ControlSight): boolean {
  const own = said.find((one) => one.probe === `control-${name}` && one.client === client)
  if (own?.outcome !== 'done') return false
  if (name === 'read') return own.text.includes(text)
  if (name === 'write' || name === 'plant') return written(name, client)
  if (name === 'tcp') return allowed.includes(`/${client} HTTP/1.1`)
  if (name === 'fetch') return allowed.includes(`/fetch-${client} HTTP/1.1`)
  if (name === 'secret') return new RegExp(`GET /${client} HTTP/1\\.1[^]*?Bearer ${secret}`).test(bound)
  if (name === 'udp' || name === 'name') return own.text !== ''
  return name !== 'run' || own.text === 'working'
}
