// Gateway, dial: what a name resolved to is judged before it is dialled. Pure.
import { addressKeys, classifyAddress } from '../../policy/addresses.ts'
import type { CanonicalHost } from '../../model/policy.ts'
import type { Refusal } from '../context.ts'

/** Where company mirrors lie. Never the machine itself, a link or a cloud's metadata, whatever names them. */
const network: ReadonlySet<string> = new Set(['private', 'shared', 'documentation', 'benchmarking'])

/**
 * Undefined when every address is public and none is the host's own. One that is not spoils the whole answer: a resolver that mixes public and
 * private addresses is how rebinding works (attacks.md PRX-13, PRX-14). The address itself is not told to the cell. `mayBePrivate`: the machine's own set-up names the host.
 */
export function vetAddresses(
  host: CanonicalHost,
  addresses: readonly string[],
  own: ReadonlySet<string>,
  mayBePrivate = false,
): Refusal | undefined {
  const mine = new Set([...own].flatMap(addressKeys))
  for (const address of addresses) {
    const { kind, label } = classifyAddress(address)
    if (kind !== 'public' && !(mayBePrivate && network.has(kind))) return refuse(host, `${article(label)} address`)
    if (addressKeys(address).some((key) => mine.has(key))) return refuse(host, 'address of this machine itself')
  }
  return undefined
}

function refuse(host: CanonicalHost, what: string): Refusal {
  return {
    code: 'private-address',
    reason: `${host} resolved to ${what.startsWith('a') && !what.startsWith('address') ? what : `an ${what}`}`,
    remedy: `If you mean it, say where it is, in your own policy or for one run: anchorhold run --route ${host}:PORT=ADDRESS:PORT …`,
  }
}

function article(label: string): string {
  return `${/^[aeiou]/i.test(label) ? 'an' : 'a'} ${label}`
}
