// Proof: a project made for it, with the files that a host obeys, for the attempts that write where a run may write.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { capture, cleanEnv } from '../host/process.ts'

/** In it from the start; the value must be there afterwards. */
const files: Readonly<Record<string, string>> = {
  'README.md': '# stand-in\n',
  '.vscode/settings.json': '{}\n',
  '.envrc': 'true\n',
  '.mcp.json': '{}\n',
  '.claude/settings.json': '{}\n',
  'anchorhold.yaml': 'workspace: { mode: live }\n',
  '.env': 'KEY={canary}\n',
}

/** Makes it below `root`; without git on the host it is a folder as any. */
export async function makeStandIn(root: string, canary: string): Promise<string> {
  // Obeyed by whoever asks git about this project; what it makes is the witness.
  const mark = path.join(root, 'temp', 'git-was-asked')
  const project = path.join(root, 'stand-in')
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(project, name)), { recursive: true })
    writeFileSync(path.join(project, name), text.replace('{canary}', canary))
  }
  const env = { ...cleanEnv(), GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }
  const obeyed = path.join(project, 'obeyed')
  mkdirSync(obeyed)
  writeFileSync(path.join(obeyed, 'file'), 'a file\n')
  for (const cwd of [project, obeyed]) {
    await capture(['git', 'init', '-q', '-b', 'main'], { cwd, env })
    await capture(['git', 'add', cwd === project ? 'README.md' : 'file'], { cwd, env })
  }
  await capture(['git', 'config', 'core.fsmonitor', `touch '${mark}' #`], { cwd: obeyed, env })
  mkdirSync(path.join(project, '.git', 'hooks'), { recursive: true })
  writeFileSync(path.join(project, '.git', 'hooks', 'pre-commit'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  // What is younger than a run by the kernel's coarse clock is taken for planted by it.
  await new Promise((resolve) => setTimeout(resolve, 100))
  return project
}
