// Where this run ends TLS: the session's authority is made, and the files that make its cell trust it. Loaded only by such runs.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { rootCertificates } from 'node:tls'
import { makeAuthority } from '../gateway/tls/authority.ts'
import { javaStore } from '../gateway/tls/java-store.ts'
import { makeEnding, type Ending } from '../gateway/tls/serve.ts'
import { findTrustStores } from '../host/trust-stores.ts'
import type { Trust } from '../plan/trust.ts'

export interface OpenedTrust extends Disposable {
  readonly ending: Ending
  readonly trust: Trust
}

/** Where the bundle lies inside when the machine has none. */
const usualPlace = '/etc/ssl/certs/ca-certificates.crt'

/** Writes certificates only (mode 0444 below the session's 0700): the authority's key stays in this process. Disposing takes the files away. */
export function openTrust(input: {
  readonly sessionFolder: string
  readonly caBundle: string | undefined
  readonly javaHome: string | undefined
}): OpenedTrust {
  const folder = path.join(input.sessionFolder, 'trust')
  mkdirSync(folder, { mode: 0o700 })
  const stores = findTrustStores(input.caBundle, input.javaHome)
  const authority = makeAuthority()
  const own = stores.authorities === '' ? `${rootCertificates.join('\n')}\n` : stores.authorities.replace(/\n?$/, '\n')
  const bundle = path.join(folder, 'ca-certificates.crt')
  const text = `${own}${authority.certificate}`
  writeFileSync(bundle, text, { flag: 'wx', mode: 0o444 })
  const java = path.join(folder, 'cacerts')
  if (stores.java.length > 0) writeFileSync(java, javaStore(text), { flag: 'wx', mode: 0o444 })
  const place = input.caBundle ?? usualPlace
  return {
    ending: makeEnding(authority),
    trust: {
      bundle: { file: bundle, over: stores.pem.length > 0 ? stores.pem : [place] },
      ...(stores.java.length > 0 ? { java: { file: java, over: stores.java } } : {}),
      path: place,
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
