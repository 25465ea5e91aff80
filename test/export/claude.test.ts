import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { capture } from '../../src/host/process.ts'
import { startStandin } from '../../src/standin/start.ts'
import { cachedClaude, claudeData } from '../agents/claude-cache.ts'
import { ownBase } from '../images/support.ts'
import { anchorhold, makeWorld } from '../support/anchorhold.ts'
import { describeContainers } from '../support/containers.ts'

const key = 'sk-ant-placeholder-for-tests-0123456789'

await describeContainers(
  'the real Claude Code from an export',
  (engine) => {
    test('works in its cell, with its key in the gateway alone', async () => {
      await cachedClaude()
      const standin = await startStandin({
        script: [
          { tools: [{ name: 'Bash', input: { command: 'id -un; echo from inside >made', description: 'x' } }] },
          { when: 'agent', text: 'over' },
          { text: 'the tool did not run' },
        ],
        apiKey: key,
      })
      onTestFinished(() => standin.close())
      const world = makeWorld()
      const base = await ownBase(engine)
      mkdirSync(path.join(world.home, '.config/anchorhold'), { recursive: true })
      writeFileSync(
        path.join(world.home, '.config/anchorhold/policy.yaml'),
        [
          'agent: claude',
          `image: { base: ${base} }`,
          'permissions: { mode: allow-listed, allow: ["Bash"] }',
          `network: { routes: { "api.anthropic.com:443": "http://127.0.0.1:${standin.port}" } }`,
          '',
        ].join('\n'),
      )
      const folder = path.join(world.home, 'exported')
      const made = await anchorhold(world, ['export', 'docker', '--to', folder, '--gateway-network', 'host', '--', '-p', 'go'], {
        env: { XDG_DATA_HOME: claudeData, ANTHROPIC_API_KEY: key },
        timeoutMilliseconds: 150_000,
      })
      expect(made.code, made.stderr).toBe(0)
      expect(made.stdout).toContain('Set these variables first: ANTHROPIC_API_KEY')
      const ran = await capture([path.join(folder, 'run.sh')], {
        env: { ...engine.env, ANTHROPIC_API_KEY: key },
        cwd: '/',
        timeoutMilliseconds: 170_000,
      })
      expect(ran.stdout, ran.stderr).toBe('over\n')
      expect(readFileSync(path.join(world.project, 'made'), 'utf8')).toBe('from inside\n')
      expect(standin.requests.length).toBeGreaterThan(1)
      for (const name of ['run.sh', 'gateway.json', 'gateway/Dockerfile', 'cell/Dockerfile'])
        expect(readFileSync(path.join(folder, name), 'utf8')).not.toContain(key)
    }, 400_000)
  },
  ['docker'],
)
