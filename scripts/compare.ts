// Runs the probes of `anchorhold prove` against other walls on this machine and keeps what came of them in bench/comparison.json, from which
// `npm run docs` writes docs/comparison.md. Root only: it works in a network and a mount namespace of its own. Argument: ROOT.tar, the
// files of a Debian image with node, python3, git and curl (`docker export`).
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import path from 'node:path'
import { capture } from '../src/host/process.ts'
import { probePlaces, type Proof, type ProbeResult } from '../src/model/proof.ts'
import { openCanaries } from '../src/prove/canaries.ts'
import { tokenVariable, type ProofName } from '../src/prove/canary-policy.ts'
import { loadCatalogue } from '../src/prove/catalogue.ts'
import { bare, type Launch } from '../src/prove/inside.ts'
import { plainEnv } from '../src/prove/prove.ts'
import { playRound } from '../src/prove/round.ts'
import { makeStandIn } from '../src/prove/stand-in.ts'
import { must } from './compare/must.ts'
import { openNames, ownAddress } from './compare/names.ts'
import { docker, installSrt, internalDocker, patience, plainDocker, srt, type Peer } from './compare/peers.ts'

const root = path.dirname(import.meta.dirname)
const kept = path.join(root, 'bench/comparison.json')

export interface Comparison {
  readonly date: string
  readonly kernel: string
  readonly walls: readonly {
    readonly name: string
    readonly version: string
    /** By the probe: `holds`, `leaks`, `limit`, or why nothing was shown. */
    readonly results: Readonly<Record<string, string>>
  }[]
}

export function readComparison(): Comparison {
  return JSON.parse(readFileSync(kept, 'utf8')) as Comparison
}

/** About files, a log or a terminal of anchorhold's own: no peer has them. */
const ours: ReadonlySet<string> = new Set(['files-own-state', 'policy-own-rules', 'terminal-log', 'terminal-typing'])

async function tryPeer(peer: Peer, folder: string): Promise<Comparison['walls'][number]> {
  const home = path.join(folder, `home-${peer.name.replaceAll(/\W+/g, '-')}`)
  const project = path.join(home, 'work/project')
  mkdirSync(project, { recursive: true })
  using canaries = await openCanaries({ project, home, stateDir: path.join(home, '.local/state/anchorhold') })
  const small = path.join(canaries.root, 'small')
  mkdirSync(small)
  const projects = { project, small, 'stand-in': await makeStandIn(canaries.root, canaries.values[0] ?? '') }
  const plain = { ...plainEnv(process.env), HOME: home, [patience]: '200' }
  const results: ProbeResult[] = []
  for (const place of probePlaces)
    // A secret is given where it is wanted only: as the variable that a user would pass.
    for (const given of [false, true]) {
      await using stack = new AsyncDisposableStack()
      const probes = loadCatalogue().filter(
        (probe) =>
          probe.place === place &&
          (probe.control === 'secret') === given &&
          !ours.has(probe.id) &&
          peer.without?.includes(probe.id) !== true,
      )
      if (probes.length === 0) continue
      const round = {
        probes,
        name: `${place}-${given ? 'secret' : 'none'}`,
        canaries,
        project: projects[place],
        home,
        engine: { name: 'bubblewrap', can: everything },
        inside: 'bare',
        proxy: '13128',
        launch: async (launch: Launch, names: readonly ProofName[]) => {
          await openNames(names, stack)
          return bare(
            launch,
            given ? { ...plain, [tokenVariable]: canaries.secret } : { ...plain, ...canaries.variables },
            peer.before({ launch, names, canaries, home, folder }),
            240_000,
          )
        },
      } as const
      results.push(...(await playRound(round)))
    }
  for (const { id, result, why } of results) process.stdout.write(`${peer.name}\t${id}\t${result}\t${why.slice(0, 160)}\n`)
  return { name: peer.name, version: peer.version, results: Object.fromEntries(results.map(({ id, result }) => [id, result])) }
}

/** A peer is asked everything; what it has no part for shows itself. */
const everything = new Proxy({}, { get: () => true }) as Parameters<typeof playRound>[0]['engine']['can']

async function tryOurs(folder: string): Promise<Comparison['walls'][number]> {
  const home = path.join(folder, 'home-anchorhold')
  const project = path.join(home, 'work/project')
  mkdirSync(project, { recursive: true })
  const { stdout } = await capture([path.join(root, 'bin/anchorhold'), 'prove', '--full', '--json'], {
    cwd: project,
    env: { ...plainEnv(process.env), HOME: home },
    timeoutMilliseconds: 120_000,
  })
  const proof = JSON.parse(stdout) as Proof
  return {
    name: 'anchorhold',
    version: `${proof.versions.anchorhold}, ${proof.engine}`,
    results: Object.fromEntries(proof.probes.map(({ id, result }) => [id, result])),
  }
}

async function main(tar: string, installed: string): Promise<void> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'anchorhold-compare-')))
  must('ip', ['link', 'set', 'lo', 'up'])
  must('ip', ['route', 'add', 'local', '10.77.0.0/16', 'dev', 'lo'])
  must('ip', ['link', 'add', 'own0', 'type', 'veth', 'peer', 'name', 'own1'])
  must('ip', ['address', 'add', `${ownAddress}/24`, 'dev', 'own0'])
  for (const card of ['own0', 'own1']) must('ip', ['link', 'set', card, 'up'])
  chmodSync(folder, 0o711)
  writeFileSync(path.join(folder, 'resolv.conf'), `nameserver ${ownAddress}\n`)
  must('mount', ['-t', 'tmpfs', 'tmpfs', '/dev/shm']) // squid keeps its own there
  must('mount', ['--bind', path.join(folder, 'resolv.conf'), '/etc/resolv.conf'])
  {
    await using stack = new AsyncDisposableStack()
    stack.defer(() => void must('umount', ['/etc/resolv.conf']))
    const daemon = await docker(folder, tar, stack)
    const peers = [srt(installed), internalDocker(daemon, stack), plainDocker(daemon)]
    const walls = [await tryOurs(folder)]
    for (const peer of peers) walls.push(await tryPeer(peer, folder))
    const comparison: Comparison = { date: new Date().toISOString().slice(0, 10), kernel: release(), walls }
    writeFileSync(kept, `${JSON.stringify(comparison, undefined, 1)}\n`)
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

if (import.meta.main) {
  const [tar, installed] = process.argv.slice(2)
  if (tar === undefined || !existsSync(tar) || process.getuid?.() !== 0) throw new Error('as root: node scripts/compare.ts ROOT.tar')
  if (installed === undefined) {
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'anchorhold-compare-srt-')))
    installSrt(folder)
    const again = ['--mount', '--net', '--propagation', 'private', process.execPath, import.meta.filename, path.resolve(tar), folder]
    process.exitCode = spawnSync('unshare', again, { stdio: 'inherit' }).status ?? 1
    rmSync(folder, { recursive: true, force: true })
  } else await main(tar, installed)
}
