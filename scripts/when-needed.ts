// Loading `node:crypto` costs 3 ms, `node:fs/promises` one (it brings readline), `node:tty` 8 (it brings streams and the network): a start that needs neither should not pay. Built-in modules that
// not every start needs are asked for where they are used, which for one that is loaded already takes a microsecond. A step of bundle.ts.

const late = [
  'crypto',
  'dns',
  'dns/promises',
  'fs/promises',
  'http',
  'http2',
  'https',
  'os',
  'readline/promises',
  'timers/promises',
  'tls',
  'tty',
  'url',
  'zlib',
]

/** `code` (CommonJS as rolldown writes it) with `node_crypto.hash(…)` turned into `require("node:crypto").hash(…)`, and so on. */
export function whenNeeded(code: string): string {
  let result = withoutWrappers(code)
  for (const name of late) {
    const variable = `node_${name.replace('/', '_')}`
    const load = `require("node:${name}")`
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

/** `import fs from 'node:fs'` would copy every member of the module to a wrapper, half a millisecond in all: its default export is the module itself. */
function withoutWrappers(code: string): string {
  const wrapped = /\b(node_\w+)=require_rolldown_runtime\.\w+\(\1,1\);/g
  const names = new Set([...code.matchAll(wrapped)].map(([, name = '']) => name))
  return [...names].reduce((text, name) => text.replaceAll(new RegExp(`\\b${name}\\.default\\b`, 'g'), name), code.replaceAll(wrapped, ''))
}
