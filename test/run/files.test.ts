// What a cell sees of the files (attacks.md FS-01..04, 13, 14, 16, 23, 26, 31, 32), through the real command line.
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'

const canary = () => `canary-${Math.random().toString(36).slice(2)}`

describe('files', () => {
  it('shows the project at its own path, writable, and changes reach the host', async () => {
    const world = makeWorld()
    writeFileSync(path.join(world.project, 'in.txt'), 'from outside')
    const { code, stdout } = await inCell(world, 'pwd; cat in.txt; echo from inside > out.txt')
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${world.project}\nfrom outside` })
    expect(readFileSync(path.join(world.project, 'out.txt'), 'utf8')).toBe('from inside\n')
  })

  it('does not have the keys of the user: no home, no other project, no byte of them anywhere readable', async () => {
    const world = makeWorld()
    const secret = canary()
    const places = [
      '.ssh/id_canary',
      '.aws/credentials',
      '.config/gh/hosts.yml',
      '.netrc',
      '.npmrc',
      '.docker/config.json',
      '.kube/config',
      '.git-credentials',
      '.bash_history',
      'work/other-project/CANARY',
    ]
    for (const place of places) {
      const file = path.join(world.home, place)
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, secret)
    }
    writeFileSync(path.join(world.project, 'control'), secret)
    const script = `
      for f in ${places.map((place) => `'${path.join(world.home, place)}' "$HOME/${place}"`).join(' ')}; do [ -e "$f" ] && echo "SEEN $f"; done
      ls -a ..; ls -a ../..
      grep -rlsF '${secret}' --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr / `
    const { stdout } = await inCell(world, script)
    expect(stdout).not.toContain('SEEN')
    expect(stdout).not.toContain('other-project')
    expect(stdout.split('\n').filter((line) => line.startsWith('/'))).toEqual([path.join(world.project, 'control')])
  })

  it.each(['/', '/etc', '/usr', '/usr/local', '/opt', '/root', '/home', '/var', '/boot', '/srv'])('cannot write %s', async (folder) => {
    const world = makeWorld()
    const name = canary()
    const { stdout } = await inCell(world, `touch ${folder}/${name} 2>/dev/null; echo done`)
    expect(stdout).toBe('done\n')
    expect(existsSync(path.join(folder, name))).toBe(false)
  })

  it('has a private /tmp, /var/tmp and /dev/shm; TMPDIR exists', async () => {
    const world = makeWorld()
    const name = canary()
    const { stdout } = await inCell(
      world,
      `for d in /tmp /var/tmp /dev/shm "$XDG_RUNTIME_DIR"; do echo x > $d/${name} && echo ok; done; mktemp`,
    )
    expect(stdout).toMatch(/^ok\nok\nok\nok\n\/tmp\//)
    for (const folder of ['/tmp', '/var/tmp', '/dev/shm']) expect(existsSync(path.join(folder, name))).toBe(false)
  })

  it('follows no link out of the project', async () => {
    const world = makeWorld()
    const secret = canary()
    writeFileSync(path.join(world.home, 'outside'), secret)
    symlinkSync(path.join(world.home, 'outside'), path.join(world.project, 'absolute'))
    symlinkSync('../../outside', path.join(world.project, 'relative'))
    symlinkSync('relative', path.join(world.project, 'chain'))
    const { stdout } = await inCell(
      world,
      'cat absolute relative chain /proc/self/root/../../outside /proc/1/root/etc/shadow 2>/dev/null; echo end',
    )
    expect(stdout).toBe('end\n')
  })

  it('keeps the home of a cell between runs, apart from the host and from other projects', async () => {
    const world = makeWorld()
    const name = canary()
    await inCell(world, `echo kept > "$HOME/${name}"`)
    expect((await inCell(world, `cat "$HOME/${name}"`)).stdout).toBe('kept\n')
    expect(existsSync(path.join(world.home, name))).toBe(false)
    const other = path.join(world.home, 'work/other')
    mkdirSync(other)
    expect((await inCell(world, `cat "$HOME/${name}" 2>&1 || echo none`, [], { cwd: other })).stdout).toContain('none')
  })

  it('has only harmless devices, and a passwd of one user', async () => {
    const world = makeWorld()
    const { stdout } = await inCell(
      world,
      'ls /dev; echo --; cat /etc/passwd; echo --; id -un; hostname; ls /sys /etc/shadow /etc/ssl/private 2>&1',
    )
    const [devices = '', passwd = '', rest = ''] = stdout.split('--\n')
    const allowed = [
      'console',
      'core',
      'fd',
      'full',
      'mqueue',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'zero',
    ]
    expect(
      devices
        .trim()
        .split('\n')
        .filter((name) => !allowed.includes(name)),
    ).toEqual([])
    expect(passwd.trim().split('\n')).toHaveLength(1)
    expect(rest).toMatch(/^agent\nanchorhold\n/)
    expect(rest).not.toMatch(/firmware|class|kernel/)
  })

  it('works in a project with an awkward name', async () => {
    const world = makeWorld()
    for (const name of ['--bind', 'with space', 'quo\'te"s', '$(touch x)', 'ünï-☃', '-v']) {
      const project = path.join(world.home, 'work', name)
      mkdirSync(project)
      const { code, stdout } = await inCell(world, 'pwd && echo ok > made', [], { cwd: project })
      expect({ name, code, stdout }).toEqual({ name, code: 0, stdout: `${project}\n` })
      expect(readdirSync(project)).toEqual(['made'])
    }
  })

  it.each([
    ['the home folder', (home: string) => home],
    ['the root', () => '/'],
    ['/etc', () => '/etc'],
    ['a parent of the home', (home: string) => path.dirname(home)],
    ['a dot folder of the home', (home: string) => path.join(home, '.config')],
  ])('refuses %s as a project', async (_what, folder) => {
    const world = makeWorld()
    mkdirSync(path.join(world.home, '.config'))
    const { code, stderr, stdout } = await anchorhold(world, ['run', '--', 'echo', 'ran'], { cwd: folder(world.home) })
    expect(code).toBe(125)
    expect(stdout).toBe('')
    expect(stderr).toContain('cannot be the project')
  })

  it('readonly: reads work, every write fails, the host stays as it was', async () => {
    const world = makeWorld()
    writeFileSync(path.join(world.project, 'a'), 'one')
    const { code, stdout } = await inCell(world, 'cat a; echo two > a; echo new > b; mkdir c; rm a; mv a d', ['--workspace', 'readonly'])
    expect(stdout).toBe('one')
    expect(code).not.toBe(0)
    expect(readdirSync(world.project)).toEqual(['a'])
    expect(readFileSync(path.join(world.project, 'a'), 'utf8')).toBe('one')
  })

  it('shows a mounted file or folder, read-only unless asked otherwise', async () => {
    const world = makeWorld()
    const shared = path.join(world.home, 'shared')
    const output = path.join(world.home, 'output')
    for (const folder of [shared, output]) mkdirSync(folder)
    writeFileSync(path.join(shared, 'data'), 'shared data')
    const script = `cat '${shared}/data'; echo x > '${shared}/no' 2>/dev/null; echo x > '${output}/yes'`
    const { stdout } = await inCell(world, script, ['--mount', shared, '--mount', `${output}:rw`])
    expect(stdout).toBe('shared data')
    expect(existsSync(path.join(shared, 'no'))).toBe(false)
    expect(existsSync(path.join(output, 'yes'))).toBe(true)
  })
})
