// Class (a) of attacks.md PER: what the host would run later, planted where nothing was, changed where something was, lifted as the control.
// The witness is the project on the host; `control.txt` shows that the same cell could write.
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inCell, type World } from '../support/anchorhold.ts'
import { gitWorld, plantingOf, policyFile, quote } from '../support/repository.ts'

interface Row {
  readonly row: string
  readonly files: readonly string[]
  /** As a policy lifts them. */
  readonly lift: readonly string[]
}

const rows: readonly Row[] = [
  {
    row: 'PER-10',
    files: ['.hg/hgrc', 'deep/.hg/hgrc', '.jj/repo/config.toml', '.sl/config'],
    lift: ['.hg/hgrc', '.jj/repo/config.toml', '.sl/config'],
  },
  {
    row: 'PER-11',
    files: [
      '.vscode/tasks.json',
      '.vscode/settings.json',
      '.vscode/launch.json',
      '.vscode/extensions.json',
      '.vscode/mcp.json',
      'x.code-workspace',
      'a/b/.vscode/tasks.json',
    ],
    lift: ['.vscode', '*.code-workspace', 'mcp.json'],
  },
  {
    row: 'PER-12',
    files: ['.idea/workspace.xml', '.idea/runConfigurations/x.xml', '.fleet/run.json', '.zed/tasks.json', 'x.sublime-project'],
    lift: ['.idea', '.fleet', '.zed', '*.sublime-project'],
  },
  {
    row: 'PER-13',
    files: ['.exrc', '.nvim.lua', '.vimrc', '.dir-locals.el', 'sub/.exrc'],
    lift: ['.exrc', '.nvim.lua', '.vimrc', '.dir-locals.el'],
  },
  {
    row: 'PER-14',
    files: ['.devcontainer/devcontainer.json', '.devcontainer.json', 'sub/.devcontainer/x/devcontainer.json'],
    lift: ['.devcontainer', '.devcontainer.json'],
  },
  {
    row: 'PER-15 FS-07',
    files: [
      'settings.json',
      'settings.local.json',
      'hooks/x.sh',
      'commands/x.md',
      'agents/x.md',
      'skills/x/SKILL.md',
      'plugins/x.json',
    ].map((name) => `.claude/${name}`),
    lift: ['.claude/settings*.json', '.claude/hooks', '.claude/commands', '.claude/agents', '.claude/skills', '.claude/plugins'],
  },
  {
    row: 'PER-16',
    files: [
      '.mcp.json',
      '.cursor/mcp.json',
      '.cursor/hooks.json',
      '.cursor/environment.json',
      '.codex/config.toml',
      '.gemini/settings.json',
      '.gemini/.env',
      '.kiro/x.json',
      '.windsurf/x.json',
      '.amazonq/x.json',
      'opencode.json',
      'sub/.mcp.json',
    ],
    lift: ['.mcp.json', 'mcp.json', '.cursor', '.codex', '.gemini', '.kiro', '.windsurf', '.amazonq', 'opencode.json'],
  },
  { row: 'PER-17', files: ['.cursor/rules/x.mdc'], lift: ['.cursor'] },
  { row: 'PER-18', files: ['.envrc', 'sub/.envrc', 'mise.toml', '.mise/config.toml'], lift: ['.envrc', 'mise.toml', '.mise'] },
  {
    row: 'PER-27',
    files: [
      '.bashrc',
      '.zshrc',
      '.zshenv',
      '.profile',
      '.bash_login',
      '.inputrc',
      '.tmux.conf',
      '.gdbinit',
      '.psqlrc',
      '.ripgreprc',
      '.gitconfig',
    ],
    lift: [
      '.bashrc',
      '.zshrc',
      '.zshenv',
      '.profile',
      '.bash_login',
      '.inputrc',
      '.tmux.conf',
      '.gdbinit',
      '.psqlrc',
      '.ripgreprc',
      '.gitconfig',
    ],
  },
  {
    row: 'PER-29',
    files: [
      '.github/workflows/ci.yml',
      '.gitlab-ci.yml',
      '.pre-commit-config.yaml',
      '.husky/pre-commit',
      'lefthook.yml',
      '.githooks/pre-push',
    ],
    lift: ['.github/workflows', '.gitlab-ci.yml', '.pre-commit-config.yaml', '.husky', 'lefthook.yml', '.githooks'],
  },
  { row: 'CFG PER', files: ['anchorhold.yaml', 'anchorhold.yml'], lift: ['anchorhold.yaml', 'anchorhold.yml'] },
]

