// A git token in real cells: the real git clones, fetches and pushes over https with a placeholder; the server is a real git http-backend.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inCell, makeWorld, type World } from '../support/anchorhold.ts'
import { git, startGitServer } from '../support/git-server.ts'
import { policyFile } from '../support/repository.ts'

const token = `glpat-${'a1B2c3D4e5F6g7H8i9'.repeat(2)}`

interface Scene {
  readonly world: World
  readonly bare: string
  readonly other: string
  readonly seen: readonly { readonly url: string; readonly password: string | undefined }[]
  readonly inside: (script: string) => ReturnType<typeof inCell>
}

async function open(binding: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const world = makeWorld()
  const server = await startGitServer({ password: token })
  const [bare, other] = [server.make('me/thing'), server.make('me/other')]
  const policy = policyFile(world, {
    env,
    secrets: [{ name: 'GIT_TOKEN', from: 'env', hosts: ['git.thing.test'], git: { repository: 'me/thing', ...binding } }],
    network: { routes: { 'git.thing.test:443': `http://127.0.0.1:${server.port}` } },
  })
  const set = 'git config --global user.name a; git config --global user.email a@b.test;'
  const inside = (script: string): ReturnType<typeof inCell> =>
    inCell(world, `${set} ${script}`, ['--policy', policy], { env: { GIT_TOKEN: token } })
  return { world, bare, other, seen: server.seen, inside }
}

function refs(bare: string): string {
  return git(bare, 'for-each-ref', '--format=%(refname:short)').trim().split('\n').join(' ')
}

const commit = 'echo x >> file; git add file; git commit -qm work;'

it('git works inside without any configuration: clone, fetch, push to the branches that are named; the token is nowhere inside', async () => {
  const { world, bare, seen, inside } = await open({ push: ['agent/*'] })
  const done = await inside(`
    git clone -q https://git.thing.test/me/thing.git clone && cd clone && ${commit}
    git push -q origin HEAD:refs/heads/agent/one && git fetch -q origin && git log --oneline origin/agent/one | wc -l
    env; cat /proc/*/environ | tr '\\0' '\\n'; git config --list --show-origin`)
  expect(done.code, done.stderr).toBe(0)
  expect(done.stdout.split('\n')[0]?.trim()).toBe('2')
  expect(refs(bare)).toBe('agent/one main')
  expect(seen.filter(({ password }) => password !== undefined).every(({ password }) => password === token)).toBe(true)
  expect(done.stdout + done.stderr).not.toContain(token)
  const files = readdirSync(world.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  expect(
    files.map((entry) => path.join(entry.parentPath, entry.name)).filter((file) => readFileSync(file, 'latin1').includes(token)),
  ).toEqual([])
})

it('another repository, another branch, a tag, a forced push and the rest of the host do not get the token; each refusal says why', async () => {
  const { bare, other, seen, inside } = await open({ push: ['agent/*'] })
  const done = await inside(`
    git clone -q https://git.thing.test/me/thing.git clone && cd clone && ${commit} git push -q origin HEAD:agent/one
    git clone -q https://git.thing.test/me/other.git ../other 2>&1
    git push https://git.thing.test/me/other.git HEAD:agent/two 2>&1
    git push origin HEAD:main 2>&1; git push origin HEAD:refs/tags/v1 2>&1; git push origin :agent/one 2>&1
    git reset -q --hard HEAD~1; ${commit} git commit -q --amend -m other; git push -f origin HEAD:agent/one 2>&1
    curl -sS -u "x:$GIT_TOKEN" https://git.thing.test/api/v4/user; true`)
  expect(refs(bare)).toBe('agent/one main')
  expect(refs(other)).toBe('main')
  expect(git(bare, 'log', '--format=%s', 'agent/one').trim()).toBe('work\nthe first')
  expect(seen.filter(({ url, password }) => password !== undefined && !url.startsWith('/me/thing'))).toEqual([])
  for (const code of ['git-repository', 'git-branch', 'git-push', 'git-force', 'git-only'])
    expect(done.stdout + done.stderr, code).toContain(code)
})

it('a token for fetching does not push; without the binding (weakened) it would', async () => {
  for (const [binding, pushed] of [
    [{}, false],
    [{ push: ['**'], force: true, tags: true, remove: true }, true],
  ] as const) {
    const { bare, inside } = await open(binding)
    const done = await inside(`
      git clone -q https://git.thing.test/me/thing.git clone && cd clone && ${commit}
      git push -q origin HEAD:main; git commit -q --amend -m forced; git push -qf origin HEAD:main HEAD:refs/tags/v1; true`)
    expect(done.code, done.stderr).toBe(0)
    expect(refs(bare)).toBe(pushed ? 'main v1' : 'main')
    expect(git(bare, 'log', '--format=%s', '-1', 'main').trim()).toBe(pushed ? 'forced' : 'the first')
  }
})

it('the helper that gives git the placeholder stands behind what the policy sets itself', async () => {
  const { inside } = await open({}, { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'alias.hi', GIT_CONFIG_VALUE_0: '!echo hello' })
  const done = await inside('git hi; git ls-remote https://git.thing.test/me/thing.git')
  expect(done.stdout, done.stderr).toMatch(/^hello\n[0-9a-f]{40}/)
})
