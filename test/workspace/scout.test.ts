// The scout on real trees: what it finds, that its index never lies, that nothing odd on disk stops it, that it sees what appears.
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { gitPart, startScout, type Match, type ScoutEvent } from '../../src/workspace/scout.ts'
import { makeTables } from '../../src/workspace/tables.ts'

const noFiles = { mount: [], hide: [], protect: [], unprotect: [] }
const { patterns } = makeTables(noFiles, 'all')

function scene(): { readonly root: string; readonly index: string; readonly put: (file: string, content?: string) => void } {
  const top = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-scout-')))
  onTestFinished(() => {
    execFileSync('chmod', ['-R', 'u+rwX', top])
    execFileSync('rm', ['-rf', top])
  })
  const root = path.join(top, 'root')
  mkdirSync(root)
  return {
    root,
    index: path.join(top, 'index'),
    put(file, content = 'x') {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
      writeFileSync(path.join(root, file), content)
    },
  }
}

async function scan(root: string, index?: string): Promise<readonly Match[]> {
  await using scout = startScout({ roots: [{ path: root, ...(index === undefined ? {} : { index }) }], patterns, mode: 'commands' })
  return await scout.first
}

const lines = (matches: readonly Match[]) =>
  [...new Set(matches.map(({ id, type, path: found, note }) => `${id} ${type} ${found} ${note}`))].toSorted()
const paths = (matches: readonly Match[]) => [...new Set(matches.map((match) => match.path))].toSorted()

describe('what is found', () => {
  test('names at any depth and in any spelling, but templates of CI only at the top of a repository', async () => {
    const { root, put } = scene()
    const found = [
      '.vscode/tasks.json',
      'a/b/.idea/x',
      'A/.VsCode/x',
      '.Claude/Settings.JSON',
      'a/.mcp.json',
      'x.code-workspace',
      '.env',
      'b/.env.local',
      '.github/workflows/ci.yml',
      'repo/.git/HEAD',
      'repo/.github/workflows/x.yml',
      '.v\u017fcode/x',
      'anchorhold.yaml',
      'c/.envrc',
    ]
    for (const file of [
      ...found,
      'a/.github/workflows/no.yml',
      'node_modules/p/.vscode/x',
      'node_modules/p/.env',
      'vscode/x',
      'a.env',
      '.claude/CLAUDE.md',
      'settings.json',
    ])
      put(file)
    expect(paths(await scan(root))).toEqual(
      [
        '.Claude/Settings.JSON',
        '.env',
        '.github/workflows',
        '.vscode',
        '.v\u017fcode',
        'A/.VsCode',
        'a/.mcp.json',
        'a/b/.idea',
        'anchorhold.yaml',
        'b/.env.local',
        'c/.envrc',
        'repo/.github/workflows',
        'x.code-workspace',
      ].toSorted(),
    )
  })

  test('git-dirs by name and by shape, in dependency folders too; their insides stay unread', async () => {
    const { root, put } = scene()
    for (const dir of ['.git', 'buried/deep', '.GIT2/.Git', 'node_modules/p/.git', '.git/modules/lib/sub'])
      for (const file of ['HEAD', 'config', 'hooks/pre-commit', 'objects/x/.git/config', 'refs/heads/main']) put(`${dir}/${file}`)
    put('tree/.git', 'gitdir: ../.git/worktrees/tree\n')
    put('.git/worktrees/tree/commondir', '../..')
    put('.git/worktrees/tree/HEAD')
    put('src/objects/a')
    put('src/refs/b')
    put('src/config')
    expect(paths(await scan(root))).toEqual(
      [
        '.git/config',
        '.git/hooks',
        '.git/modules/lib/sub/config',
        '.git/modules/lib/sub/hooks',
        '.git/worktrees/tree/commondir',
        '.GIT2/.Git/config',
        '.GIT2/.Git/hooks',
        'buried/deep/config',
        'buried/deep/hooks',
        'node_modules/p/.git/config',
        'node_modules/p/.git/hooks',
        'tree/.git',
      ].toSorted(),
    )
  })

  test('a thousand nested repositories', async () => {
    const { root, put } = scene()
    for (let i = 0; i < 1000; i += 1) {
      put(`r${i}/.git/HEAD`)
      put(`r${i}/.git/config`)
    }
    expect(await scan(root)).toHaveLength(1000)
  })

  test('sockets are nobody’s business here: none is found, none is connected to', async () => {
    const { root } = scene()
    let visits = 0
    const server = createServer(() => (visits += 1))
    await new Promise<void>((resolve) => server.listen(path.join(root, 'live.sock'), resolve))
    expect(await scan(root)).toEqual([])
    expect(visits).toBe(0)
    await new Promise((resolve) => server.close(resolve))
  })
})

