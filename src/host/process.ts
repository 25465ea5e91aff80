// Runs a helper program to its end: argv only, no shell, a clean environment, bounded output and time.
import { spawn } from 'node:child_process'

export interface Captured {
  /** Exit code; 128+n after a signal; 127 when the program could not be started. */
  readonly code: number
  readonly stdout: string
  /** The same as it came: for what may be no text. */
  readonly bytes: Buffer
  readonly stderr: string
  readonly timedOut: boolean
}

export interface CaptureOptions {
  readonly cwd?: string
  /** The whole environment of the program (nothing is inherited). Default: PATH, HOME and LANG=C.UTF-8 of the caller. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  /** Default 10,000. */
  readonly timeoutMilliseconds?: number
  /** Default 16 MiB for each stream; more ends the program. */
  readonly maxBytes?: number
}

/** What a helper started by anchorhold may see of the caller's environment. */
export function cleanEnv(env: Readonly<Record<string, string | undefined>> = process.env): Record<string, string> {
  const clean: Record<string, string> = { LANG: 'C.UTF-8', PATH: systemPath }
  if (env['HOME'] !== undefined) clean['HOME'] = env['HOME']
  return clean
}

/** Helpers are looked up in system folders only, never in a project (attacks.md PER-31). */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Never rejects: a program that can't be started gives code 127 and the reason in stderr. */
export function capture(argv: readonly [string, ...string[]], options: CaptureOptions = {}): Promise<Captured> {
  const limit = options.maxBytes ?? 16 * 2 ** 20
  return new Promise((resolve) => {
    const [file, ...args] = argv
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? cleanEnv(),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const chunks: { out: Buffer[]; err: Buffer[] } = { out: [], err: [] }
    let bytes = 0
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
      // What it started may live on and hold the other ends.
      child.stdout.destroy()
      child.stderr.destroy()
    }, options.timeoutMilliseconds ?? 10_000)
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limit) child.kill('SIGKILL')
      else into.push(chunk)
    }
    child.stdout.on('data', collect(chunks.out))
    child.stderr.on('data', collect(chunks.err))
    child.stdin.on('error', () => undefined) // the program may end without reading its input
    child.stdin.end(options.input ?? '')
    const finish = (code: number, extra = '') => {
      clearTimeout(timer)
      const bytes = Buffer.concat(chunks.out)
      resolve({ code, stdout: bytes.toString(), bytes, stderr: Buffer.concat(chunks.err).toString() + extra, timedOut })
    }
    child.on('error', (error) => finish(127, error.message))
    child.on('close', (code, signal) => finish(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15)))
  })
}
