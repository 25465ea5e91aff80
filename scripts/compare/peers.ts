// For compare.ts: the walls beside ours, how each is set up and how a shell is started behind it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Canaries } from '../../src/prove/canaries.ts'
import { tokenVariable, type ProofName } from '../../src/prove/canary-policy.ts'
import { hostSide, type Launch } from '../../src/prove/inside.ts'
import { must } from './must.ts'

const srtVersion = '0.0.83'
const user = 65_534
/** Seconds for the clients; packets that a peer drops are waited for. */
export const patience = 'ANCHORHOLD_PROVE_SECONDS'

/** What starts a shell behind a peer's wall, with what it needs to know of this round. */
type Before = (round: Round) => readonly [string, ...string[]]
export interface Round {
  readonly launch: Launch
  readonly names: readonly ProofName[]
  readonly canaries: Canaries
  readonly home: string
  readonly folder: string
}

export interface Peer {
  readonly name: string
  readonly version: string
  readonly before: Before
  /** Probes that would show nothing there. */
  readonly without?: readonly string[]
}

/**
 * The clients speak to a proxy on their own loopback: this leads to the peer's, with the credentials that the peer wrote into its variable, or, where
 * there is none, straight to the host, as any program there could go.
 */
const forward = `import net from 'node:net'
const variable = process.env.HTTP_PROXY ?? process.env.http_proxy
const to = variable === undefined ? undefined : new URL(variable)
const words = to === undefined ? '' : Buffer.from(decodeURIComponent(to.username) + ':' + decodeURIComponent(to.password)).toString('base64')
const field = words === '' || words === 'Og==' ? '' : '\\r\\nProxy-Authorization: Basic ' + words
const server = net.createServer((client) => {
  client.on('error', () => undefined)
  client.once('data', (first) => {
    const text = first.toString('latin1')
    const target = /^(CONNECT |[A-Z]+ http:\\/\\/)([^:/%\\s]+)(?::(\\d+))?/.exec(text)
    const tunnel = to === undefined && target?.[1] === 'CONNECT '
    const there = to === undefined ? net.connect(Number(target?.[3] ?? 80), target?.[2] ?? '127.0.0.1') : net.connect(Number(to.port), to.hostname)
    there.on('error', () => client.destroy())
    client.on('error', () => there.destroy())
    const send = (data) => {
      const one = data.toString('latin1')
      there.write(/^[A-Z]+ [^\\r\\n]* HTTP\\/1/.test(one) ? Buffer.from(one.replace('\\r\\n', field + '\\r\\n'), 'latin1') : data)
    }
    if (tunnel) client.write('HTTP/1.1 200 OK\\r\\n\\r\\n')
    else send(first)
    client.on('data', send)
    client.on('end', () => there.end())
    there.pipe(client)
  })
})
server.listen(13128, '127.0.0.1')
`
const enter = 'node "${0%/*}/forward.mjs" & sleep 1; "$@"; kill $!\n'

/** How a peer's wall is entered, from the clients' own folder. */
function entering(launch: Launch): readonly [string, string] {
  const folder = hostSide(launch)
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'forward.mjs'), forward)
  writeFileSync(path.join(folder, 'enter.sh'), enter)
  return ['sh', path.join(folder, 'enter.sh')]
}

/** Everything that is allowed, limited or bound: what a list of hosts can say. */
const listed = (names: readonly ProofName[]): readonly string[] => names.filter(({ kind }) => kind !== 'denied').map(({ host }) => host)

/** From npm, before there is no network any more. */
export function installSrt(folder: string): void {
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  chmodSync(folder, 0o755)
  must('npm', ['install', '--no-audit', '--no-fund', `@anthropic-ai/sandbox-runtime@${srtVersion}`], folder)
}

export function srt(installed: string): Peer {
  const cli = path.join(installed, 'node_modules/@anthropic-ai/sandbox-runtime/dist/cli.js')
  return {
    name: 'srt',
    version: `@anthropic-ai/sandbox-runtime ${srtVersion}`,
    before: ({ launch, names, canaries, home }) => {
      const settings = path.join(launch.folder, 'srt.json')
      const own = [launch.project, hostSide(launch)]
      const filesystem = {
        denyRead: [home, canaries.root, ...Object.values(canaries.folders)],
        allowRead: own,
        allowWrite: own,
        denyWrite: [],
      }
      const bound = names.filter(({ kind }) => kind === 'bound').map(({ host }) => host)
      const credentials = { envVars: [{ name: tokenVariable, mode: 'mask', injectHosts: bound }], allowPlaintextInject: true }
      const network = { allowedDomains: listed(names), deniedDomains: [], tlsTerminate: {} }
      writeFileSync(settings, JSON.stringify({ network, filesystem, ...(bound.length === 0 ? {} : { credentials }) }))
      const made = [home, canaries.root, ...Object.values(canaries.folders)]
      const asUser = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', process.execPath, cli, '--settings', settings]
      // For an ordinary user, to whom everything belongs that it should not reach: no permission of the system takes its part.
      const chown = `chown -R ${user}:${user} ${made.map((each) => `'${each}'`).join(' ')} && exec "$0" "$@"`
      return ['sh', '-c', chown, ...asUser, ...entering(launch)]
    },
  }
}