/** 5000 levels: no path names the last one, so it is gone down by steps. */
const oddTree = String.raw`
chdir shift or die; mkfifo('.env', 0600) or die; mkfifo('fifo', 0600) or die; symlink('..', 'loop'); symlink('self', 'self');
sub touch { open(my $f, '>', shift) or die }
mkdir "new\nline"; touch("new\nline/.mcp.json"); mkdir 'n' x 255; touch(('n' x 255) . '/.envrc'); mkdir "\xff\xfe"; touch("\xff\xfe/.mcp.json");
for (1..5000) { mkdir 'd' or die; chdir 'd' or die }
touch('.mcp.json')`

describe('odd trees', () => {
  test('thousands of levels, pipes, loops of links, names of 255 bytes, line ends, bytes that are no text', async () => {
    const { root, put } = scene()
    execFileSync('perl', ['-MPOSIX=mkfifo', '-e', oddTree, root])
    put('after/.mcp.json')
    const matches = await scan(root, path.join(root, '../index'))
    const again = await scan(root, path.join(root, '../index'))
    expect(lines(again)).toEqual(lines(matches))
    expect(paths(matches).filter((found) => found.length < 300)).toEqual(
      ['.env', 'after/.mcp.json', `${'n'.repeat(255)}/.envrc`, 'new\nline/.mcp.json', '\udcff\udcfe/.mcp.json'].toSorted(),
    )
    expect(paths(matches).some((found) => found === `${'d/'.repeat(5000)}.mcp.json`)).toBe(true)
  }, 30_000)

  test('a folder that cannot be read is named, and opened as its owner at the end', async () => {
    const { root, put } = scene()
    put('locked/.mcp.json')
    chmodSync(path.join(root, 'locked'), 0)
    await using scout = startScout({ roots: [{ path: root }], patterns, mode: 'commands' })
    const rootUser = process.getuid?.() === 0
    expect(paths(await scout.first)).toEqual([rootUser ? 'locked/.mcp.json' : 'locked'])
    expect(paths(await scout.sweep())).toEqual(['locked/.mcp.json'])
  })
})

