// Gateway, steps: keys that two JSON readers would take in two ways. Used by graphql.ts on text that JSON.parse took. Pure.

/** Whether an object anywhere in the text has one key twice: escapes undone. */
export function repeatedKey(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  // Strings, and the marks that open, close and name; in valid JSON nothing else needs to be looked at.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:[ \t\n\r]*:)?|[{}[\]]/gs)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token.endsWith(':')) {
      const key = JSON.parse(token.replace(/[ \t\n\r]*:$/, '')) as string
      const keys = open.at(-1)
      if (keys === undefined || keys.has(key)) return true
      keys.add(key)
    }
  }
  return false
}
