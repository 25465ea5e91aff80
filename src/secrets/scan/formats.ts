// Secrets, scan: text that is shaped like a credential, by secretlint's rules (a kept rule set) and a few of our own. Loaded only where something is scanned.
import { lintSource } from '@secretlint/core'
import { rules } from '@secretlint/secretlint-rule-preset-recommend'
import type { Finding } from './finding.ts'

const id = '@secretlint/secretlint-rule-'
/**
 * Each rule of the preset by itself, but for the one that lets comments in a text switch others off: what the agent writes must not decide
 * what is looked for. Ids of AWS keys are looked for as well.
 */
const config = {
  rules: rules
    .filter(({ meta }) => meta.id !== `${id}filter-comments`)
    .map((rule) => ({ id: rule.meta.id, rule, ...(rule.meta.id === `${id}aws` ? { options: { enableIDScanRule: true } } : {}) })),
}
/** Text is looked at in pieces, so that one long file costs bounded memory; a credential is far shorter than the overlap. */
const piece = 1_048_576
const overlap = 16_384
/** A longer line is no text that anybody reads, and rules take long over it: it is broken here. */
const longestLine = 65_536

/** What the preset has no rule for. Bounded repetitions: linear on any text. */
const own: readonly (readonly [name: string, shape: RegExp])[] = [
  ['Anthropic login token', /\bsk-ant-(?:oat|ort|sid|admin)\d{2}-[\w-]{20,256}/g],
  ['private key', /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\\n]{0,6}[A-Za-z0-9+/=]{20}/g],
  ['PyPI token', /\bpypi-[A-Za-z0-9_-]{50,512}/g],
  ['Google API key', /\bAIza[\w-]{35}\b/g],
  ['Stripe key', /\b[rs]k_live_[A-Za-z0-9]{20,255}/g],
  ['AWS temporary access key', /\bASIA[A-Z2-7]{16}\b/g],
  ['crates.io token', /\bcio[A-Za-z0-9]{32}\b/g],
]

/** Findings in one text, in order. `name` (a file's) helps some rules. Comments in the text that switch rules off count for nothing. */
export async function findFormats(text: string, name: string): Promise<readonly Finding[]> {
  const found = new Map<string, Finding>()
  let line = 1
  for (let at = 0; at < text.length; at += piece - overlap) {
    const part = text.slice(at, at + piece)
    const ruled = await linted(part, name)
    const lines = new Set(ruled.map((finding) => finding.line))
    for (const finding of [...ruled, ...shaped(part).filter((other) => !lines.has(other.line))]) {
      const placed = { ...finding, line: finding.line + line - 1 }
      const key = `${placed.line}:${placed.column}`
      if (!found.has(key)) found.set(key, placed)
    }
    if (at + piece >= text.length) break
    for (let end = part.indexOf('\n'); end >= 0 && end < piece - overlap; end = part.indexOf('\n', end + 1)) line += 1
  }
  return [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column)
}

async function linted(text: string, name: string): Promise<readonly Finding[]> {
  const content = text.replace(new RegExp(`[^\\n]{${longestLine}}`, 'g'), '$&\n')
  const { messages } = await lintSource({
    source: { filePath: name, content, ext: /\.[^./]*$/.exec(name)?.[0] ?? '', contentType: 'text' },
    options: {
      noPhysicFilePath: true,
      maskSecrets: true,
      config,
    },
  })
  return messages.map((message) => ({
    kind: 'format',
    name: message.message.replace(/^found /i, '').replace(/\s*[:(].*$/s, ''),
    line: message.loc.start.line,
    column: message.loc.start.column + 1,
  }))
}

function shaped(text: string): readonly Finding[] {
  return own.flatMap(([name, shape]) =>
    [...text.matchAll(shape)].map(({ index }): Finding => {
      const before = text.slice(0, index)
      return { kind: 'format', name, line: before.split('\n').length, column: index - before.lastIndexOf('\n') }
    }),
  )
}
