// PRX-02, 54; CFG-04: policies that say nothing, say it badly, or would widen; --deny against every --allow; odd ports.
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { anchorhold, inCell, makeWorld } from '../support/anchorhold.ts'
import { httpWitness } from './witnesses.ts'

const ask = (...hosts: readonly string[]): string =>
  hosts.map((host) => `curl -s -o /dev/null -m 5 -w '%{http_code} ' http://${host}/`).join('; ')

it('PRX-02 an empty, missing or broken list reaches nothing or does not start', async () => {
  const world = makeWorld()
  const witness = await httpWitness()
  const rows = [
    ['network: { allow: [] }', true],
    ['network: {}', true],
    ['limits: { processes: 100 }', true],
    ['network: { allow: [""] }', false],
    ['network: { allow: null }', false],
    ['network: { allow: "*" }', false],
    ['network: { allow: ["*"] }', false],
    ['network: { allow: ["*.test"] }', false],
    ['network: { allowed: [good.test] }', false],
    ['network: { allow: [["good.test"]] }', false],
    ['', false],
    ['network: [good.test]', false],
    ['network: { allow: [good.test/] }', false],
    ['network: { allow: [good.test:0] }', false],
    ['network: { allow: ["0.0.0.0/0"] }', false],
    ['network: { allow: ["::/0"] }', false],
  ] as const
  const check = async ([text, starts]: (typeof rows)[number], index: number): Promise<void> => {
    const file = path.join(world.home, `policy-${index}.yaml`)
    writeFileSync(file, text, { mode: 0o600 })
    const { code, stdout } = await inCell(world, `: > ran; ${ask('good.test', '127.0.0.1', `127.0.0.1:${witness.port}`)}`, [
      '--policy',
      file,
    ])
    expect([text, code, stdout.replaceAll(/000|403/g, 'no').trim()]).toEqual(
      starts ? [text, stdout.endsWith('000 ') ? code : 0, 'no no no'] : [text, 125, ''],
    )
  }
  for (let at = 0; at < rows.length; at += 4) await Promise.all(rows.slice(at, at + 4).map((row, index) => check(row, at + index)))
  expect(witness.hits()).toBe(0)
  const open = await inCell(world, 'curl -s http://good.test/', ['--route', `good.test:80=127.0.0.1:${witness.port}`])
  expect([open.stdout, witness.hits()]).toEqual(['WITNESS', 1])
})

it('PRX-02 PRX-54 rules that would name everybody are refused, with a reason', async () => {
  const world = makeWorld()
  const rules = [
    '*',
    '*.',
    '*.com',
    '*.co.uk',
    '*.github.io',
    '*.s3.amazonaws.com',
    '*.vercel.app',
    '*.workers.dev',
    '*.blob.core.windows.net',
    '*foo.test',
    'a.*.test',
    'https://x.test',
    'x.test/y',
    ' x.test',
    'x.test ',
    '10.0.0.0/8',
    '::1:443',
    '127.0.0.1',
    '[::1]:80',
    '0x7f.1',
    '2130706433',
    'localhost',
    'localhost:80',
    'a.localhost:80',
    'host.anchorhold.internal',
    '*.anchorhold.internal',
    'x.test:0',
    'x.test:65536',
    'x.test:080',
    'x.test:',
    'x.test:1-65535',
    'x.test:*',
    'x..test',
    '',
    'x.test\n',
    'nosuchpreset',
  ]
  await Promise.all(
    [0, 1, 2].map(async (part) => {
      for (const rule of rules.filter((_rule, index) => index % 3 === part)) {
        const { code, stderr, stdout } = await anchorhold(world, ['run', '--allow', rule, '--', 'sh', '-c', ': > ran; echo RAN'])
        expect([rule, code, stdout]).toEqual([rule, 125, ''])
        expect(stderr).toMatch(/^anchorhold: /)
      }
    }),
  )
  expect(existsSync(path.join(world.project, 'ran'))).toBe(false)
})

it('PRX-54 places where anybody can publish are obeyed and warned of', async () => {
  const world = makeWorld()
  const { stderr } = await inCell(
    world,
    ':',
    ['*.amazonaws.com', '*.windows.net', 'raw.githubusercontent.com', 'docs.example.org'].flatMap((host) => ['--allow', host]),
  )
  const warned = stderr.split('\n').filter((line) => line.includes('anybody can publish'))
  expect(warned.map((line) => /warning: (\S+)/.exec(line)?.[1])).toEqual(['*.amazonaws.com', '*.windows.net', 'raw.githubusercontent.com'])
})

it('PRX-03 a deny beats every allow: of the name, of a star above it, of a route, of a policy, in any order and spelling', async () => {
  const world = makeWorld()
  const witness = await httpWitness()
  const to = `=127.0.0.1:${witness.port}`
  const routes = ['no.wild.test', 'yes.wild.test', 'deep.no.wild.test', 'routed.test'].flatMap((host) => ['--route', `${host}:80${to}`])
  const { stdout } = await inCell(world, ask('no.wild.test', 'NO.WILD.TEST.', 'deep.no.wild.test', 'routed.test', 'yes.wild.test'), [
    '--allow',
    '*.wild.test',
    '--deny',
    'No.Wild.Test.',
    '--deny',
    '*.no.wild.test',
    '--allow',
    'no.wild.test',
    ...routes,
    '--deny',
    'routed.test:80',
  ])
  expect(stdout.trim().split(' ')).toEqual(['000', '000', '000', '000', '200'])
  expect(witness.requests.map(({ headers }) => headers.host)).toEqual(['yes.wild.test'])
})

it('CFG-04 a project’s policy does not widen what may be reached, at the start or written meanwhile', async () => {
  const world = makeWorld()
  const witness = await httpWitness()
  const file = path.join(world.project, 'anchorhold.yaml')
  writeFileSync(file, `network: { allow: ["host.anchorhold.internal:${witness.port}"] }\n`)
  const url = `http://host.anchorhold.internal:${witness.port}/`
  const refused = await inCell(world, `echo RAN; curl -s ${url}`)
  expect([refused.code, refused.stdout, witness.hits()]).toEqual([125, '', 0])
  expect(refused.stderr).toContain('anchorhold trust')
  writeFileSync(file, 'network: { deny: [x.test] }\n')
  const meanwhile = await inCell(
    world,
    `echo 'network: { allow: [evil.test] }' > anchorhold.yaml; echo 'network: { allow: [evil.test] }' > ../../.config/anchorhold/policy.yaml; kill -HUP -1; curl -s -m 5 ${url}; :`,
  )
  expect(meanwhile.stdout).toBe('')
  expect(witness.hits()).toBe(0)
  expect((await inCell(world, `curl -s ${url}`, ['--allow', `host.anchorhold.internal:${witness.port}`])).stdout).toBe('WITNESS')
})
