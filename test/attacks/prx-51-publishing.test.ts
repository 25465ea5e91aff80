// PRX-48, 51: what an agent may read it must not be able to write: real npm and git inside, against presets that only read. Each has its control.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { inCell, makeWorld, type World } from '../support/anchorhold.ts'
import { git, startGitServer } from '../support/git-server.ts'
import { httpWitness } from './witnesses.ts'

/** A registry with one package, as npm asks it, that takes whatever is published. */
async function registry(): Promise<Awaited<ReturnType<typeof httpWitness>>> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-pack-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(path.join(folder, 'package'))
  const version = { name: '@team/small', version: '1.0.0', main: 'index.js' }
  writeFileSync(path.join(folder, 'package/package.json'), JSON.stringify(version))
  writeFileSync(path.join(folder, 'package/index.js'), "module.exports = 'small'\n")
  execFileSync('tar', ['-czf', 'small.tgz', 'package'], { cwd: folder })
  const tarball = readFileSync(path.join(folder, 'small.tgz'))
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
  return httpWitness((request, response) => {
    request.resume()
    if (request.url?.endsWith('.tgz') === true) return void response.end(tarball)
    response.setHeader('content-type', 'application/json')
    if (request.method !== 'GET') return void response.end('{}')
    if (request.url?.includes('small') !== true) return void response.writeHead(404).end('{}')
    const dist = { integrity, tarball: 'https://registry.corp.test/@team/small/-/small-1.0.0.tgz' }
    response.end(JSON.stringify({ name: '@team/small', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': { ...version, dist } } }))
  })
}

async function withNpm(
  world: World,
  preset: string,
): Promise<{ readonly stdout: string; readonly stderr: string; readonly seen: readonly string[] }> {
  const witness = await registry()
  writeFileSync(path.join(world.home, '.npmrc'), 'registry=https://registry.corp.test/\n')
  writeFileSync(path.join(world.project, 'package.json'), '{"name":"mine","version":"1.0.0"}')
  const script = `
    npm config set //registry.corp.test/:_authToken=x
    npm install --no-fund @team/small && node -p "require('@team/small')"
    npm publish 2>&1 | grep -iE '403|E4|anchorhold|mine@' | head -20
    npm dist-tag add mine@1.0.0 evil 2>&1 | grep -c 403
    npm unpublish --force mine 2>&1 | grep -c 403
    curl -sS -X POST -F ':action=file_upload' -F content=@package.json https://registry.corp.test/legacy/
    true`
  const { stdout, stderr } = await inCell(
    world,
    script,
    ['--allow', preset, '--route', `registry.corp.test:443=http://127.0.0.1:${witness.port}`],
    {
      timeoutMilliseconds: 55_000,
    },
  )
  return { stdout, stderr, seen: witness.requests.map(({ method, url }) => `${method} ${url}`) }
}

it('PRX-51 npm-install: the real npm installs and audits; publish, tags, unpublish and uploads are refused before the registry', async () => {
  const { stdout, stderr, seen } = await withNpm(makeWorld(), 'npm-install')
  expect(stdout, stderr).toContain('\nsmall\n')
  expect(stdout).toMatch(/403/)
  expect(stdout).toMatch(/anchorhold refused this request \((?:path|method)\): /)
  expect(seen.some((line) => line.startsWith('GET ') && line.endsWith('.tgz'))).toBe(true)
  expect(seen.some((line) => /^GET \/@team%2fsmall$/i.test(line))).toBe(true)
  expect(seen.filter((line) => !line.startsWith('GET ') && !line.startsWith('POST /-/npm/v1/security/'))).toEqual([])
})

it('PRX-51 control: with the whole registry allowed the same publish arrives', async () => {
  const { seen } = await withNpm(makeWorld(), 'npm')
  expect(seen.some((line) => line.startsWith('PUT /mine'))).toBe(true)
})

async function withGit(preset: string): Promise<{ readonly stdout: string; readonly tip: string; readonly seen: readonly string[] }> {
  const world = makeWorld()
  const server = await startGitServer()
  const bare = server.make('me/x')
  const script = `
    git config --global user.name a; git config --global user.email a@example.test
    git clone -q https://github.com/me/x.git && cd x && git fetch -q && git log --oneline | wc -l
    echo stolen > a && git add a && git commit -qm out
    git push origin HEAD:main 2>&1 | tail -4
    git -c protocol.version=0 push origin HEAD:other 2>&1 | tail -4
    cat .git/refs/heads/main | curl -sS --data-binary @- -H 'Content-Type: application/x-git-receive-pack-request' https://github.com/me/x.git/git-receive-pack
    true`
  const { stdout } = await inCell(world, script, ['--allow', preset, '--route', `github.com:443=http://127.0.0.1:${server.port}`], {
    timeoutMilliseconds: 55_000,
  })
  return { stdout, tip: git(bare, 'log', '--format=%s', '--all').trim(), seen: server.seen.map(({ method, url }) => `${method} ${url}`) }
}

it('PRX-51 github-read: the real git clones and fetches; every push is refused before the server', async () => {
  const { stdout, tip, seen } = await withGit('github-read')
  expect(stdout.trim()).toMatch(/^1\n/)
  expect(stdout).toMatch(/403/)
  expect(stdout).toMatch(/anchorhold refused this request/)
  expect(tip).toBe('the first')
  expect(seen.length).toBeGreaterThan(1)
  expect(seen.filter((line) => line.includes('receive-pack'))).toEqual([])
})

it('PRX-51 control: with the host allowed as a whole the same push arrives', async () => {
  const { tip, seen } = await withGit('github')
  expect(seen.some((line) => line.includes('POST /me/x.git/git-receive-pack'))).toBe(true)
  expect(tip).toContain('out')
})

it('PRX-51 PRX-48 github-read: issues, gists and mutations are refused, reading and GraphQL queries pass; the answer says why', async () => {
  const world = makeWorld()
  const witness = await httpWitness()
  const gql = (name: string, query: string): string =>
    `printf '${name} '; curl -sS -o out -w '%{http_code} ' -H 'Content-Type: application/json' -d '${JSON.stringify({ query })}' https://api.github.com/graphql; head -c 200 out; echo`
  const plain = (name: string, args: string): string =>
    `printf '${name} '; curl -sS -o out -w '%{http_code} ' ${args}; head -c 200 out; echo`
  const { stdout } = await inCell(
    world,
    [
      plain('read', 'https://api.github.com/repos/me/x/issues'),
      plain('head', '-I https://api.github.com/repos/me/x'),
      plain('issue', `-d '{"title":"x"}' https://api.github.com/repos/me/x/issues`),
      plain('gist', `-d '{"files":{}}' https://api.github.com/gists`),
      plain('patch', '-X PATCH -d x https://api.github.com/repos/me/x'),
      plain('lower', '-X get https://api.github.com/repos/me/x'),
      plain('override', "-H 'X-HTTP-Method-Override: POST' https://api.github.com/over"),
      plain('by-query', "-g 'https://api.github.com/graphql?query=mutation{a}'"),
      gql('query', 'query { viewer { login } }'),
      gql('mutation', 'mutation { addStar(input: {}) { x } }'),
      gql('both', 'query A { a } mutation B { b }'),
      gql('subscription', 'subscription { a }'),
    ].join('\n'),
    ['--allow', 'github-read', '--route', `api.github.com:443=http://127.0.0.1:${witness.port}`],
    { timeoutMilliseconds: 55_000 },
  )
  const lines = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .filter((line) => /^[a-z-]+ \d{3} /.test(line))
      .map((line) => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)]),
  )
  expect(lines).toMatchObject({
    read: expect.stringMatching(/^200 WITNESS/),
    head: expect.stringMatching(/^200 /),
    issue: expect.stringMatching(/^403 anchorhold refused this request \(path\)/),
    gist: expect.stringMatching(/^403 /),
    patch: expect.stringMatching(/^403 anchorhold refused this request \(method\)/),
    lower: expect.stringMatching(/^400 /),
    override: expect.stringMatching(/^200 /),
    'by-query': expect.stringMatching(/^403 anchorhold refused this request \(graphql\)/),
    query: expect.stringMatching(/^200 WITNESS/),
    mutation: expect.stringMatching(/^403 anchorhold refused this request \(graphql\): a mutation/),
    both: expect.stringMatching(/^403 /),
    subscription: expect.stringMatching(/^403 /),
  })
  expect(witness.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'GET /repos/me/x/issues',
    'HEAD /repos/me/x',
    'GET /over',
    'POST /graphql',
  ])
  expect(JSON.stringify(witness.requests.map(({ headers }) => headers))).not.toMatch(/override/i)
})
