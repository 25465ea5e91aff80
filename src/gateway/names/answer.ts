// Gateway, names: one DNS query to one answer. Nothing is ever asked outside here, so a name can carry nothing out. Called by serve.ts.
import packet from 'dns-packet'
import { judgeName } from '../../policy/judge.ts'
import { tryCanonicalHost } from '../../policy/host-name.ts'
import { printable } from '../printable.ts'
import type { GatewayContext } from '../context.ts'

const rcode = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4, refused: 5 }

/** One question, and its name is the root: what the self-test of every run asks (model/plan.ts, Preflight 'resolver'), so at no cost. */
function asksForRoot(bytes: Buffer): boolean {
  return bytes.length >= 17 && (bytes.readUInt16BE(2) & 0xf800) === 0 && bytes.readUInt16BE(4) === 1 && bytes[12] === 0
}

/** Header and question sent back as a response without records: no such name (RFC 1035 4.1.1). */
function noRoot(bytes: Buffer): Buffer {
  const answer = Buffer.from(bytes.subarray(0, 17))
  answer.writeUInt16BE((bytes.readUInt16BE(2) & 0x0100) | 0x8080 | rcode.noSuchName, 2)
  answer.fill(0, 6, 12)
  return answer
}

/**
 * The answer to one query, or undefined for what is no query (dropped). Allowed names have an A record and nothing else: no AAAA, and no
 * HTTPS or SVCB, which would carry keys for an encrypted server name (RFC 9460). All others do not exist.
 */
export function answerQuery(context: GatewayContext, bytes: Buffer): Buffer | undefined {
  if (asksForRoot(bytes)) return noRoot(bytes)
  const query = decode(bytes)
  if (query === undefined || query.type !== 'query') return undefined
  const opcode = (bytes.readUInt16BE(2) >> 11) & 15
  if (opcode !== 0) return encode(query, rcode.notImplemented)
  const question = query.questions?.[0]
  if (question === undefined || query.questions?.length !== 1) return encode(query, rcode.formatError)
  if (question.class !== undefined && question.class !== 'IN') return encode(query, rcode.refused)
  const wantsAddress = question.type === 'A' || (question.type as string) === 'ANY'
  const lower = question.name.toLowerCase()
  if (lower === 'localhost' || lower.endsWith('.localhost')) return encode(query, rcode.ok, wantsAddress ? '127.0.0.1' : undefined)
  // Reverse look-ups are what programs do for their logs: no such name, and no line in the journal.
  if (lower.endsWith('.in-addr.arpa') || lower.endsWith('.ip6.arpa')) return encode(query, rcode.noSuchName)
  const name = tryCanonicalHost(question.name)
  if (!name.ok) {
    context.ledger.refused({ host: printable(question.name), port: 0, how: 'dns' }, { code: name.code, reason: name.reason })
    return encode(query, rcode.noSuchName)
  }
  const verdict = judgeName(context.network, name.host)
  if (verdict.effect !== 'allow') {
    context.ledger.refused({ host: name.host, port: 0, how: 'dns' }, verdict)
    return encode(query, rcode.noSuchName)
  }
  if (!wantsAddress) return encode(query, rcode.ok)
  const address = context.names.addressOf(name.host)
  if (address !== undefined) return encode(query, rcode.ok, address, context.settings.dnsTtlSeconds)
  context.ledger.refused(
    { host: name.host, port: 0, how: 'dns' },
    { code: 'too-many-names', reason: 'every synthetic address of this session is taken' },
  )
  return encode(query, rcode.serverFailure)
}

function decode(bytes: Buffer): packet.DecodedPacket | undefined {
  if (bytes.length < 12) return undefined
  try {
    return packet.decode(bytes)
  } catch (error) {
    if (error instanceof Error) return undefined // not DNS; nobody is owed an answer
    throw error
  }
}

function encode(query: packet.DecodedPacket, code: number, address?: string, ttl = 3600): Buffer | undefined {
  const questions = query.questions?.slice(0, 1) ?? []
  const name = questions[0]?.name ?? '.'
  const asksEdns = query.additionals?.some((record) => record.type === 'OPT') === true
  try {
    return packet.encode({
      type: 'response',
      id: query.id ?? 0,
      flags: packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | code,
      questions,
      answers: address === undefined ? [] : [{ type: 'A', class: 'IN', name, ttl, data: address }],
      additionals: asksEdns
        ? [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }]
        : [],
    })
  } catch (error) {
    if (error instanceof Error) return undefined // a name that cannot be written back (an empty label) is dropped
    throw error
  }
}
