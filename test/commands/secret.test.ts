// `anchorhold secret`: the store at the command line, and a prompt that shows nothing. `explain secret` says all but the value.
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorhold, makeWorld } from '../support/anchorhold.ts'
import { policyFile } from '../support/repository.ts'
import { openTerminal } from '../support/terminal.ts'

const value = 'glpat-0123456789abcdefWXYZ'

describe('anchorhold secret', () => {
  it('keeps a value from standard input, lists names, removes', async () => {
    const world = makeWorld()
    const set = await anchorhold(world, ['secret', 'set', 'MY_TOKEN'], { input: `${value}\n` })
    expect(set).toMatchObject({ code: 0, stderr: '' })
    const file = path.join(world.home, '.local/share/anchorhold/secrets/MY_TOKEN')
    expect(readFileSync(file, 'utf8')).toBe(value)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700)
    const list = await anchorhold(world, ['secret', 'list'])
    const json = await anchorhold(world, ['secret', 'list', '--json'])
    expect(list.stdout).toMatch(/^MY_TOKEN {2}set \d{4}-/)
    expect(JSON.parse(json.stdout)).toMatchObject({ name: 'MY_TOKEN' })
    for (const { stdout, stderr } of [set, list, json]) expect(stdout + stderr).not.toContain(value)
    expect(await anchorhold(world, ['secret', 'remove', 'MY_TOKEN'])).toMatchObject({ code: 0 })
    expect((await anchorhold(world, ['secret', 'list'])).stdout).toContain('empty')
    expect((await anchorhold(world, ['secret', 'remove', 'MY_TOKEN'])).stderr).toContain('anchorhold secret set MY_TOKEN')
  })

  it.each([
    ['nothing', ['secret', 'set', 'T_A'], '', 'no value came'],
    ['two lines', ['secret', 'set', 'T_A'], 'one-line-of-it\ntwo\n', 'line feed'],
    ['a short value', ['secret', 'set', 'T_A'], 'short', 'shorter than 8'],
    ['a bad name', ['secret', 'set', '../T_A'], value, 'not a name'],
    ['a value as an argument', ['secret', 'set', 'T_A', value], '', 'too many arguments'],
  ])('refuses %s and keeps nothing', async (_what, args, input, reason) => {
    const world = makeWorld()
    const { code, stderr } = await anchorhold(world, args, { input })
    expect(code).toBe(125)
    expect(stderr.toLowerCase()).toContain(reason)
    expect(stderr).not.toContain(value)
    expect((await anchorhold(world, ['secret', 'list'])).stdout).toContain('empty')
  })

  it('asks on a terminal without showing what is typed; Ctrl-C keeps nothing, and the terminal echoes again', async () => {
    const world = makeWorld()
    const terminal = openTerminal(world)
    terminal.type('anchorhold secret set TYPED; echo "code $?"\n')
    await terminal.see('Value of TYPED (not shown): ')
    terminal.type(`wrong\x7f\x7f\x7f\x7f\x7f${value}\r`)
    await terminal.see('Kept: TYPED')
    await terminal.see('code 0')
    terminal.type('anchorhold secret set OTHER; echo "code $?"\n')
    await terminal.see('Value of OTHER (not shown): ')
    terminal.type(`${value}\x03`)
    await terminal.see('no value came')
    await terminal.see('code 125')
    terminal.type('echo it is sh""own\n')
    await terminal.see('echo it is sh""own')
    await terminal.see('it is shown')
    expect(terminal.all()).not.toContain(value)
    expect(readFileSync(path.join(world.home, '.local/share/anchorhold/secrets/TYPED'), 'utf8')).toBe(value)
    expect((await anchorhold(world, ['secret', 'list'])).stdout).not.toContain('OTHER')
  })
})

describe('anchorhold explain', () => {
  it('says where a secret comes from, who gets it, what the cell sees, and whether it is there', async () => {
    const world = makeWorld()
    const policy = policyFile(world, {
      secrets: [
        {
          name: 'T_A',
          from: 'store',
          hosts: ['api.thing.test', '*.b.test:8443'],
          where: ['header', 'query'],
          methods: ['GET'],
          paths: ['/v1/**'],
        },
      ],
    })
    const before = await anchorhold(world, ['explain', 'secret', 'T_A', '--policy', policy])
    expect(before).toMatchObject({ code: 0 })
    expect(before.stdout).toMatch(/^T_A: absent\n/)
    expect(before.stdout).toContain("from anchorhold's store")
    expect(before.stdout).toContain('put in for api.thing.test, *.b.test:8443 in header, query, only GET at /v1/**')
    expect(before.stdout).toContain('placeholder of the same form')
    expect(before.stdout).toContain('anchorhold secret set T_A')
    await anchorhold(world, ['secret', 'set', 'T_A'], { input: value })
    const after = await anchorhold(world, ['explain', 'secret', 'T_A', '--policy', policy, '--json'])
    expect(JSON.parse(after.stdout)).toMatchObject({ subject: 'T_A', verdict: 'ready' })
    expect(after.stdout).not.toContain(value)
    const unknown = await anchorhold(world, ['explain', 'secret', 'T_B', '--policy', policy])
    expect(unknown).toMatchObject({ code: 125 })
    expect(unknown.stderr).toContain('anchorhold run --secret T_B@HOST')
  })

  it('names bound secrets at their hosts, and the placeholder at their variable', async () => {
    const world = makeWorld()
    const options = ['--secret', 'T_A@api.thing.test']
    const host = await anchorhold(world, ['explain', 'host', 'api.thing.test', 'other.test', ...options], { env: { T_A: value } })
    expect(host.stdout).toMatch(/api\.thing\.test:443: allow\n.*the secret T_A is put in there \(header, Basic\)/)
    expect(host.stdout).toContain('other.test:443: deny')
    const variable = await anchorhold(world, ['explain', 'env', 'T_A', ...options], { env: { T_A: value } })
    expect(variable.stdout).toMatch(/^T_A: placeholder\n/)
    expect(host.stdout + variable.stdout).not.toContain(value)
  })
})
