// Gateway, tls: one X.509 certificate (RFC 5280), as strict verifiers want it. authority.ts decides what it says.
// Own code: the library for it costs a start 75 to 110 ms and 21 packages (docs/dependencies.md), this 1 ms; node:crypto makes keys and signatures.
import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto'
import { bits, explicit, implicit, integer, octets, oid, sequence, set, time, utf8, yes } from './der.ts'

export interface CertificateInput {
  /** Common name; undefined where the name stands as alternative name only. */
  readonly subject: string | undefined
  readonly issuer: string
  readonly key: KeyObject
  readonly signingKey: KeyObject
  /** Public key of the issuer; the same as `key` where it signs itself. */
  readonly issuerKey: KeyObject
  readonly from: Date
  readonly until: Date
  /** A server of this name, or an authority for servers alone. */
  readonly use: { readonly kind: 'authority' } | { readonly kind: 'server'; readonly host: string }
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

/** PEM. All keys are P-256. */
export function makeCertificate(input: CertificateInput): string {
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(serialNumber()),
    ecdsaWithSha256,
    name(input.issuer),
    sequence(time(input.from), time(input.until)),
    name(input.subject),
    input.key.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions(input))),
  )
  const signature = sign('sha256', body, { key: input.signingKey, dsaEncoding: 'der' })
  const lines =
    sequence(body, ecdsaWithSha256, bits(signature))
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** 127 random bits, positive, of one length (CA/Browser Forum asks for 64). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes
}

function name(commonName: string | undefined): Buffer {
  const parts = [set(sequence(oid('2.5.4.10'), utf8('anchorhold')))]
  if (commonName !== undefined) parts.push(set(sequence(oid('2.5.4.3'), utf8(commonName))))
  return sequence(...parts)
}

function extensions({ use, key, issuerKey }: CertificateInput): readonly Buffer[] {
  const identifiers = [
    extension('2.5.29.14', octets(identifierOf(key))),
    extension('2.5.29.35', sequence(implicit(0, identifierOf(issuerKey)))),
  ]
  if (use.kind === 'authority')
    return [
      critical('2.5.29.19', sequence(yes, integer(Buffer.from([0])))), // an authority, none below it
      critical('2.5.29.15', bits(Buffer.from([0x06]), 1)), // signs certificates and revocations
      extension('2.5.29.37', sequence(serverAuth)),
      ...identifiers,
    ]
  return [
    critical('2.5.29.19', sequence()),
    critical('2.5.29.15', bits(Buffer.from([0x80]), 7)), // digital signature
    extension('2.5.29.37', sequence(serverAuth)),
    extension('2.5.29.17', sequence(implicit(2, Buffer.from(use.host, 'latin1')))),
    ...identifiers,
  ]
}

const serverAuth = oid('1.3.6.1.5.5.7.3.1')

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), octets(value))
}

function critical(id: string, value: Buffer): Buffer {
  return sequence(oid(id), yes, octets(value))
}

/** SHA-1 over the bits of the public key (RFC 5280 4.2.1.2); an identifier, no security rests on it. For P-256 these are the last 65 bytes. */
function identifierOf(key: KeyObject): Buffer {
  const info = key.export({ type: 'spki', format: 'der' })
  return createHash('sha1')
    .update(info.subarray(info.length - 65))
    .digest()
}
