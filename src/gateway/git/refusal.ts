// Gateway, git: a refused push answered in git's own words (gitprotocol-pack, "Report Status"), so that git shows the reason. Pure.
import type { Refusal } from '../context.ts'
import type { RefUpdate } from './receive-pack.ts'

/** The longest line in a packet, and what one side-band packet takes (gitprotocol-common). */
const longestLine = 900
const reportChannel = 1
const messageChannel = 2

/** Undefined where the client asked for no report: then HTTP has to say it. */
export function pushRefusal(updates: readonly RefUpdate[], capabilities: readonly string[], refusal: Refusal): Buffer | undefined {
  if (!capabilities.includes('report-status') && !capabilities.includes('report-status-v2')) return undefined
  const line = (text: string): Buffer => packet(Buffer.from(`${text.slice(0, longestLine)}\n`))
  const report = Buffer.concat([
    line(`unpack anchorhold refused the push (${refusal.code})`),
    ...updates.map(({ ref }) => line(`ng ${ref} anchorhold: ${refusal.code}`)),
    Buffer.from('0000'),
  ])
  if (!capabilities.includes('side-band-64k')) return report
  const message = [`anchorhold refused this push (${refusal.code}): ${refusal.reason}.`]
  if (refusal.remedy !== undefined) message.push(`To allow it: ${refusal.remedy}`)
  const pieces = [banded(messageChannel, Buffer.from(`${message.map((text) => text.slice(0, longestLine)).join('\n')}\n`))]
  for (let at = 0; at < report.length; at += 60_000) pieces.push(banded(reportChannel, report.subarray(at, at + 60_000)))
  return Buffer.concat([...pieces, Buffer.from('0000')])
}

function banded(channel: number, bytes: Buffer): Buffer {
  return packet(Buffer.concat([Buffer.from([channel]), bytes]))
}

function packet(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}
