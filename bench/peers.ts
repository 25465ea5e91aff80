// The peers that are measured beside us: fetched from npm and Debian, started here, stopped here. What can't run says why.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundledNode, peerCache, type Ground } from './ground.ts'

export type Peer =
  | {
      readonly kind: 'ready'
      readonly argv: (command: readonly [string, ...string[]]) => readonly [string, ...string[]]
      readonly stop: () => Promise<void>
    }
  | { readonly kind: 'missing'; readonly why: string }

const nothing = (): Promise<void> => Promise.resolve()

/** Anthropic's sandbox-runtime from npm, kept in the peers' cache; `localhost` is the one name it may reach. `network`: more of its own settings. */
export async function srtPeer(ground: Ground, network: Readonly<Record<string, unknown>> = {}): Promise<Peer> {
  const folder = path.join(peerCache, 'srt')
  const cli = path.join(folder, 'node_modules/@anthropic-ai/sandbox-runtime/dist/cli.js')
  if (!existsSync(cli)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
    const result = spawnSync('npm', ['install', '--no-audit', '--no-fund', '@anthropic-ai/sandbox-runtime'], {
      cwd: folder,
      encoding: 'utf8',
    })
    if (result.status !== 0) return { kind: 'missing', why: `npm could not install it: ${lastLine(result.stderr)}` }
  }
  const missing = ['rg', 'socat', 'bwrap'].filter((program) => !installed(program))
  if (missing.length > 0 && !aptInstall(missing.map((program) => ({ rg: 'ripgrep', socat: 'socat' })[program] ?? program))) {
    return { kind: 'missing', why: `it needs ${missing.join(', ')} (apt-get install ripgrep socat bubblewrap, as root)` }
  }
  const settings = path.join(ground.folder, 'srt.json')
  writeFileSync(
    settings,
    JSON.stringify({
      network: { allowedDomains: ['localhost'], deniedDomains: [], allowLocalBinding: true, ...network },
      filesystem: { denyRead: [], allowWrite: ['.'], denyWrite: [] },
    }),
  )
  return { kind: 'ready', argv: (command) => [bundledNode, cli, '--settings', settings, ...command], stop: nothing }
}

/** A docker daemon of our own on a private socket, without a bridge; the image is one static file that ends with 0. */
export async function dockerPeer(ground: Ground): Promise<Peer> {
  if (process.getuid?.() !== 0) return { kind: 'missing', why: 'a docker daemon can only be started by root' }
  if (!installed('dockerd') && !aptInstall(['docker.io']))
    return { kind: 'missing', why: 'dockerd is not installed (apt-get install docker.io)' }
  const folder = mkdtempSync(path.join(ground.folder, 'docker-'))
  const socket = `unix://${folder}/docker.sock`
  const args = ['-H', socket, '--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`, '--pidfile', `${folder}/pid`]
  const daemon = spawn('dockerd', [...args, '--bridge=none', '--iptables=false', '--ip-forward=false'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  daemon.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000)
  })
  daemon.on('error', (error) => {
    said = error.message
  })
  const stop = async (): Promise<void> => {
    await end(daemon)
    rmSync(folder, { recursive: true, force: true })
  }
  const docker = (...words: readonly string[]): { readonly status: number | null } =>
    spawnSync('docker', ['-H', socket, ...words], { stdio: 'ignore', timeout: 20_000 })
  for (let tries = 0; tries < 60 && daemon.exitCode === null; tries++) {
    if (docker('version').status === 0) {
      writeFileSync(`${folder}/true.c`, 'int main(void) { return 0; }\n')
      mkdirSync(`${folder}/image/bin`, { recursive: true })
      execFileSync('cc', ['-static', '-o', `${folder}/image/bin/true`, `${folder}/true.c`])
      execFileSync('tar', ['-C', `${folder}/image`, '-cf', `${folder}/image.tar`, '.'])
      docker('import', `${folder}/image.tar`, 'anchorhold-bench')
      const argv = (command: readonly [string, ...string[]]): readonly [string, ...string[]] => [
        'docker',
        '-H',
        socket,
        'run',
        '--rm',
        '--network',
        'none',
        'anchorhold-bench',
        ...command,
      ]
      return { kind: 'ready', argv, stop }
    }
    await sleep(250)
  }
  await stop()
  return { kind: 'missing', why: `the docker daemon did not start: ${lastLine(said)}` }
}