const harmless = (file: string) => (/anchorhold\.ya?ml$/.test(file) ? '{}\n' : 'original\n')

function standing(world: World, files: readonly string[]): readonly string[] {
  return files.filter((file) => existsSync(path.join(world.project, file)))
}

describe('planted where nothing was', () => {
  it.each(rows)('$row does not stay', async ({ files }) => {
    const world = gitWorld()
    const { code } = await inCell(world, `${plantingOf(files)}; echo ok > control.txt`)
    expect({ code, standing: standing(world, files), control: readFileSync(path.join(world.project, 'control.txt'), 'utf8') }).toEqual({
      code: 0,
      standing: [],
      control: 'ok\n',
    })
  })

  it.each(rows.filter(({ row }) => !row.startsWith('CFG')))(
    '$row stays where the user lifted it: the check can go red',
    async ({ files, lift }) => {
      const world = gitWorld()
      const { code, stderr } = await inCell(world, plantingOf(files), ['--policy', policyFile(world, { files: { unprotect: lift } })])
      expect({ code, stderr: code === 0 ? '' : stderr, standing: standing(world, files) }).toEqual({ code: 0, stderr: '', standing: files })
    },
  )
})

describe('changed where something was', () => {
  it.each(rows)('$row keeps its bytes, mode and place under every way to write', async ({ files: all }) => {
    const world = gitWorld()
    const files = all.filter((file) => file !== 'anchorhold.yml') // two policies are refused
    for (const file of files) {
      mkdirSync(path.dirname(path.join(world.project, file)), { recursive: true })
      writeFileSync(path.join(world.project, file), harmless(file))
    }
    const attacks = files.map((file, index) => {
      const f = quote(file)
      const top = quote(file.split('/')[0] ?? file)
      return `echo evil > ${f}; echo evil >> ${f}; cp control.txt ${f}; mv control.txt ${f}; rm -f ${f}; ln ${f} alias${index} && echo evil > alias${index}; ln -sf control.txt ${f}
        chmod 777 ${f}; truncate -s0 ${f}; sed -i s/original/evil/ ${f}; dd if=/dev/zero of=${f} bs=4 count=1 conv=notrunc; touch -d 1999-01-01 ${f}; exec 9<>${f} && echo evil >&9
        mv ${f} away${index}; rm -rf "$(dirname ${f})"; ln -sfn /tmp ${top}; mkdir -p "$(dirname ${f})"; echo evil > ${f}`
    })
    await inCell(
      world,
      `echo control > control.txt; (${attacks.map((attack) => `(${attack})`).join('\n')}) >/dev/null 2>&1; echo ok > control2.txt`,
    )
    const found = files.map((file) => {
      const place = path.join(world.project, file)
      return {
        file,
        text: existsSync(place) ? readFileSync(place, 'utf8') : 'gone',
        mode: existsSync(place) ? lstatSync(place).mode & 0o111 : 0,
      }
    })
    expect(found).toEqual(files.map((file) => ({ file, text: harmless(file), mode: 0 })))
    expect(readFileSync(path.join(world.project, 'control2.txt'), 'utf8')).toBe('ok\n')
  })
})

/** Re-spelled, odd, nested: the same names in the ways that some file system or tool takes for them. */
const spellings: readonly (readonly [row: string, file: string])[] = [
  ['FS-08 case', '.GIT/hooks/pre-commit'],
  ['FS-08 case', '.Claude/Settings.JSON'],
  ['FS-08 case', '.VsCode/tasks.json'],
  ['FS-08 case', '.GitHub/WorkFlows/ci.yml'],
  ['FS-08 case', '.ENVRC'],
  ['FS-08 case', 'sub/.Mcp.Json'],
  ['FS-08 long s', '.v\u017fcode/tasks.json'],
  ['FS-08 Kelvin', '.hus\u212ay/pre-commit'],
  ['FS-08 zero width', '.vs\u200bcode/tasks.json'],
  ['FS-08 joiner', '.g\u200cit/hooks/pre-commit'],
  ['FS-08 soft hyphen', '.en\u00advrc'],
  ['FS-08 variation selector', '.mcp\ufe0f.json'],
  ['FS-08 byte order mark', '\ufeff.envrc'],
  ['FS-08 ligature', '.con\ufb01g/\ufb01sh/x.fish'],
  ['FS-08 trailing dot', '.vscode./tasks.json'],
  ['FS-08 trailing blank', '.vscode /tasks.json'],
  ['FS-07 newline in a parent', 'a\nb/.envrc'],
  ['FS-07 options in a parent', '--force/.envrc'],
  ['FS-07 long parents', `${'d'.repeat(255)}/${'e'.repeat(255)}/.envrc`],
  ['FS-07 long name', `${'n'.repeat(240)}.code-workspace`],
  ['FS-07 255 bytes', `${'n'.repeat(255 - 15)}.code-workspace`],
]

