// Where values are read: the variable, the file, the command, the keyring and the store. Real programs and files; what is not safe is refused with the reason (SEC-30, 31).
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { SecretRule, SecretSource } from '../../src/model/secret.ts'
import { openSecrets } from '../../src/secrets/open.ts'
import type { SourceContext } from '../../src/secrets/sources.ts'
import { listStored, readStored, removeStored, writeStored } from '../../src/secrets/store.ts'

const value = 'sk-ant-api03-the-value-itself-0123456789'

function place(): SourceContext & { readonly root: string; readonly project: string } {
  const root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'ah-sources-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const project = path.join(root, 'project')
  mkdirSync(project)
  mkdirSync(path.join(root, 'bin'))
  return {
    root,
    project,
    hostHome: root,
    dataDir: path.join(root, 'data'),
    shown: [project],
    hostEnv: { PATH: `${root}/bin:${process.env['PATH'] ?? ''}` },
  }
}

const rule = (from: SecretSource): SecretRule => ({
  name: 'THE_KEY',
  from,
  hosts: [],
  where: ['header'],
  origin: { kind: 'user', source: 'test' },
})

function program(folder: string, name: string, body: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  return file
}

async function valueOf(from: SecretSource, context: SourceContext): Promise<string> {
  const [held] = await openSecrets([rule(from)], context)
  return held === undefined ? '' : held.current()
}

describe('a variable', () => {
  it('is read; one that is not set or is empty is refused', async () => {
    const context = place()
    expect(await valueOf({ kind: 'env', variable: 'V' }, { ...context, hostEnv: { V: value } })).toBe(value)
    await expect(valueOf({ kind: 'env', variable: 'V' }, context)).rejects.toMatchObject({ code: 'secret/unset' })
    await expect(valueOf({ kind: 'env', variable: 'V' }, { ...context, hostEnv: { V: '' } })).rejects.toMatchObject({
      code: 'secret/unset',
    })
  })

  it.each([
    ['short', 'abc1234', 'shorter than 8'],
    ['of two lines', 'abcdefgh\nijkl', 'line feed'],
    ['with an escape', 'abcdefgh\x1b[0m', 'control character'],
    ['not ASCII', 'abcdefghé', 'ASCII'],
    ['with a space at its end', 'abcdefgh ', 'space'],
    ['without anything to vary', '----------', 'too few letters'],
  ])('that is %s is refused without being shown', async (_what, text, reason) => {
    const error = await valueOf({ kind: 'env', variable: 'V' }, { ...place(), hostEnv: { V: text } }).then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    )
    expect(error).toMatchObject({ code: 'secret/bad-value' })
    expect(error?.message).toContain(reason)
    expect(JSON.stringify({ ...error, message: error?.message })).not.toContain(text)
  })
})

describe('a file', () => {
  it('is read without its last line feed, also through a link of the user', async () => {
    const context = place()
    const file = path.join(context.root, 'key')
    writeFileSync(file, `${value}\n`, { mode: 0o600 })
    symlinkSync(file, path.join(context.root, 'link'))
    expect(await valueOf({ kind: 'file', path: file }, context)).toBe(value)
    expect(await valueOf({ kind: 'file', path: path.join(context.root, 'link') }, context)).toBe(value)
  })

  it('that others can read, that the cell can read, or that is no file, is refused', async () => {
    const context = place()
    const file = path.join(context.root, 'key')
    writeFileSync(file, value, { mode: 0o600 })
    for (const mode of [0o644, 0o640, 0o620]) {
      chmodSync(file, mode)
      await expect(valueOf({ kind: 'file', path: file }, context)).rejects.toThrow('chmod 600')
    }
    chmodSync(file, 0o600)
    const inside = path.join(context.project, 'key')
    writeFileSync(inside, value, { mode: 0o600 })
    symlinkSync(inside, path.join(context.root, 'innocent'))
    await expect(valueOf({ kind: 'file', path: inside }, context)).rejects.toThrow('the cell can read it')
    await expect(valueOf({ kind: 'file', path: path.join(context.root, 'innocent') }, context)).rejects.toThrow('the cell can read it')
    await expect(valueOf({ kind: 'file', path: context.root }, context)).rejects.toMatchObject({ code: 'secret/file' })
    await expect(valueOf({ kind: 'file', path: path.join(context.root, 'none') }, context)).rejects.toThrow('does not exist')
  })
})

