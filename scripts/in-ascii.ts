// A file with one character outside of Latin-1 is kept by V8 with two bytes for each: twice the memory, and a millisecond more for each start to read
// and check it. A step of bundle.ts.

/** `code` with every character beyond ASCII as an escape. They stand in texts, templates and expressions, where that is the same. */
export function inAscii(code: string): string {
  if (/String\.raw`[^`]*[^\0-\x7f]/.test(code)) throw new Error('bundle: a raw template holds a character that would need an escape')
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
