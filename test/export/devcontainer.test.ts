import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { devcontainerCli } from '../images/devcontainer-cli.ts'
import { describeContainers } from '../support/containers.ts'
import { exported, secret } from './support.ts'

await describeContainers(
  'an exported development container',
  (engine) => {
    test('opens by its own command line; what an editor starts in it is behind the wall as well', async () => {
      const { folder, world, seen, port, start } = await exported(engine, { form: 'devcontainer', command: [] })
      const own = [
        '--workspace-folder',
        folder,
        '--docker-compose-path',
        'docker-compose',
        '--user-data-folder',
        path.join(world.home, 'cli'),
      ]
      mkdirSync(path.join(world.home, 'cli'))
      const up = await start([devcontainerCli.node, devcontainerCli.program, 'up', ...own])
      const project = /"composeProjectName":"([^"]+)"/.exec(up.stdout)?.[1] ?? 'none'
      const compose = ['docker-compose', '--project-name', project, '--file', path.join(folder, 'compose.yaml')] as const
      onTestFinished(async () => void (await start([...compose, 'down', '--volumes', '--timeout', '1'])))
      expect(up.code, up.stderr + up.stdout).toBe(0)
      const tried = await start([
        devcontainerCli.node,
        devcontainerCli.program,
        'exec',
        ...own,
        'sh',
        '-c',
        `pwd; cat readme; curl -sS -m 10 -H "Authorization: Bearer $TOKEN" http://model.test/editor; curl -sS -m 10 http://evil.test; curl -sS -m 10 http://127.0.0.1:${port}; unshare --user true; grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status`,
      ])
      const said = `${tried.stdout}${tried.stderr}`
      expect(said).toContain(`${world.project}\n`)
      expect(said).toContain('of the project')
      expect(said).toContain('witness of model.test: Bearer anchorhold-')
      expect(said).toContain('Could not resolve host: evil.test')
      expect(said).toMatch(/Couldn't connect|refused/)
      expect(said).toContain('unshare failed: Operation not permitted')
      expect(said).toMatch(/CapEff:\s+0+\n/)
      expect(said).toMatch(/NoNewPrivs:\s+1\nSeccomp:\s+2\n/)
      expect(said).not.toContain(secret)
      expect(seen).toEqual([`/editor Bearer ${secret}`])
    })
  },
  ['docker'],
)
