// The real git pushes to and fetches from a real git http-backend; the judge stands before it. What git shows is what is judged.
import { spawn } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { judgeGit } from '../../../src/gateway/git/judge.ts'
import { readPush } from '../../../src/gateway/git/receive-pack.ts'
import type { GitBinding } from '../../../src/model/secret.ts'
import { git, gitEnv, startGitServer } from '../../support/git-server.ts'

interface Scene {
  readonly clone: string
  readonly bare: string
  /** Runs git in the clone: its exit code, and all it said. */
  readonly run: (...args: readonly string[]) => Promise<{ readonly code: number | null; readonly said: string }>
  readonly commit: (name: string) => string
}

async function open(binding: Partial<NonNullable<GitBinding['push']>> | undefined, object: 'sha1' = 'sha1'): Promise<Scene> {
  const push = binding === undefined ? {} : { push: { branches: [], force: false, tags: false, remove: false, ...binding } }
  const server = await startGitServer({
    judge: async (request, body) => {
      const refused = await judgeGit(
        { repository: 'me/thing', username: 'x', ...push },
        {
          method: request.method ?? '',
          path: request.url ?? '',
          encoding:
            request.method === 'POST' && request.url?.endsWith('git-receive-pack') === true
              ? request.headers['content-encoding']
              : undefined,
          body: {
            length: body.length,
            peek: async (bytes) => body.subarray(0, bytes),
            whole: async (max) => (body.length > max ? undefined : body),
          },
        },
      )
      return refused === undefined ? undefined : `${refused.refusal.code}: ${refused.refusal.reason}`
    },
  })
  const bare = server.make('me/thing')
  server.make('me/other')
  git(bare, 'branch', 'agent/one', 'main')
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), `ah-clone-${object}-`)))
  onTestFinished(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }))
  const clone = path.join(root, 'clone')
  const run = (cwd: string, args: readonly string[]): ReturnType<Scene['run']> =>
    new Promise((resolve) => {
      const child = spawn('git', args, { cwd, env: gitEnv, stdio: ['ignore', 'pipe', 'pipe'] })
      let said = ''
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
      child.on('close', (code) => resolve({ code, said }))
    })
  const cloned = await run(root, ['clone', '--quiet', `http://127.0.0.1:${server.port}/me/thing.git`, 'clone'])
  expect(cloned).toEqual({ code: 0, said: '' })
  return {
    clone,
    bare,
    run: (...args) => run(clone, args),
    commit(name) {
      writeFileSync(path.join(clone, name), `${name}\n`.repeat(50))
      git(clone, 'add', name)
      git(clone, 'commit', '--quiet', '-m', `adds ${name}`)
      return git(clone, 'rev-parse', 'HEAD').trim()
    },
  }
}

test('fetching from the repository works, from another one it is refused', async () => {
  const { run, bare } = await open(undefined)
  expect((await run('fetch', 'origin')).code).toBe(0)
  const other = (await run('config', 'remote.origin.url')).said.trim().replace('me/thing', 'me/other')
  expect((await run('fetch', other)).said).toContain('403')
  expect((await run('ls-remote', `${path.dirname(other)}/../me/thing.git`)).code, 'a dot segment is resolved by git itself').toBe(0)
  expect((await run('push', 'origin', 'HEAD:refs/heads/agent/one')).said).toContain('403')
  expect(git(bare, 'rev-list', '--count', 'agent/one').trim()).toBe('1')
})

const thing = { repository: 'me/thing', username: 'x', push: { branches: ['agent/*'], force: false, tags: false, remove: false } }
const flush = Buffer.from('0000')
const question = { length: 4, peek: async () => flush, whole: async () => flush }
const code = async (method: string, target: string) => (await judgeGit(thing, { method, path: target, body: question }))?.refusal.code

test.each(['/me/thing.git', '/me/thing'])('the repository has two spellings: %s', async (repository) => {
  for (const service of ['git-upload-pack', 'git-receive-pack']) {
    expect(await code('GET', `${repository}/info/refs?service=${service}`)).toBeUndefined()
    expect(await code('POST', `${repository}/${service}`)).toBeUndefined()
  }
})

