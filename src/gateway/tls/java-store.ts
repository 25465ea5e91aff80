// Gateway, tls: a key store that a JVM takes for its `cacerts`: certificates only, in the format JKS, which every Java reads. Pure.
import { createHash } from 'node:crypto'

/** What every `cacerts` is protected with; it keeps nothing secret, and a JVM does not ask for it to read certificates. */
const password = 'changeit'

/** `certificates`: PEM texts, each with any number of certificates. */
export function javaStore(certificates: string): Buffer {
  const list = [...certificates.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)].map(([, base64 = '']) =>
    Buffer.from(base64, 'base64'),
  )
  const entries = list.flatMap((certificate, index) => [
    number(2), // a trusted certificate
    text(`authority-${index}`),
    Buffer.alloc(8), // its date, which nobody reads
    text('X.509'),
    number(certificate.length),
    certificate,
  ])
  const content = Buffer.concat([number(0xfeedfeed), number(2), number(list.length), ...entries])
  const seal = createHash('sha1').update(Buffer.from(password, 'utf16le').swap16()).update('Mighty Aphrodite').update(content).digest()
  return Buffer.concat([content, seal])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}