describe('a command', () => {
  it('is run with its arguments as they are, with its input at an end, from the user’s own PATH', async () => {
    const context = place()
    program(
      path.join(context.root, 'bin'),
      'printer',
      `[ "$#" = 2 ] && [ "$2" = 'a b;$(c)' ] && [ -z "$(cat)" ] && printf '%s\\n' ${value}`,
    )
    expect(await valueOf({ kind: 'command', argv: ['printer', 'read', 'a b;$(c)'] }, context)).toBe(value)
  })

  it('that fails is refused with what it said, credentials taken out; one in the project does not count', async () => {
    const context = place()
    const { renderFailure } = await import('../../src/report/failure.ts')
    program(path.join(context.root, 'bin'), 'failing', `echo "no vault; tried ${value}" >&2; exit 3`)
    const error = await valueOf({ kind: 'command', argv: ['failing'] }, context).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'secret/command' })
    expect(renderFailure(error)).toContain('no vault')
    expect(renderFailure(error)).not.toContain(value)
    program(context.project, 'planted', `echo ${value}; touch ${context.root}/ran`)
    const planted = { ...context, hostEnv: { PATH: `${context.project}:.` } }
    await expect(valueOf({ kind: 'command', argv: ['planted'] }, planted)).rejects.toMatchObject({ code: 'secret/no-program' })
    await expect(valueOf({ kind: 'command', argv: [path.join(context.project, 'planted')] }, context)).rejects.toMatchObject({
      code: 'secret/no-program',
    })
    expect(existsSync(path.join(context.root, 'ran'))).toBe(false)
  })
})

describe('the keyring', () => {
  it('is asked through secret-tool, and its absence says how to get it', async () => {
    const context = place()
    const from = { kind: 'keyring', service: 'svc', account: 'me' } as const
    await expect(valueOf(from, { ...context, hostEnv: { PATH: path.join(context.root, 'bin') } })).rejects.toMatchObject({
      code: 'secret/no-keyring',
    })
    program(path.join(context.root, 'bin'), 'secret-tool', `[ "$*" = 'lookup service svc account me' ] && printf %s ${value}`)
    expect(await valueOf(from, context)).toBe(value)
    await expect(valueOf({ ...from, account: 'other' }, context)).rejects.toMatchObject({ code: 'secret/not-in-keyring' })
  })
})

describe('the store', () => {
  it('keeps, replaces, lists and removes, for the user alone', async () => {
    const { dataDir } = place()
    expect(await listStored(dataDir)).toEqual([])
    await expect(readStored(dataDir, 'A_KEY')).rejects.toMatchObject({ code: 'secret/not-stored' })
    await writeStored(dataDir, 'A_KEY', 'first-value')
    await Promise.all(['second-value', 'second-value', 'second-value'].map((text) => writeStored(dataDir, 'A_KEY', text)))
    await writeStored(dataDir, 'B_KEY', 'other-value')
    expect(await readStored(dataDir, 'A_KEY')).toBe('second-value')
    expect((await listStored(dataDir)).map(({ name }) => name)).toEqual(['A_KEY', 'B_KEY'])
    expect(statSync(path.join(dataDir, 'secrets')).mode & 0o777).toBe(0o700)
    expect(statSync(path.join(dataDir, 'secrets', 'A_KEY')).mode & 0o777).toBe(0o600)
    expect(await removeStored(dataDir, 'A_KEY')).toBe(true)
    expect(await removeStored(dataDir, 'A_KEY')).toBe(false)
  })

  it('follows no link, takes no name that leads elsewhere, and is not used where others could have touched it', async () => {
    const { dataDir, root } = place()
    await writeStored(dataDir, 'A_KEY', 'first-value')
    const target = path.join(root, 'elsewhere')
    writeFileSync(target, 'not to be touched', { mode: 0o600 })
    symlinkSync(target, path.join(dataDir, 'secrets', 'L_KEY'))
    await expect(readStored(dataDir, 'L_KEY')).rejects.toMatchObject({ code: 'secret/store-unsafe' })
    await writeStored(dataDir, 'L_KEY', 'a-new-value')
    expect(readFileSync(target, 'utf8')).toBe('not to be touched')
    for (const name of ['../x', 'a/b', '.hidden', '', 'a b'])
      await expect(writeStored(dataDir, name, 'x')).rejects.toMatchObject({ code: 'secret/bad-name' })
    chmodSync(path.join(dataDir, 'secrets', 'A_KEY'), 0o644)
    await expect(readStored(dataDir, 'A_KEY')).rejects.toMatchObject({ code: 'secret/store-unsafe' })
    chmodSync(path.join(dataDir, 'secrets'), 0o755)
    await expect(readStored(dataDir, 'B_KEY')).rejects.toMatchObject({ code: 'secret/store-unsafe' })
    rmSync(path.join(dataDir, 'secrets'), { recursive: true })
    symlinkSync(root, path.join(dataDir, 'secrets'))
    await expect(readStored(dataDir, 'B_KEY')).rejects.toMatchObject({ code: 'secret/store-unsafe' })
  })
})

it('several secrets get placeholders that are neither each other nor any value', async () => {
  const context = place()
  const hostEnv = { A: 'aaaaaaaa1', B: 'bbbbbbbb2' }
  const held = await openSecrets([rule({ kind: 'env', variable: 'A' }), { ...rule({ kind: 'env', variable: 'B' }), name: 'OTHER' }], {
    ...context,
    hostEnv,
  })
  expect(new Set([...held.map(({ placeholder }) => placeholder), ...Object.values(hostEnv)]).size).toBe(4)
})