test.each([
  '//me/thing.git',
  '/me//thing.git',
  '/me/./thing.git',
  '/./me/thing.git',
  '/me/x/../thing.git',
  '/me/thing.git/../other.git',
  '/me/thing.git/../thing.git',
  '/me/%74hing.git',
  '/me%2Fthing.git',
  '/me/thing%2Egit',
  '/me/other.git/..%2fthing.git',
  '/me/thing.git%2f..%2fother.git',
  '/me/thing.git%00',
  '/me/thing.git%20',
  '/ME/thing.git',
  '/me/Thing.git',
  '/me/thing.GIT',
  '/me/thing.git.git',
  '/me/thing.git/',
  '/me/thing.git/.git',
  '/me/thing.git/.',
  '/me/thing.wiki.git',
  '/me/thing.git;x=y',
  '/me/thing-2.git',
  '/x/me/thing.git',
  '/thing.git',
  '/me/thing.git\\..\\other.git',
  '/~me/thing.git',
  '/me/thing.git/modules/x',
])('and no other: %s', async (repository) => {
  for (const service of ['git-upload-pack', 'git-receive-pack']) {
    expect(await code('GET', `${repository}/info/refs?service=${service}`)).toMatch(/^git-(?:repository|only)$/)
    expect(await code('POST', `${repository}/${service}`)).toMatch(/^git-(?:repository|only)$/)
  }
})

test.each([
  ['GET', '/info/refs'],
  ['GET', '/info/refs?service=git-upload-archive'],
  ['GET', '/info/refs?service=GIT-UPLOAD-PACK'],
  ['GET', '/info/refs?service=git-upload-pack&service=git-receive-pack'],
  ['GET', '/info/refs?x=1&service=git-upload-pack'],
  ['GET', '/info/refs?service=git-upload-pack%00'],
  ['GET', '/info/refs?service=git%2Dupload-pack'],
  ['POST', '/info/refs?service=git-upload-pack'],
  ['HEAD', '/info/refs?service=git-upload-pack'],
  ['GET', '/git-upload-pack'],
  ['POST', '/git-upload-pack?x=1'],
  ['POST', '/git-upload-archive'],
  ['PUT', '/git-receive-pack'],
  ['GET', '/HEAD'],
  ['GET', '/objects/info/packs'],
  ['POST', '/info/lfs/objects/batch'],
  ['POST', '/git-receive-pack/'],
  ['POST', '/%67it-receive-pack'],
])('of its own requests only those of the smart protocol: %s %s', async (method, end) => {
  expect(await code(method, `/me/thing.git${end}`)).toMatch(/^git-(?:repository|only)$/)
})

test('every version of the protocol fetches; pushes of several refs at once are refused whole, thin packs and atomic ones are read', async () => {
  const { run, bare, commit, clone } = await open({ branches: ['agent/*'] })
  for (const version of [0, 1, 2])
    expect(await run('-c', `protocol.version=${version}`, 'fetch', '-q', 'origin')).toEqual({ code: 0, said: '' })
  writeFileSync(path.join(clone, 'large'), Array.from({ length: 3_000 }, (_, line) => `line ${line} ${Math.sin(line)}\n`).join(''))
  git(clone, 'add', 'large')
  git(clone, 'commit', '--quiet', '-m', 'large')
  expect((await run('push', 'origin', 'HEAD:agent/one')).code).toBe(0)
  git(clone, 'commit', '--quiet', '--allow-empty', '-m', 'between')
  writeFileSync(path.join(clone, 'large'), 'changed\n'.repeat(3), { flag: 'a' })
  git(clone, 'commit', '--quiet', '-am', 'a delta against what the server has')
  expect(await run('push', '--thin', '--atomic', 'origin', 'HEAD:agent/one', 'HEAD:agent/four')).toMatchObject({ code: 0 })
  const before = git(bare, 'for-each-ref')
  const last = commit('last')
  for (const refs of [
    ['--atomic', 'HEAD:agent/one', 'HEAD:main'],
    ['HEAD:agent/one', ':agent/four'],
    ['HEAD:agent/one', '+HEAD~3:agent/four'],
    ['--mirror'],
    ['--tags', 'HEAD:agent/one', 'HEAD:refs/tags/t'],
    ['--force-with-lease', 'HEAD~4:agent/one'],
    ['--delete', 'agent/four'],
    ['HEAD:refs/heads/Agent/one'],
    ['HEAD:refs/remotes/agent/x'],
    ['HEAD:refs/pull/1/head'],
    ['HEAD:refs/for/agent/x'],
  ])
    expect((await run('push', ...(refs[0] === '--mirror' ? ['--mirror', 'origin'] : ['origin', ...refs]))).said, refs.join(' ')).toMatch(
      /403|fetch first|stale info|unqualified/,
    )
  expect(git(bare, 'for-each-ref')).toBe(before)
  expect((await run('push', 'origin', 'HEAD:agent/one')).code).toBe(0)
  expect(git(bare, 'rev-parse', 'agent/one').trim()).toBe(last)
})