describe('the index', () => {
  const names = [
    '.vscode',
    '.env',
    'a',
    'b',
    '.git',
    'HEAD',
    'objects',
    'refs',
    'config',
    'hooks',
    '.mcp.json',
    '.claude',
    'settings.json',
    'node_modules',
  ]
  const segment = fc.constantFrom(...names)
  const place = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
  const edit = fc.oneof(
    fc.record({ kind: fc.constant('file' as const), at: place }),
    fc.record({ kind: fc.constant('folder' as const), at: place }),
    fc.record({ kind: fc.constant('remove' as const), at: place }),
    fc.record({ kind: fc.constant('move' as const), at: place, to: place }),
  )
  test('after any edits it says what a full scan says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(edit, { maxLength: 12 }), { minLength: 2, maxLength: 4 }), async (rounds) => {
        const top = mkdtempSync(path.join(tmpdir(), 'ah-index-'))
        const root = path.join(top, 'r')
        mkdirSync(root)
        await using scout = startScout({ roots: [{ path: root, index: path.join(top, 'watching') }], patterns, mode: 'watch' })
        await scout.first
        for (const round of rounds) {
          for (const change of round) apply(root, change)
          await sleep(60) // old enough for the index to keep a folder's ctime
          expect(lines(await scan(root, path.join(top, 'index')))).toEqual(lines(await scan(root)))
          // The same process, by its watch and its last look. Hook files are only listed there.
          expect(lines(await scout.sweep()).filter((line) => !line.startsWith(String(gitPart.hook)))).toEqual(lines(await scan(root)))
        }
        rmSync(top, { recursive: true, force: true })
      }),
      { numRuns: 25 },
    )
  }, 120_000)

  test('a damaged, foreign or other user’s index is not believed', async () => {
    const { root, index, put } = scene()
    put('a/.mcp.json')
    await sleep(80) // the folders' ctime has to be old enough for the index to keep it
    await scan(root, index)
    await scan(root, index)
    const good = readFileSync(index)
    for (const spoil of [
      () => good.subarray(0, 60),
      () => Buffer.alloc(good.length),
      () => Buffer.from(good.map((byte, at) => (at === good.length - 9 ? byte ^ 1 : byte))),
      () => Buffer.concat([good, Buffer.from('x')]),
      () => Buffer.alloc(0),
    ]) {
      writeFileSync(index, spoil())
      expect(paths(await scan(root, index))).toEqual(['a/.mcp.json'])
    }
    const other = scene()
    expect(paths(await scan(other.root, index))).toEqual([])
  })

  test('two scans at once leave a sound index', async () => {
    const { root, index, put } = scene()
    for (let i = 0; i < 200; i += 1) put(`d${i}/.mcp.json`)
    const results = await Promise.all(Array.from({ length: 6 }, () => scan(root, index)))
    for (const result of results) expect(result).toHaveLength(200)
    expect(await scan(root, index)).toHaveLength(200)
  })
})

