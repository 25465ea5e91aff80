// The command line as a way to talk the wall down: unknown, wrong and contradicting options (attacks.md CFG-12, 14, 23).
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorhold, makeWorld } from '../support/anchorhold.ts'
import { expectRefused } from './refusals.ts'

describe('options that are wrong', () => {
  it('unknown ones are refused with the nearest right one', async () => {
    const world = makeWorld()
    const table = {
      '--enigne': '--engine',
      '--polcy': '--policy',
      '--worksapce': '--workspace',
      '--mod': '--mode',
      '--alow': '--allow',
      '--dney': '--deny',
      '--rout': '--route',
      '--evn': '--env',
      '--hid': '--hide',
      '--muont': '--mount',
      '--limits': '--limit',
      '--nmae': '--name',
      '--jsno': '--json',
      '--dryrun': '--dry-run',
      '--quite': '--quiet',
      '--verbos': '--verbose',
      '--projct': '--project',
    }
    await Promise.all(
      Object.entries(table).map(([wrong, right]) =>
        expectRefused(world, [wrong], new RegExp(`Unknown option '${wrong}'[^]*Did you mean ${right}\\?`)),
      ),
    )
    for (const wrong of [
      '--no-sandbox',
      '--unsafe',
      '--dangerously-skip-permissions',
      '--privileged',
      '--yolo',
      '-x',
      '--quiet=false',
      '--json=0',
      '--no-json',
      '--no-limit',
    ])
      await expectRefused(world, [wrong], /Unknown option .*\n.*(?:--help|Did you mean)/)
  })

  it('as JSON where it is asked for', async () => {
    const world = makeWorld()
    const { code, stderr } = await anchorhold(world, ['run', '--json', '--enigne', 'x', 'true'])
    expect([code, JSON.parse(stderr)]).toEqual([
      125,
      expect.objectContaining({
        kind: 'result',
        exitCode: 125,
        error: expect.objectContaining({ code: 'command/usage', remedy: 'Did you mean --engine?' }),
      }),
    ])
  })

  it.each([
    ['--allow', '', /empty/],
    ['--allow', '*', /star alone/],
    ['--allow', '*.', /star alone/],
    ['--allow', '*.com', /strangers/],
    ['--allow', ' ', /space/],
    ['--allow', 'a.test,b.test', /character/],
    ['--allow', '0.0.0.0/0', /path|mask|address/],
    ['--allow', '127.0.0.1', /address/],
    ['--allow', '[::]', /address/],
    ['--allow', 'a.test:0', /port/],
    ['--allow', 'a.test:1-65535', /port/],
    ['--allow', 'a.test:*', /port/],
    ['--allow', 'https://a.test', /scheme/],
    ['--allow', 'npmm', /Did you mean "npm"/],
    ['--allow', 'all', /no preset/],
    ['--deny', '', /empty/],
    ['--deny', '*', /star/],
    ['--route', '', /no =/],
    ['--route', 'a.test=', /address/],
    ['--route', '=127.0.0.1', /empty/],
    ['--route', '*.a.test=127.0.0.1', /star/],
    ['--route', 'a.test=b.test', /not an IP address/],
    ['--route', 'a.test=0.0.0.0', /names no machine/],
    ['--env', '', /letters/],
    ['--env', '=x', /letters/],
    ['--env', 'A B=x', /letters/],
    ['--env', '1A=x', /letters/],
    ['--hide', '', /empty/],
    ['--hide', '*', /everything/],
    ['--hide', '**', /everything/],
    ['--hide', '../x', /\.\./],
    ['--hide', '~/.ssh', /not expanded/],
    ['--hide', '$HOME/x', /not expanded/],
    ['--hide', '!x', /exceptions/],
    ['--hide', 'a[b', /without its \]/],
    ['--hide', 'a\nb', /control/],
    ['--limit', '', /not NAME=VALUE/],
    ['--limit', 'memory', /Write --limit memory=VALUE/],
    ['--limit', 'memroy=1g', /Write --limit memory=VALUE/],
    ['--limit', 'memory=', /takes a size/],
    ['--limit', 'memory=-1', /takes a size/],
    ['--limit', 'memory=1', /smallest/],
    ['--limit', 'memory=1e9', /takes a size/],
    ['--limit', 'memory=99999999999999t', /takes a size/],
    ['--limit', 'processes=0', /whole number/],
    ['--limit', 'processes=-1', /whole number/],
    ['--limit', 'processes=0x10', /whole number/],
    ['--limit', 'cpus=0', /smallest|cores/],
    ['--limit', 'cpus=NaN', /cores/],
    ['--limit', 'time=0s', /smallest|duration/],
    ['--limit', 'time=60', /duration/],
    ['--limit', 'tmp=Infinity', /takes a size/],
    ['--engine', '', /./],
    ['--engine', 'none', /cannot be used here/],
    ['--engine', 'gvisor', /cannot be used here/],
    ['--engine', 'Bubblewrap', /cannot be used here/],
    ['--mode', '', /Allowed choices/],
    ['--mode', 'bypass', /Allowed choices/],
    ['--workspace', '', /Allowed choices/],
    ['--workspace', 'rw', /Allowed choices/],
    ['--policy', '', /./],
    ['--policy', '/dev/null', /not a regular file/],
    ['--policy', '/', /./],
    ['--project', '', /empty path/],
    ['--project', '/nowhere', /does not exist/],
    ['--name', '', /cannot be the name/],
    ['--name', '../../x', /cannot be the name/],
    ['--name', 'a\nb', /cannot be the name/],
    ['--name', '-x', /cannot be the name/],
  ] as const)('CFG-14 CFG-23 %s=%j', async (option, value, why) => expectRefused(makeWorld(), [`${option}=${value}`], why))

  it('CFG-12 one thing said in two ways is refused; said twice alike it is one thing', async () => {
    const world = makeWorld()
    const shared = path.join(world.home, 'shared')
    mkdirSync(shared)
    const pairs: readonly (readonly [string, string, string])[] = [
      ['--mode', 'ask', 'auto'],
      ['--workspace', 'live', 'readonly'],
      ['--engine', 'auto', 'bubblewrap'],
      ['--name', 'a', 'b'],
      ['--project', '.', '..'],
      ['--policy', 'a', 'b'],
      ['--env', 'A=1', 'A=2'],
      ['--env', 'A=1', 'A'],
      ['--limit', 'processes=100', 'processes=200'],
      ['--limit', 'file-size=1m', 'fileSize=2m'],
      ['--mount', `${shared}:ro`, `${shared}/:rw`],
      ['--route', 'a.test=127.0.0.1:1', 'A.test.=127.0.0.1:2'],
    ]
    for (const [option, one, two] of pairs) {
      await expectRefused(world, [option, one, option, two], /cannot be given together/)
      await expectRefused(world, [option, two, option, one], /cannot be given together/)
    }
    await expectRefused(world, ['--quiet', '--verbose'], /cannot be given together/)
    const twice = [
      '--mode',
      'ask',
      '--workspace',
      'live',
      '--env',
      'A=1',
      '--limit',
      'processes=100',
      '--mount',
      shared,
      '--allow',
      'a.test',
      '--deny',
      'a.test',
      '--quiet',
    ]
    const { code, stdout } = await anchorhold(world, ['run', ...twice, ...twice, '--', 'sh', '-c', 'echo $A'])
    expect([code, stdout]).toEqual([0, '1\n'])
  })
})
