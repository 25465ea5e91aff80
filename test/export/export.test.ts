import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { mustAsk } from '../../src/images/program.ts'
import { anchorhold, makeWorld } from '../support/anchorhold.ts'
import { describeContainers } from '../support/containers.ts'
import { exported, secret } from './support.ts'

/** What the cell tries, one answer a line. */
const attempts = `
echo "plain: $(curl -sS -m 10 -H "Authorization: Bearer $TOKEN" http://model.test/plain 2>&1)"
echo "ended: $(curl -sS -m 10 -H "Authorization: Bearer $TOKEN" https://model.test/ended 2>&1)"
echo "name: $(curl -sS -m 10 http://evil.test/ 2>&1)"
echo "address: $(curl -sS -m 10 http://192.0.2.7/ 2>&1)"
echo "loopback: $(curl -sS -m 10 http://127.0.0.1:$1/ 2>&1)"
echo "proxy: $(curl -sS -m 10 -x http://127.0.0.1:3128 http://evil.test/ 2>&1 | head -c 400 | tr '\\n' ' ')"
echo "route: $(ip route add default dev lo 2>&1)"
echo "hidden: $(cat .env)."
echo "protected: $(sh -c 'echo x >.vscode/tasks.json' 2>&1)"
echo "root: $(touch /usr/x 2>&1)"
echo "rights: $(grep -cE '^(CapPrm|CapEff|CapBnd).*[1-9a-f]|NoNewPrivs:.0|Seccomp:.[01]$' /proc/self/status)"
echo "calls: $(unshare --user true 2>&1)"
echo "environment: $(env | grep -c "${secret.slice(0, 8)}""${secret.slice(8)}")"
cat readme; echo inside >made
`

function judge(stdout: string, port: number): void {
  const answers = Object.fromEntries(
    stdout.split(/\r?\n/).flatMap((line) => (/^(\w+): (.*)$/.exec(line) === null ? [] : [line.split(/: (.*)/s).slice(0, 2)])),
  )
  // What the policy allows works, with the real value outside and the placeholder inside.
  expect(answers['plain']).toMatch(/^witness of model.test: Bearer anchorhold-[0-9a-f]{40}$/)
  expect(answers['ended']).toMatch(/^witness of model.test: Bearer anchorhold-[0-9a-f]{40}$/)
  // Everything else does not.
  expect(answers['name']).toContain('Could not resolve host')
  expect(answers['address']).toMatch(/Empty reply|reset|refused|denied|not allowed/i)
  expect(answers['loopback'], String(port)).toMatch(/Couldn't connect|refused/)
  expect(answers['proxy']).toContain('evil.test')
  expect(answers['proxy']).not.toContain('witness')
  expect(answers['route']).toContain('not permitted')
  expect(answers['hidden']).toBe('.')
  expect(answers['protected']).toContain('Read-only file system')
  expect(answers['root']).toContain('Read-only file system')
  expect(answers['rights']).toBe('0')
  expect(answers['calls']).toContain('not permitted')
  expect(answers['environment']).toBe('0')
  expect(stdout).toContain('of the project')
  expect(stdout).not.toContain(secret)
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile())
}

await describeContainers(
  'an exported policy',
  (engine) => {
    const program = { name: engine.program, argv: [engine.program], env: engine.env } as const

    test('docker: a script of its commands keeps the wall; nothing is left of it, and its journal is whole', async () => {
      const { folder, world, seen, port, start } = await exported(engine, { form: 'docker', command: ['true'] })
      const ran = await start([path.join(folder, 'run.sh'), 'sh', '-c', attempts, 'sh', String(port)])
      expect(ran.code, ran.stderr).toBe(0)
      judge(ran.stdout, port)
      expect(seen).toEqual([`/plain Bearer ${secret}`, `/ended Bearer ${secret}`])
      expect(readFileSync(path.join(world.project, 'made'), 'utf8')).toBe('inside\n')
      expect((await start([path.join(folder, 'run.sh'), 'sh', '-c', 'exit 7'])).code).toBe(7)
      // Neither files nor what the engine shows of the containers' images have the value.
      expect(filesBelow(folder).filter((file) => readFileSync(file).includes(secret))).toEqual([])
      expect(await mustAsk(program, ['ps', '--all', '--quiet', '--filter', 'name=anchorhold-export'])).toBe('')
      const sessions = path.join(folder, 'state/sessions')
      const journals = readdirSync(sessions).map((id) => readFileSync(path.join(sessions, id, 'journal.jsonl'), 'utf8'))
      expect(journals).toHaveLength(2)
      expect(journals[0]).toContain('"kind":"network.refused"')
      expect(journals[0]).toContain('"kind":"session.ended"')
    })

    test('compose: the same from a project of three services; without the gateway the cell reaches nothing', async () => {
      const { folder, seen, port, start } = await exported(engine, { form: 'compose', command: ['sh', '-c', attempts, 'sh'] })
      const compose = ['docker-compose', '--file', path.join(folder, 'compose.yaml')] as const
      onTestFinished(async () => void (await start([...compose, 'down', '--volumes', '--timeout', '1'])))
      const ran = await start([...compose, 'run', '--rm', '-T', 'cell', 'sh', '-c', attempts, 'sh', String(port)])
      expect(ran.code, ran.stderr).toBe(0)
      judge(ran.stdout, port)
      expect(seen).toHaveLength(2)
      expect((await start([...compose, 'kill', 'gateway'])).code).toBe(0)
      const after = await start([...compose, 'run', '--rm', '--no-deps', '-T', 'cell', 'curl', '-sS', '-m', '5', 'http://model.test/after'])
      expect(after.code).not.toBe(0)
      expect(seen).toHaveLength(2)
    })

    test('what files cannot keep is refused, and so is a folder that the cell could write to', async () => {
      const world = makeWorld()
      const to = path.join(world.home, 'out')
      const refused = async (...flags: readonly string[]) => (await anchorhold(world, ['export', 'docker', ...flags, '--', 'true'])).stderr
      expect(await refused('--to', to, '--workspace', 'review')).toContain('cannot keep a review')
      expect(await refused('--to', to, '--mode', 'auto')).toContain('cannot keep the mode auto')
      expect(await refused('--to', to, '--budget', '5')).toContain('cannot keep a budget')
      const shown = await anchorhold(world, ['export', 'docker', '--to', to, '--secret', 'TOKEN@model.test', '--', 'echo', secret], {
        env: { TOKEN: secret },
      })
      expect(shown.code).toBe(125)
      expect(shown.stderr).not.toContain(secret)
      expect(await refused('--to', path.join(world.project, 'out'))).toContain('where the cell could change it')
      expect(existsSync(path.join(to, 'run.sh'))).toBe(false)
    })
  },
  ['docker'],
)
