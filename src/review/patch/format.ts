// Which hash a repository names its objects by. Read from the real repository's own configuration, which the agent could not write.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseGitConfig } from '../../workspace/git-config.ts'
import type { ObjectFormat } from './patch.ts'

export function objectFormatOf(project: string): ObjectFormat {
  try {
    const { entries } = parseGitConfig(readFileSync(path.join(project, '.git', 'config'), 'latin1'))
    return entries.some(({ key, value }) => key === 'extensions.objectformat' && value === 'sha256') ? 'sha256' : 'sha1'
  } catch (error) {
    if (error instanceof Error && 'code' in error) return 'sha1' // no repository: any hash will do
    throw error
  }
}
