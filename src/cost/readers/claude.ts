// Claude Code: JSONL below `projects`, one file per session, subagents in folders beside it.
import path from 'node:path'
import { ClaudeLines, ClaudeScan } from '../claude/lines.ts'
import { claudeWork } from '../claude/work.ts'
import { cellHomes } from '../cell-homes.ts'
import type { Places, Reader, Root, Scan } from '../reader.ts'

const shared = new WeakMap<Scan, ClaudeScan>()

export const claude: Reader = {
  agent: 'claude',
  roots,
  isLog: (relative) => relative.endsWith('.jsonl') && relative.includes('/'),
  sessionOf,
  open(file, scan) {
    const parts = shared.get(scan) ?? new ClaudeScan(scan)
    shared.set(scan, parts)
    return new ClaudeLines(parts, file, sessionOf(file.relative) ?? file.relative)
  },
  workIn: claudeWork,
}

/** `FOLDER/SESSION.jsonl`, `FOLDER/SESSION/subagents/…/agent-ID.jsonl`; older versions: `FOLDER/agent-ID.jsonl`. */
function sessionOf(relative: string): string | undefined {
  const [, second, ...rest] = relative.split('/')
  return rest.length === 0 ? second?.replace(/\.jsonl$/, '') : second
}

/** `CLAUDE_CONFIG_DIR` (one folder or several, or the `projects` folder itself), else both of its usual places; and every cell's home. */
function roots({ env, home, cells }: Places): readonly Root[] {
  const named = (env['CLAUDE_CONFIG_DIR'] ?? '').split(',').filter((folder) => folder.trim() !== '')
  const bases =
    named.length > 0
      ? named.map((folder) => path.resolve(folder.trim()))
      : [path.join(home, '.claude'), path.join(home, '.config', 'claude')]
  const own = bases.map((folder) => ({
    folder: path.basename(folder) === 'projects' ? folder : path.join(folder, 'projects'),
    untrusted: false,
  }))
  return [...own, ...cellHomes(cells).map((folder) => ({ folder: path.join(folder, '.claude', 'projects'), untrusted: true }))]
}