export type ProxyPeer =
  | { readonly kind: 'ready'; readonly port: number; readonly stop: () => Promise<void> }
  | { readonly kind: 'missing'; readonly why: string }

export function squidPeer(ground: Ground, port: number): Promise<ProxyPeer> {
  const config = [
    `http_port 127.0.0.1:${port}`,
    'http_access allow all',
    'cache deny all',
    'access_log none',
    'cache_log /dev/null',
    'pid_filename none',
    'shutdown_lifetime 1 seconds',
    'netdb_filename none',
    'max_filedescriptors 4096',
    `coredump_dir ${ground.folder}`,
    'dns_nameservers 127.0.0.1',
  ]
  return proxyPeer(ground, 'squid', config, (file) => ['-N', '-f', file], port)
}

export function tinyproxyPeer(ground: Ground, port: number): Promise<ProxyPeer> {
  const config = [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 60', 'MaxClients 200', 'LogLevel Critical', `LogFile "/dev/null"`]
  return proxyPeer(ground, 'tinyproxy', config, (file) => ['-d', '-c', file], port)
}

export type MitmPeer =
  | {
      readonly kind: 'ready'
      readonly port: number
      readonly pid: number
      /** The certificate that its client must trust. */
      readonly authority: string
      readonly stop: () => Promise<void>
    }
  | { readonly kind: 'missing'; readonly why: string }

/** mitmproxy without its terminal, bodies streamed; `trusted` is the authority of the servers behind it. */
export async function mitmPeer(ground: Ground, port: number, trusted: string): Promise<MitmPeer> {
  if (!installed('mitmdump') && !aptInstall(['mitmproxy']))
    return { kind: 'missing', why: 'not installed (apt-get install mitmproxy, as root)' }
  const folder = path.join(ground.folder, 'mitmproxy')
  const options = [`confdir=${folder}`, `ssl_verify_upstream_trusted_ca=${trusted}`, 'stream_large_bodies=1', 'flow_detail=0']
  const args = ['--quiet', '--listen-host', '127.0.0.1', '--listen-port', String(port), ...options.flatMap((option) => ['--set', option])]
  const child = spawn('mitmdump', args, { stdio: 'ignore', env: { PATH: searched, HOME: ground.folder, LANG: 'C.UTF-8' } })
  child.on('error', () => undefined)
  const authority = path.join(folder, 'mitmproxy-ca-cert.pem')
  for (let tries = 0; tries < 300 && child.exitCode === null; tries++) {
    if (existsSync(authority) && (await answers(port)))
      return { kind: 'ready', port, pid: child.pid ?? 0, authority, stop: () => end(child) }
    await sleep(50)
  }
  await end(child)
  return { kind: 'missing', why: 'it did not start' }
}

async function proxyPeer(
  ground: Ground,
  name: 'squid' | 'tinyproxy',
  config: readonly string[],
  args: (file: string) => readonly string[],
  port: number,
): Promise<ProxyPeer> {
  if (!installed(name) && !aptInstall([name])) return { kind: 'missing', why: `not installed (apt-get install ${name}, as root)` }
  const file = path.join(ground.folder, `${name}.conf`)
  writeFileSync(file, `${config.join('\n')}\n`)
  const child = spawn(name, [...args(file)], { stdio: 'ignore', env: { PATH: searched } })
  child.on('error', () => undefined)
  for (let tries = 0; tries < 100 && child.exitCode === null; tries++) {
    if (await answers(port)) return { kind: 'ready', port, stop: () => end(child) }
    await sleep(50)
  }
  await end(child)
  return { kind: 'missing', why: 'it did not start' }
}

const searched = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function installed(program: string): boolean {
  return searched.split(':').some((folder) => existsSync(path.join(folder, program)))
}

/** Debian packages, as root only; services that come with them are not started (invoke-rc.d obeys RUNLEVEL). */
function aptInstall(packages: readonly string[]): boolean {
  if (process.getuid?.() !== 0 || !installed('apt-get')) return false
  process.stderr.write(`bench: installing ${packages.join(', ')} to compare with\n`)
  const env = { PATH: searched, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const install = (): boolean =>
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { stdio: 'ignore', env }).status === 0
  return install() || (spawnSync('apt-get', ['update'], { stdio: 'ignore', env }).status === 0 && install())
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 8000)
  await ended
  clearTimeout(timer)
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 160) ?? 'it said nothing'
}
