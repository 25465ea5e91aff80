// Loading `node:crypto` costs 3 ms, `node:fs/promises` one (it brings readline): a start that needs neither should not pay. Built-in modules that
// not every start needs are asked for where they are used, which for one that is loaded already takes a microsecond. A step of bundle.ts.

const late = [
  'crypto',
  'dns',
  'dns/promises',
  'fs/promises',
  'http',
  'http2',
  'https',
  'readline/promises',
  'timers/promises',
  'tls',
  'url',
  'zlib',
]

/** `code` (CommonJS as rolldown writes it) with `node_crypto.hash(…)` turned into `require("node:crypto").hash(…)`, and so on. */
export function whenNeeded(code: string): string {
  let result = code
  for (const name of late) {
    const variable = `node_${name.replace('/', '_')}`
    const load = `require("node:${name}")`
    // A default import is wrapped by an assignment of its own, and stays as it is.
    if (!result.includes(`${variable}=${load}`) || new RegExp(`[;,{}]${variable}=(?!require\\("node)`).test(result)) continue
    const declared = new RegExp(`(let )?${variable}=${load.replace(/[().]/g, '\\$&')}([,;])`)
    result = result.replace(declared, (_whole, start: string | undefined, end: string) =>
      start === undefined ? (end === ',' ? '' : `${variable};`) : end === ',' ? 'let ' : '',
    )
    if (new RegExp(`\\b${variable}\\b(?![.;])`).test(result)) throw new Error(`bundle: ${variable} is used in a way that is not understood`)
    result = result.replaceAll(new RegExp(`\\b${variable}\\.`, 'g'), `${load}.`)
  }
  return result
}
