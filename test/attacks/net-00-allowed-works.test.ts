// The other half of every NET and PRX row: what a rule names works as outside, for the programs people use, without a variable set inside.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'
import { httpWitness, makeAuthority, nonce, tcpWitness } from './witnesses.ts'

function repository(folder: string): string {
  const bare = path.join(folder, 'served.git')
  const work = path.join(folder, 'source')
  mkdirSync(work, { recursive: true })
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' }
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@x.test', '-c', 'init.defaultBranch=main', ...args], {
      cwd: work,
      env,
      stdio: 'ignore',
    })
  git('init')
  writeFileSync(path.join(work, 'file'), 'from afar')
  git('add', 'file')
  git('commit', '-m', 'x')
  git('clone', '--bare', work, bare)
  git('-C', bare, 'update-server-info')
  return bare
}

it('NET-22 control: git clone over https and over a named TCP port; curl and fetch over a certificate of one’s own', async () => {
  const world = makeWorld()
  const authority = makeAuthority()
  const bare = repository(world.home)
  const server = https.createServer(authority.server('git.test'), (request, response) => {
    try {
      response.end(readFileSync(path.join(bare, path.posix.normalize((request.url ?? '').split('?')[0]?.replace('/served.git', '') ?? ''))))
    } catch {
      response.writeHead(404).end()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const probe = net.createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  const daemon = spawn(
    'git',
    ['daemon', '--export-all', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${world.home}`, '--reuseaddr', world.home],
    { stdio: 'ignore', detached: true },
  )
  onTestFinished(() => void process.kill(-(daemon.pid ?? 0), 'SIGTERM'))
  await expect
    .poll(() => new Promise((resolve) => net.connect(port, '127.0.0.1', () => resolve('up')).on('error', () => resolve('down'))), {
      timeout: 10_000,
    })
    .toBe('up')
  writeFileSync(path.join(world.project, 'ca.pem'), authority.certificate)
  const script = `
    git -c http.sslCAInfo=$PWD/ca.pem clone -q https://git.test/served.git by-https && cat by-https/file; echo
    git clone -q git://git.test/served.git by-port && cat by-port/file; echo
    curl -sS --cacert ca.pem https://git.test/served.git/HEAD
    NODE_EXTRA_CA_CERTS=$PWD/ca.pem node -e "fetch('https://git.test/served.git/HEAD').then((answer) => answer.text()).then((text) => process.stdout.write(text))"
    git clone -q https://other.test/served.git 2>/dev/null || echo refused`
  const options = [
    '--route',
    `git.test:443=127.0.0.1:${(server.address() as AddressInfo).port}`,
    '--route',
    `git.test:9418=127.0.0.1:${port}`,
  ]
  const { stdout, stderr } = await inCell(world, script, options)
  expect(stdout, stderr).toBe('from afar\nfrom afar\nref: refs/heads/main\nref: refs/heads/main\nrefused\n')
})

it('NET-02 control: a database on a named port, where the server speaks first, and one on this machine; every other port is closed at once', async () => {
  const world = makeWorld()
  const [database, local] = [await tcpWitness('127.0.0.1', 'SERVER FIRST\n'), await httpWitness()]
  const began = Date.now()
  const { stdout } = await inCell(
    world,
    `bash -c 'exec 3<>/dev/tcp/db.test/5432 && head -n1 <&3; echo query >&3; for p in 5433 22 3306 6379; do (exec 3<>/dev/tcp/db.test/$p) 2>/dev/null && echo OPEN; done'; curl -s http://host.anchorhold.internal:${local.port}/; echo "\${HTTPS_PROXY-no variable}"`,
    ['--route', `db.test:5432=127.0.0.1:${database.port}`, '--allow', `host.anchorhold.internal:${local.port}`],
  )
  expect(stdout).toBe('SERVER FIRST\nWITNESSno variable\n')
  await expect.poll(() => database.text()).toBe('query\n')
  expect(Date.now() - began).toBeLessThan(15_000)
})

it('PRX-01 control: every command that the summary offers really allows; what no --allow helps against is told with what would', async () => {
  const world = makeWorld()
  const witness = await httpWitness()
  const tries = `for u in http://one.test/ https://two.test/ http://denied.test/ http://192.0.2.9/ http://short/ http://host.anchorhold.internal:${witness.port}/; do curl -s -m 5 -o /dev/null $u; done; curl -s -o /dev/null -x http://127.0.0.1:3128 http://one.test:8080/; curl -s -o /dev/null -p -x http://127.0.0.1:3128 http://203.0.113.9:443/; :`
  const first = await inCell(world, tries, ['--deny', 'denied.test'])
  const command = /to allow: anchorhold run (.*) …/.exec(first.stderr)?.[1] ?? ''
  expect(command).toBe('--allow one.test --allow two.test --allow short:443 --allow one.test:8080')
  const dns = `getent hosts one.test two.test short | cut -d' ' -f1`
  const second = await inCell(
    world,
    `${dns}; curl -s -m 5 -o /dev/null -w '%{http_code}' -x http://127.0.0.1:3128 http://one.test:8080/`,
    command.split(' '),
  )
  // Not a refusal any more: the names have addresses, the request fails only because nobody is there.
  expect(second.stdout).toBe('198.18.0.2\n198.18.0.3\n198.18.0.4\n502')
  expect(second.stderr).not.toContain('refused; to allow')
  expect(first.stderr).toContain('→ leave out --deny denied.test')
  expect(first.stderr).toContain(`host.anchorhold.internal:PORT`)
  const dry = await anchorhold(world, ['run', '--dry-run', ...command.split(' '), '--', 'true'])
  expect(dry.code).toBe(0)
})

it('NET-22 control: npm inside contacts the registry that npm outside is set up for, without the login that stands there', async () => {
  const world = makeWorld()
  const secret = nonce()
  const registry = await httpWitness((request, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(
      JSON.stringify({
        name: request.url?.slice(1),
        'dist-tags': { latest: '4.2.0' },
        versions: { '4.2.0': { name: 'thing', version: '4.2.0', dist: {} } },
      }),
    )
  })
  writeFileSync(
    path.join(world.home, '.npmrc'),
    `registry=http://me:${secret}@npm.company.test:4873/\n@team:registry=http://team.company.test:4874/\n//npm.company.test:4873/:_authToken=${secret}\n`,
  )
  const options = [
    '--allow',
    'npm',
    ...['npm.company.test:4873', 'team.company.test:4874'].flatMap((host) => ['--route', `${host}=127.0.0.1:${registry.port}`]),
  ]
  // bash hands on variables that are no names of its own, as a scope's registry is; dash does not.
  const { stdout, stderr } = await anchorhold(world, [
    'run',
    ...options,
    '--',
    'bash',
    '-c',
    'npm view thing version; npm view @team/thing version; env',
  ])
  expect(stdout, stderr).toMatch(/^4\.2\.0\n4\.2\.0\n/)
  expect(stdout).toContain('npm_config_registry=http://npm.company.test:4873/')
  expect(stdout + stderr + registry.text()).not.toContain(secret)
  expect(new Set(registry.requests.map(({ headers }) => headers.host))).toEqual(
    new Set(['npm.company.test:4873', 'team.company.test:4874']),
  )
})