interface Docker {
  readonly call: (...words: readonly string[]) => string
  readonly argv: readonly [string, ...string[]]
  readonly version: string
}

/** A daemon of our own, with a bridge: it is alone in this namespace. */
export async function docker(folder: string, tar: string, stack: AsyncDisposableStack): Promise<Docker> {
  const place = path.join(folder, 'docker')
  mkdirSync(place)
  const socket = `unix://${place}/docker.sock`
  const args = ['-H', socket, '--data-root', `${place}/data`, '--exec-root', `${place}/exec`, '--pidfile', `${place}/pid`]
  const daemon = spawn('dockerd', args, { stdio: ['ignore', 'ignore', openSync(path.join(folder, 'dockerd.log'), 'a')] })
  stack.defer(async () => {
    if (daemon.exitCode !== null) return
    daemon.kill()
    await once(daemon, 'exit')
  })
  const call = (...words: readonly string[]): string => must('docker', ['-H', socket, ...words])
  const answers = (): boolean => spawnSync('docker', ['-H', socket, 'version'], { stdio: 'ignore' }).status === 0
  for (let tries = 0; tries < 240 && daemon.exitCode === null && !answers(); tries += 1) await pause(250)
  if (daemon.exitCode !== null) throw new Error(readFileSync(path.join(folder, 'dockerd.log'), 'utf8').slice(-500))
  call('import', tar, 'compared')
  return { call, argv: ['docker', '-H', socket], version: call('version', '--format', '{{.Server.Version}}').trim() }
}

const mounts = ({ launch }: Round): readonly string[] =>
  [launch.project, hostSide(launch)]
    .flatMap((each) => ['-v', `${each}:${each}`])
    .concat(['-w', launch.project, '-e', tokenVariable, '-e', patience])

export function plainDocker(daemon: Docker): Peer {
  return {
    name: 'docker run',
    // They are about a proxy, and there is none.
    without: ['gateway-socks', 'gateway-other-port', 'gateway-own-addresses'],
    version: `Docker ${daemon.version}, no flags but --rm, -v and -w`,
    before: (round) => [...daemon.argv, 'run', '--rm', ...mounts(round), 'compared', ...entering(round.launch)],
  }
}

export function internalDocker(daemon: Docker, stack: AsyncDisposableStack): Peer {
  daemon.call('network', 'create', '--internal', '--subnet', '172.30.0.0/24', '--gateway', '172.30.0.1', 'walled')
  let proxy: ReturnType<typeof spawn> | undefined
  let port = 3128
  stack.defer(() => void proxy?.kill('SIGKILL'))
  const version = /Version (\S+)/.exec(must('squid', ['-v']))?.[1] ?? '?'
  const flags = [
    '--network',
    'walled',
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges',
    '--pids-limit',
    '120',
    '--memory',
    '1g',
    '--read-only',
  ]
  return {
    name: 'docker, internal network and proxy',
    version: `Docker ${daemon.version}, squid ${version}; --internal, --cap-drop ALL, no-new-privileges, --read-only, --tmpfs /tmp, --pids-limit, --memory, --ulimit`,
    before: (round) => {
      proxy?.kill('SIGKILL')
      port += 1 // the last round's may still be held
      const limited = round.names.filter(({ kind }) => kind === 'limited' || kind === 'bound' || kind === 'closed')
      const hosts = (list: readonly ProofName[]): string => list.map(({ host }) => host).join(' ') || 'none.invalid'
      const lines = [
        `http_port 172.30.0.1:${port}`,
        `acl whole dstdomain ${hosts(round.names.filter(({ kind }) => kind === 'allowed' || kind === 'open'))}`,
        `acl limited dstdomain ${hosts(limited)}`,
        'acl reading method GET HEAD CONNECT',
        'acl usual port 80 443',
        'http_access deny !usual',
        'acl tunnel method CONNECT',
        'acl tls port 443',
        'http_access deny tunnel !tls',
        'http_access allow whole',
        'http_access allow limited reading',
        'http_access deny all',
        'cache deny all',
        'pid_filename none',
        'access_log none',
        'cache_log /dev/null',
        'cache_effective_user proxy',
        'pinger_enable off',
        'shutdown_lifetime 1 second',
      ]
      writeFileSync(`${round.folder}/squid.conf`, `${lines.join('\n')}\n`)
      proxy = spawn('squid', ['-N', '-f', `${round.folder}/squid.conf`], { stdio: 'ignore' })
      spawnSync('sh', ['-c', `for i in $(seq 300); do ss -ltn | grep -q 172.30.0.1:${port} && break; sleep 0.1; done`])
      const env = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].flatMap((name) => ['-e', `${name}=http://172.30.0.1:${port}`])
      const limits = ['--ulimit', 'core=0', '--ulimit', 'nofile=256:256', '--ulimit', `fsize=${8 * 2 ** 20}`, '--tmpfs', '/tmp:size=16m']
      return [...daemon.argv, 'run', '--rm', ...flags, ...limits, ...env, ...mounts(round), 'compared', ...entering(round.launch)]
    },
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