test('a branch that is named may be pushed to, made and moved forward; others and tags not', async () => {
  const { run, bare, commit } = await open({ branches: ['agent/*'] })
  const first = commit('first')
  expect((await run('push', 'origin', 'HEAD:agent/one')).code).toBe(0)
  expect(git(bare, 'rev-parse', 'agent/one').trim()).toBe(first)
  commit('second')
  const third = commit('third')
  expect((await run('push', 'origin', 'HEAD:agent/one', 'HEAD:agent/two')).code).toBe(0)
  expect(git(bare, 'rev-parse', 'agent/one', 'agent/two').trim()).toBe(`${third}\n${third}`)
  for (const refs of [
    ['HEAD:main'],
    ['HEAD:agent/one/deep'],
    ['HEAD:refs/tags/v1'],
    ['HEAD:refs/notes/x'],
    ['HEAD:agent/three', 'HEAD:main'],
    [':agent/two'],
  ]) {
    const pushed = await run('push', 'origin', ...refs)
    expect(pushed.code, refs.join(' ')).not.toBe(0)
    expect(pushed.said, refs.join(' ')).toContain('403')
  }
  expect(git(bare, 'for-each-ref', '--format=%(refname)').trim().split('\n')).toEqual([
    'refs/heads/agent/one',
    'refs/heads/agent/two',
    'refs/heads/main',
  ])
})

test('a forced push is refused, told by the commits themselves; `force` allows it', async () => {
  for (const force of [false, true]) {
    const { run, bare, commit, clone } = await open({ branches: ['agent/*'], force })
    const kept = commit('kept')
    expect((await run('push', 'origin', 'HEAD:agent/one')).code).toBe(0)
    git(clone, 'reset', '--quiet', '--hard', 'HEAD~1')
    const other = commit('other')
    const pushed = await run('push', '--force', 'origin', 'HEAD:agent/one')
    expect(pushed.code === 0, pushed.said).toBe(force)
    // Backwards: nothing new is sent, so there is nothing that could show a fast-forward.
    expect((await run('push', '--force', 'origin', 'HEAD~1:agent/one')).code === 0).toBe(force)
    expect(git(bare, 'rev-parse', 'agent/one').trim()).toBe(force ? git(clone, 'rev-parse', 'HEAD~1').trim() : kept)
    expect(other).not.toBe(kept)
  }
})

test('a merge that has the old tip among its parents is a fast-forward; a hundred commits with deltas are read', async () => {
  const { run, bare, commit, clone } = await open({ branches: ['agent/*'] })
  for (let at = 0; at < 100; at++)
    git(clone, 'commit', '--quiet', '--allow-empty', '-m', `${'the same long text of a message\n'.repeat(20)}${at}`)
  expect((await run('push', 'origin', 'HEAD:agent/one')).code).toBe(0)
  git(clone, 'checkout', '--quiet', '-b', 'side', 'HEAD~100')
  commit('side')
  git(clone, 'merge', '--quiet', '--no-edit', 'main')
  expect((await run('push', 'origin', 'HEAD:agent/one')).code).toBe(0)
  expect(git(bare, 'rev-list', '--count', 'agent/one').trim()).toBe('103')
})

test('tags where they are allowed: new ones, never moved ones', async () => {
  const { run, commit, bare } = await open({ branches: [], tags: true })
  const first = commit('first')
  expect((await run('push', 'origin', 'HEAD:refs/tags/v1')).code).toBe(0)
  commit('second')
  expect((await run('push', '--force', 'origin', 'HEAD:refs/tags/v1')).said).toContain('403')
  expect(git(bare, 'rev-parse', 'v1').trim()).toBe(first)
})

test('push options are seen however the word for them stands among the capabilities: git takes any white space, and a value', () => {
  const line = (text: string): string => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`
  const push = (capabilities: string): string =>
    `${line(`${'0'.repeat(40)} ${'1'.repeat(40)} refs/heads/agent/x\0${capabilities}`)}0000${line('ci.skip')}0000PACK`
  for (const capabilities of ['push-options', 'a push-options', 'a\tpush-options', 'a\u000bpush-options\nb', 'push-options=x'])
    expect(readPush(Buffer.from(push(capabilities)))).toMatchObject({ kind: 'bad' })
  expect(readPush(Buffer.from(push('report-status no-push-options')))).toMatchObject({ kind: 'push' })
})
