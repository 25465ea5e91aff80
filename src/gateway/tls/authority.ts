// Gateway, tls: the session's own certificate authority. Its key is made here, never written or told, and gone with the process.
// Made by run.ts where the session has a reason to end TLS; end.ts asks it for a context per host.
import { generateKeyPairSync, randomBytes, constants, type KeyObject } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { makeCertificate } from './certificate.ts'

export interface Authority {
  /** PEM of the certificate that the cell trusts; no secret. */
  readonly certificate: string
  /** What shows this host a certificate of its own. One for each name, so that nothing resumed under one name serves another. */
  contextFor(host: string): SecureContext
}

const day = 86_400_000
/** The authority outlives any session; what it signs is made anew when it gets old. */
const authorityDays = 365
const leafDays = 30
const keptContexts = 512

export function makeAuthority(now: () => number = Date.now): Authority {
  const keys = pair()
  const subject = `anchorhold session ${randomBytes(6).toString('hex')}`
  const started = now()
  const sign = (of: KeyObject, days: number, rest: Pick<Parameters<typeof makeCertificate>[0], 'subject' | 'use'>): string =>
    makeCertificate({
      ...rest,
      issuer: subject,
      key: of,
      issuerKey: keys.publicKey,
      signingKey: keys.privateKey,
      from: new Date(started - day), // a container's clock may be behind
      until: new Date(now() + days * day),
    })
  const contexts = new Map<string, { readonly context: SecureContext; readonly until: number }>()
  return {
    certificate: sign(keys.publicKey, authorityDays, { subject, use: { kind: 'authority' } }),
    contextFor(host) {
      const known = contexts.get(host)
      if (known !== undefined && known.until > now()) return known.context
      const leaf = pair()
      const common = host.length <= 64 ? host : undefined // the longest that RFC 5280 allows
      const certificate = sign(leaf.publicKey, leafDays, { subject: common, use: { kind: 'server', host } })
      const context = createSecureContext({
        cert: certificate,
        key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }),
        minVersion: 'TLSv1.2',
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      })
      contexts.delete(host)
      if (contexts.size >= keptContexts) contexts.delete(contexts.keys().next().value ?? host)
      contexts.set(host, { context, until: now() + (leafDays - 1) * day })
      return context
    },
  }
}

function pair(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}