it('FS-07 FS-08 PER names stay what they are under every spelling', async () => {
  const world = gitWorld()
  const files = spellings.map(([, file]) => path.posix.normalize(file))
  const { code } = await inCell(world, `${plantingOf(files)}; echo ok > control.txt`)
  const isThere = (file: string) => existsSync(path.join(world.project, path.posix.normalize(file)))
  expect({
    code,
    standing: spellings.filter(([, file]) => isThere(file)).map(([row, file]) => `${row}: ${file}`),
  }).toEqual({ code: 0, standing: [] })
  expect(existsSync(path.join(world.project, 'control.txt'))).toBe(true)
})

it('FS-07 names that are not UTF-8 are taken too', async () => {
  const world = gitWorld()
  const { code } = await inCell(
    world,
    `mkdir -p "$(printf 'x\\377y')"; echo e > "$(printf 'x\\377y/.envrc')"; echo e > "$(printf '\\377.code-workspace')"; echo ok > control.txt`,
  )
  const names = execFileSync('find', [world.project, '-printf', '%P\\0']).toString('latin1').split('\0')
  expect(code).toBe(0)
  expect(names.filter((name) => /envrc|workspace/.test(name))).toEqual([])
  expect(names).toContain('control.txt')
})

it.each([
  ['a pipe', 'mkfifo .envrc; mkfifo .vscode; mkfifo .mcp.json'],
  ['a socket', `perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $_, Listen => 1) for ".envrc", ".vscode", ".mcp.json"'`],
  ['a link', 'ln -s control.txt .envrc; ln -s /tmp .vscode; ln -s nowhere .mcp.json'],
  [
    'a locked folder',
    'mkdir -p .vscode; echo e > .vscode/tasks.json; chmod 000 .vscode; echo e > .envrc; chmod 000 .envrc; echo e > .mcp.json; chmod 400 .mcp.json',
  ],
  [
    'in a locked folder',
    'mkdir -p box/box; for n in .envrc .mcp.json; do echo e > box/box/$n; done; mkdir box/box/.vscode; chmod 000 box/box box',
  ],
  [
    'in a folder that can only be searched',
    'mkdir box; chmod 311 box; for n in .envrc .mcp.json; do echo e > box/$n; done; mkdir box/.vscode; chmod 111 box',
  ],
  ['a deep tree', 'mkdir .vscode; cd .vscode; echo e > tasks.json; for i in $(seq 200); do mkdir d; cd d; done'],
  ['a huge file', 'truncate -s 20G .envrc; truncate -s 20G x.code-workspace'],
])('FS-21 FS-22 PER-11 %s at a protected name is taken, and nobody waits for it', async (_what, script) => {
  // The second time the quarantine lies on another file system and has to copy.
  for (const elsewhere of [false, true]) {
    const world = gitWorld()
    const state = elsewhere ? mkdtempSync('/dev/shm/ah-state-') : undefined
    if (state !== undefined) onTestFinished(() => rmSync(state, { recursive: true, force: true }))
    const { code } = await inCell(world, `echo ok > control.txt; ( ${script} ) 2>/dev/null; true`, [], {
      env: state === undefined ? {} : { XDG_STATE_HOME: state },
    })
    expect(code).toBe(0)
    const names = readdirSync(world.project, { recursive: true }).map(String)
    expect(names.filter((name) => /(^|\/)(\.envrc|\.vscode|\.mcp\.json|x\.code-workspace)$/.test(name))).toEqual([])
    expect(names).toContain('control.txt')
  }
})
