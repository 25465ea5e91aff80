// A small bubblewrap cell from what an agent prepared, for asking the real agent how it takes it. No wall: the network is
// the host's, so that the stand-in is reached on loopback.
import { spawn } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { claude } from '../../src/agents/claude.ts'
import type { PermissionMode } from '../../src/model/policy.ts'
import type { Mount } from '../../src/model/plan.ts'
import { startStandin } from '../../src/standin/start.ts'
import type { Recorded } from '../../src/standin/request.ts'
import type { Script } from '../../src/standin/script.ts'
import { cachedClaude, claudeData } from './claude-cache.ts'

export interface Room extends Disposable {
  readonly project: string
  readonly hostHome: string
  readonly homeFolder: string
}

export function room(): Room {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'mini-cell-')))
  const [project, hostHome, homeFolder] = ['project', 'host-home', 'cell-home'].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
  ]
  for (const folder of [project, hostHome, homeFolder]) mkdirSync(folder)
  return { project, hostHome, homeFolder, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }) }
}

const plainArgs =
  '--ro-bind /usr /usr --ro-bind /etc/passwd /etc/passwd --proc /proc --dev /dev --tmpfs /tmp --unshare-user --uid 1000 --gid 1000 --unshare-pid --die-with-parent --new-session --clearenv'

export interface Play {
  readonly script: Script
  readonly mode: PermissionMode
  readonly args: readonly string[]
  readonly allow?: readonly string[]
  /** Gives it a terminal, and ends it once it asked for this many turns. */
  readonly untilTurns?: number
}
export interface Played {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly requests: readonly Recorded[]
}

export const key = 'sk-ant-placeholder-for-tests-0123456789'

/** Runs the real Claude Code to its end. */
export async function play({ project, hostHome, homeFolder }: Room, { script, mode, args, allow = [], untilTurns }: Play): Promise<Played> {
  await cachedClaude()
  await using standin = await startStandin({ script, apiKey: key })
  const prepared = await claude.prepare({
    hostEnv: { PATH: '', XDG_DATA_HOME: claudeData },
    hostHome,
    project,
    homeFolder,
    home: '/home/agent',
    mode,
    allow,
    args,
    env: { ANTHROPIC_API_KEY: key },
  })
  const files = mkdtempSync(path.join(path.dirname(homeFolder), 'files-'))
  const env: Readonly<Record<string, string>> = {
    ...prepared.env,
    HOME: '/home/agent',
    PATH: '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
    ANTHROPIC_BASE_URL: standin.url,
    ANTHROPIC_API_KEY: key,
  }
  const argv = [
    ...['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64'].flatMap((target) => ['--symlink', target, `/${target.slice(4)}`]),
    ...plainArgs.split(' '),
    '--bind',
    homeFolder,
    '/home/agent',
    '--bind',
    project,
    project,
    '--chdir',
    project,
    ...prepared.mounts.flatMap((mount, index) => mountArgs(mount, path.join(files, String(index)))),
    ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
  ]
  const command = ['bwrap', ...argv, '--', ...prepared.argv]
  const child =
    untilTurns === undefined
      ? spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
      : spawn('script', ['-qfc', onTerminal(command, files), '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] })
  const ends = setInterval(() => {
    if (untilTurns !== undefined && standin.requests.filter(({ kind }) => kind === 'turn').length >= untilTurns) child.kill()
  }, 100)
  const limit = setTimeout(() => child.kill(), 30_000)
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve(status ?? -1))
  })
  clearInterval(ends)
  clearTimeout(limit)
  return { code, ...output, requests: standin.requests }
}

/** A file that `script` can start: its own command line is a string. */
function onTerminal(command: readonly string[], folder: string): string {
  const file = path.join(folder, 'start.sh')
  const words = command.filter((word) => word !== '--new-session').map((word) => `'${word.replaceAll("'", "'\\''")}'`)
  writeFileSync(file, `stty rows 40 cols 120\nexec ${words.join(' ')}\n`)
  return `sh ${file}`
}

function mountArgs(mount: Mount, file: string): readonly string[] {
  switch (mount.kind) {
    case 'bind':
      return [mount.mode === 'ro' ? '--ro-bind' : '--bind', mount.from, mount.to]
    case 'dir':
      return ['--dir', mount.to]
    case 'file':
      writeFileSync(file, mount.content)
      return ['--ro-bind', file, mount.to]
    case 'overlay':
      throw new Error('a review needs the real engine')
    case 'symlink':
      return ['--symlink', mount.target, mount.to]
    case 'tmpfs':
    default:
      return ['--tmpfs', mount.to]
  }
}
