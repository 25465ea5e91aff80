// A real git server on loopback: `git http-backend` behind node:http, with Basic authentication. Bare repositories lie in its folder.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

export interface GitServer {
  readonly port: number
  readonly folder: string
  /** Every request as it came, with its password. */
  readonly seen: { readonly method: string; readonly url: string; readonly password: string | undefined }[]
  /** Makes a bare repository `NAME.git` with one commit on main; returns its folder. */
  make(name: string): string
}

export interface GitServerOptions {
  /** What the password must be; none: everybody may. */
  readonly password?: string
  /** Asked before each request with its whole body; a text is answered as 403. */
  readonly judge?: (request: IncomingMessage, body: Buffer) => Promise<string | undefined>
}

/** Gone when the test ends. */
export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-git-')))
  const seen: GitServer['seen'] = []
  const server = createServer((request, response) => {
    void serve(folder, options, seen, request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  return {
    port: (server.address() as AddressInfo).port,
    folder,
    seen,
    make(name) {
      const bare = path.join(folder, `${name}.git`)
      mkdirSync(bare, { recursive: true })
      git(bare, 'init', '--quiet', '--bare', '--initial-branch=main')
      git(bare, 'config', 'http.receivepack', 'true')
      const tree = git(bare, 'mktree').trim()
      git(bare, 'update-ref', 'refs/heads/main', git(bare, 'commit-tree', tree, '-m', 'the first').trim())
      return bare
    },
  }
}

/** git with an identity and no configuration of this machine; its standard output. Throws with what it said. */
export function git(cwd: string, ...args: readonly string[]): string {
  const done = spawnSync('git', args, { cwd, env: gitEnv, input: '', encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`git ${args.join(' ')}: ${done.stderr}`)
  return done.stdout
}

export const gitEnv: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.test',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.test',
}

async function serve(
  folder: string,
  options: GitServerOptions,
  seen: GitServer['seen'],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = Buffer.concat(await request.toArray())
  const given = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  const password =
    given === undefined
      ? undefined
      : Buffer.from(given, 'base64')
          .toString()
          .replace(/^[^:]*:/, '')
  seen.push({ method: request.method ?? '', url: request.url ?? '', password })
  const refusal = await options.judge?.(request, body)
  if (refusal !== undefined) return void response.writeHead(403, { 'content-type': 'text/plain' }).end(refusal)
  if (options.password !== undefined && password !== options.password)
    return void response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
  const [pathname = '', query = ''] = (request.url ?? '').split('?')
  const child = spawn('git', ['http-backend'], {
    env: {
      ...gitEnv,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? '',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'agent',
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(body)
  const output = Buffer.concat(await child.stdout.toArray())
  const end = output.indexOf('\r\n\r\n')
  const fields = output.toString('latin1', 0, end).split('\r\n')
  const status = Number(fields.find((line) => line.startsWith('Status: '))?.slice(8, 11) ?? 200)
  for (const line of fields) {
    const [name = '', value = ''] = line.split(': ')
    if (name !== 'Status') response.setHeader(name, value)
  }
  response.writeHead(status).end(output.subarray(end + 4))
}
