// Gateway, steps, inject: a server may send back what it was sent. Values are taken out of its answer and placeholders stand in their place.
import { Duplex, type Transform } from 'node:stream'
import type { HeldSecret } from '../../../model/secret.ts'
import { soughtFor, type Sought } from '../../../secrets/forms.ts'
import type { Field, Watch } from '../step.ts'
import { makeScrubber, type Scrubber } from './scrub.ts'

/** `onFound` is told whose value it was, once for each answer. */
export function watchForEchoes(secrets: readonly HeldSecret[], onFound: (secret: HeldSecret) => void): Watch {
  const told = new Set<HeldSecret>()
  const tell = (secret: HeldSecret): void => {
    if (told.has(secret)) return
    told.add(secret)
    onFound(secret)
  }
  return {
    head(head) {
      const wanted = secrets.map((secret) => ({
        secret,
        sought: soughtFor(secret),
        scrubber: makeScrubber(soughtFor(secret), () => tell(secret)),
      }))
      const codings = codingsOf(head.fields)
      const fields = head.fields
        .filter(([name]) => !(codings.length > 0 && name.toLowerCase() === 'content-encoding'))
        .flatMap((field) => cleanField(field, wanted))
      return { fields, through: throughOf(codings, wanted, tell) }
    },
  }
}

interface Wanted {
  readonly secret: HeldSecret
  readonly sought: Sought
  /** For fields, one after the other. */
  readonly scrubber: Scrubber
}
type Tell = (secret: HeldSecret) => void

/** A session that a server begins would be a credential that the cell holds itself: cookies stay outside (attacks.md PRX-32, SEC-14). */
const dropped = /^set-cookie2?$/i

function cleanField([name, value]: Field, wanted: readonly Wanted[]): readonly Field[] {
  if (dropped.test(name) && !wanted.some(({ secret }) => secret.rule.pass?.includes('cookie') === true)) return []
  let clean = value
  const lower = name.toLowerCase()
  for (const { sought, scrubber } of wanted) {
    if (sought.needles.some(({ find }) => lower.includes(find.toLowerCase()))) return []
    clean = scrubber.push(Buffer.from(clean, 'latin1')).toString('latin1') + scrubber.end().toString('latin1')
  }
  return [[name, clean]]
}

function throughOf(codings: readonly string[], wanted: readonly Wanted[], tell: Tell): Duplex {
  const scrubbers = wanted.map(({ secret, sought }) => makeScrubber(sought, () => tell(secret)))
  const clean = (piece: Buffer): Buffer => scrubbers.reduce((bytes, scrubber) => (bytes.length === 0 ? bytes : scrubber.push(bytes)), piece)
  const last = (): Buffer => scrubbers.reduce((bytes, scrubber) => Buffer.concat([scrubber.push(bytes), scrubber.end()]), Buffer.alloc(0))
  return bridge(codings.map(decoderOf).toReversed(), clean, last)
}

/** In the order in which they were applied (RFC 9110 8.4). We ask for none; what comes all the same is taken off, or the answer ends. */
function codingsOf(fields: readonly Field[]): readonly string[] {
  const named = fields.filter(([name]) => name.toLowerCase() === 'content-encoding').flatMap(([, value]) => value.toLowerCase().split(','))
  return named.map((coding) => coding.trim()).filter((coding) => coding !== '' && coding !== 'identity')
}

function decoderOf(coding: string): Transform {
  const zlib = process.getBuiltinModule('node:zlib') // few answers need it
  if (coding === 'gzip' || coding === 'x-gzip') return zlib.createGunzip()
  if (coding === 'deflate') return zlib.createInflate()
  if (coding === 'br') return zlib.createBrotliDecompress()
  if (coding === 'zstd') return zlib.createZstdDecompress()
  throw new Error('an answer in a coding that cannot be searched')
}

/** One stream of the decoders and the search: written to at one end, read at the other, each only as fast as the next. */
function bridge(decoders: readonly Transform[], clean: (piece: Buffer) => Buffer, last: () => Buffer): Duplex {
  const [first, ...rest] = decoders
  if (first === undefined) {
    let ready: (() => void) | undefined
    const go = (): void => {
      ready?.()
      ready = undefined
    }
    const plain: Duplex = new Duplex({
      read: go,
      write(piece: Buffer, _encoding, done) {
        const bytes = clean(piece)
        if (bytes.length === 0 || plain.push(bytes)) done()
        else ready = done
      },
      final(done) {
        const bytes = last()
        if (bytes.length > 0) plain.push(bytes)
        plain.push(null)
        done()
      },
    })
    return plain
  }
  const end = rest.reduce((from, to) => from.pipe(to), first)
  const decoded: Duplex = new Duplex({
    read: () => void end.resume(),
    write: (piece: Buffer, _encoding, done) => void first.write(piece, done),
    final: (done) => void first.end(done),
    destroy(error, done) {
      for (const decoder of decoders) decoder.destroy()
      done(error)
    },
  })
  for (const decoder of decoders) decoder.on('error', () => decoded.destroy(new Error('an answer that is not in the coding it names')))
  end.on('data', (piece: Buffer) => {
    const bytes = clean(piece)
    if (bytes.length > 0 && !decoded.push(bytes)) end.pause()
  })
  end.on('end', () => {
    const bytes = last()
    if (bytes.length > 0) decoded.push(bytes)
    decoded.push(null)
  })
  return decoded
}
