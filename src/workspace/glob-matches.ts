// How a glob of a policy is compared with a path, where the scout (native) is not asked. Pure.
import path from 'node:path'

/** As in .gitignore, without regard to case: a rule for a folder holds for what lies in it. A leading slash means the root's own. */
export function globMatches(glob: string, relative: string): boolean {
  const pattern = (glob.startsWith('/') ? glob.slice(1) : glob).replace(/^(?:\*\*\/)+/, '').toLowerCase()
  const parts = relative.toLowerCase().split('/')
  const starts = glob.startsWith('/') ? [0] : parts.keys()
  for (const start of starts) {
    for (let end = start + 1; end <= parts.length; end++)
      if (path.posix.matchesGlob(parts.slice(start, end).join('/'), pattern)) return true
  }
  return false
}

/** Whether a glob names this very path; what lies below a folder that it names is not asked about. For walks, which come by the folder itself. */
export function globNames(glob: string, relative: string): boolean {
  const pattern = glob
    .replace(/^\//, '')
    .replace(/^(?:\*\*\/)+/, '')
    .replace(/\/+$/, '')
    .toLowerCase()
  const asked = relative.toLowerCase()
  if (glob.startsWith('/')) return path.posix.matchesGlob(asked, pattern)
  const parts = asked.split('/')
  if (!pattern.includes('/')) return path.posix.matchesGlob(parts.at(-1) ?? '', pattern)
  return parts.some((_, start) => path.posix.matchesGlob(parts.slice(start).join('/'), pattern))
}