function apply(
  root: string,
  change: { readonly kind: 'file' | 'folder' | 'remove' | 'move'; readonly at: string; readonly to?: string },
): void {
  const at = path.join(root, change.at)
  try {
    if (change.kind === 'remove') rmSync(at, { recursive: true })
    else {
      mkdirSync(path.dirname(change.kind === 'move' ? path.join(root, change.to ?? '') : at), { recursive: true })
      if (change.kind === 'file') writeFileSync(at, 'x')
      else if (change.kind === 'folder') mkdirSync(at)
      else renameSync(at, path.join(root, change.to ?? ''))
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error // ENOENT, EEXIST, ENOTDIR …: that edit was impossible
  }
}

describe('the watch', () => {
  async function watching(root: string) {
    const events: ScoutEvent[] = []
    const scout = startScout({ roots: [{ path: root }], patterns, mode: 'watch', onEvent: (event) => void events.push(event) })
    await scout.first
    const until = async (wanted: (event: ScoutEvent) => boolean) => {
      for (let i = 0; i < 500 && !events.some(wanted); i += 1) await sleep(10)
      expect(events.filter(wanted)).not.toEqual([])
    }
    const seen = (kind: ScoutEvent['kind'], found: string) => (event: ScoutEvent) =>
      event.kind === kind && 'match' in event && event.match.path === found
    return { scout, until, seen }
  }

  test('names that appear, in new folders too, that change in git-dirs, that vanish', async () => {
    const { root, put } = scene()
    put('old/x')
    const { scout, until, seen } = await watching(root)
    await using _ = scout
    put('old/.mcp.json')
    put('new/deep/er/.vscode/tasks.json')
    put('repo/.git/config', '[core]\n')
    await until(seen('appeared', 'old/.mcp.json'))
    await until(seen('appeared', 'new/deep/er/.vscode'))
    await until(seen('appeared', 'repo/.git/config'))
    renameSync(path.join(root, 'new'), path.join(root, 'moved'))
    await until(seen('appeared', 'moved/deep/er/.vscode'))
    put('moved/deep/er/.envrc')
    await until(seen('appeared', 'moved/deep/er/.envrc'))
    rmSync(path.join(root, 'old/.mcp.json'))
    await until(seen('vanished', 'old/.mcp.json'))
    for (const part of ['HEAD', 'objects/x', 'refs/x', 'config', 'hooks/post-update']) put(`bare/${part}`)
    await until(seen('appeared', 'bare/config'))
    await until(seen('appeared', 'bare/hooks/post-update'))
  })

  test('folders made while it walks are not missed', async () => {
    const { root, put } = scene()
    for (let i = 0; i < 300; i += 1) put(`d${i}/x`)
    const started = watching(root)
    for (let i = 0; i < 100; i += 1) put(`d${i * 3}/n/m/.mcp.json`)
    const { scout } = await started
    await using _ = scout
    expect(paths(await scout.sweep())).toHaveLength(100)
  })

  test('moves nothing through a link, and nothing out of place', async () => {
    const { root, put } = scene()
    const outside = path.join(root, '../outside')
    const kept = path.join(root, '../kept')
    mkdirSync(outside)
    mkdirSync(kept)
    writeFileSync(path.join(outside, '.mcp.json'), 'precious')
    symlinkSync(outside, path.join(root, 'link'))
    put('a/.mcp.json')
    await using scout = startScout({ roots: [{ path: root }], patterns, mode: 'commands' })
    await scout.first
    for (const evil of ['link/.mcp.json', '../outside/.mcp.json', 'a/../../outside/.mcp.json', '..', '.', ''])
      expect(await scout.move(root, evil, kept, 'k'), evil).not.toBe('')
    expect(await scout.move(root, 'link', kept, 'link')).toBe('') // the link itself, not what it names
    expect(await scout.move(root, 'a/.mcp.json', kept, 'link')).not.toBe('') // never over something
    expect(await scout.move(root, 'a/.mcp.json', kept, 'one')).toBe('')
    symlinkSync(outside, path.join(root, 'b'))
    expect(await scout.restore(kept, 'one', root, 'b/x')).not.toBe('')
    expect(await scout.restore(kept, 'one', root, 'new/folder/.mcp.json')).toBe('')
    expect(paths(await scan(outside))).toEqual(['.mcp.json'])
    expect(paths(await scan(root))).toEqual(['new/folder/.mcp.json'])
  })

  test('a folder swapped for a link over and over never leads out', async () => {
    const { root, put } = scene()
    const outside = path.join(root, '../outside')
    const kept = path.join(root, '../kept')
    mkdirSync(path.join(outside, 'x'), { recursive: true })
    mkdirSync(kept)
    writeFileSync(path.join(outside, 'x/.mcp.json'), 'precious')
    put('a/x/.mcp.json')
    symlinkSync(outside, path.join(root, 'b'))
    const swap = execSwap(root)
    await using scout = startScout({ roots: [{ path: root }], patterns, mode: 'commands' })
    await scout.first
    for (let i = 0; i < 300; i += 1) {
      if ((await scout.move(root, 'a/x/.mcp.json', kept, `k${i}`)) === '') put(`refill-${i}`)
    }
    swap.kill('SIGKILL')
    expect(readFileSync(path.join(outside, 'x/.mcp.json'), 'utf8')).toBe('precious')
  })
})

/** Call number, as perl has no function for it. */
const renameat2 = process.arch === 'arm64' ? '276' : '316'

/** Exchanges root/a and root/b (a link out) as fast as it can, until killed. */
function execSwap(root: string) {
  return spawn(
    'perl',
    ['-e', 'chdir shift; my ($n, $a, $b) = (0 + shift, "a", "b"); for (;;) { syscall($n, -100, $a, -100, $b, 2) }', root, renameat2],
    {
      stdio: 'ignore',
    },
  )
}
