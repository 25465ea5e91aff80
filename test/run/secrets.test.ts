// Secrets in real cells: the server gets the value, the cell has a placeholder, and a search of everything finds the value nowhere else.
// (attacks.md SEC-01, 02, 05, 06, 08, 09, 14, 16, 18, 20, 21; PRX-50.)
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { formsOf } from '../../src/secrets/forms.ts'
import { anchorhold, inCell, makeWorld, start, type World } from '../support/anchorhold.ts'
import { policyFile } from '../support/repository.ts'

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const fresh = (prefix: string): string =>
  prefix + Array.from({ length: 40 }, () => letters[Math.floor(Math.random() * letters.length)]).join('')

interface Server {
  readonly port: number
  readonly requests: { readonly method: string; readonly url: string; readonly headers: http.IncomingHttpHeaders; readonly body: string }[]
  route(host: string, port?: number): readonly string[]
}

/** Answers with what it was sent, in the head and in the body. */
async function echo(): Promise<Server> {
  const requests: Server['requests'] = []
  const server = http.createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      requests.push({ method, url, headers, body: Buffer.concat(pieces).toString() })
      const text = JSON.stringify({ url, headers })
      if (url === '/redirect') response.statusCode = 307
      response.setHeader('Location', 'https://other.test/landed')
      response.setHeader('X-Echo', headers.authorization ?? headers['x-api-key'] ?? 'none')
      response.setHeader('Set-Cookie', 'session=theirs')
      response.end(`${text}\n${Buffer.from(text).toString('base64')}\n${Buffer.from(` ${text}`).toString('base64')}\n`)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, requests, route: (host, seen = 443) => ['--route', `${host}:${seen}=http://127.0.0.1:${port}`] }
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

const holds = (text: string, value: string): boolean => [...formsOf(value).values()].some((form) => text.includes(form))

/** Every file that anchorhold or the cell wrote, and every text given. */
function leaks(world: World, value: string, texts: Readonly<Record<string, string>>): readonly string[] {
  const files = filesBelow(world.home).filter((file) => holds(readFileSync(file, 'latin1'), value))
  return [...files, ...Object.entries(texts).flatMap(([name, text]) => (holds(text, value) ? [name] : []))]
}

it('SEC-05 SEC-06 the server has the value, the cell never: not in its variables, its files, its processes, nor in an answer', async () => {
  const world = makeWorld()
  const server = await echo()
  const value = fresh('sk-ant-api03-')
  const options = ['--secret', 'TOKEN@api.thing.test', ...server.route('api.thing.test')]
  const script = `
    curl -sSi https://api.thing.test/v1/x -H "Authorization: Bearer $TOKEN" | tee answer
    curl -sS --compressed https://api.thing.test/v1/y -u "me:$TOKEN" >> answer
    env > variables; cat /proc/*/environ /proc/*/cmdline > processes 2>/dev/null; printf %s "$TOKEN" > placeholder; true`
  const { stdout, stderr, code } = await inCell(world, script, ['--verbose', ...options], { env: { TOKEN: value } })
  expect(code, stderr).toBe(0)
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
    `Bearer ${value}`,
    `Basic ${Buffer.from(`me:${value}`).toString('base64')}`,
  ])
  const read = (name: string): string => readFileSync(path.join(world.project, name), 'latin1')
  const placeholder = read('placeholder')
  expect(placeholder).toMatch(/^sk-ant-api03-[A-Za-z0-9]{40}$/)
  expect(leaks(world, value, { stdout, stderr })).toEqual([])
  // The answer arrived, with the placeholder where the value stood, and without a session of the server's.
  expect(read('answer').toLowerCase()).toContain(`x-echo: bearer ${placeholder}`.toLowerCase())
  expect(read('answer')).not.toMatch(/set-cookie/i)
  expect(read('answer')).toContain(`"authorization":"Bearer ${placeholder}"`)
  expect(stderr).toContain('secret TOKEN put in 2 times (api.thing.test)')
  expect(stderr).toContain('api.thing.test sent the value of the secret TOKEN back')
  // Weakened: passed on as a variable, the same search finds it in all of these.
  await inCell(world, script, ['--env', 'TOKEN', ...server.route('api.thing.test')], { env: { TOKEN: value } })
  expect(
    leaks(world, value, {})
      .map((file) => path.basename(file))
      .toSorted(),
  ).toEqual(['answer', 'placeholder', 'processes', 'variables'])
})

it('SEC-08 SEC-09 SEC-14 SEC-16 SEC-18 PRX-50 what goes elsewhere, or comes from somebody else, is refused with the binding and its mend', async () => {
  const world = makeWorld()
  const server = await echo()
  const [value, other] = [fresh('ghp_'), fresh('glpat-')]
  const options = [
    '--secret=TOKEN@api.thing.test',
    '--secret=OTHER@other.test',
    '--allow=free.test',
    ...server.route('api.thing.test'),
    ...server.route('other.test'),
    ...server.route('read.test'),
    `--route=free.test:80=127.0.0.1:${server.port}`,
    `--route=api.thing.test:80=127.0.0.1:${server.port}`,
  ]
  const script = `
    ask() { echo "== $1"; shift; curl -sS -m 10 "$@" 2>&1; }
    ask other https://other.test/ -H "Authorization: Bearer $TOKEN"
    ask read https://read.test/ -H "X-Api-Key: $TOKEN"
    ask plain http://free.test/ -H "Authorization: Bearer $TOKEN"
    ask foreign https://api.thing.test/v1/files -H "x-api-key: sk-of-the-attacker-0123456789"
    ask beside https://api.thing.test/ -H "Authorization: Bearer $TOKEN" -H "x-api-key: sk-of-the-attacker-0123456789"
    ask query "https://api.thing.test/?token=$TOKEN"
    ask redirect -L https://api.thing.test/redirect -H "x-api-key: $TOKEN"
    ask control https://api.thing.test/ -H "x-api-key: $TOKEN"`
  const { stdout, stderr } = await inCell(world, script, options, { env: { TOKEN: value, OTHER: other } })
  const answers = Object.fromEntries(
    stdout
      .split('== ')
      .slice(1)
      .map((part) => [part.split('\n')[0] ?? '', part]),
  )
  expect(answers['other']).toContain('(secret-host)')
  expect(answers['other']).toContain('anchorhold run --secret TOKEN@other.test …')
  expect(answers['plain']).toContain('(secret-host)')
  expect(answers['read']).toContain('(secret-host)')
  expect(answers['foreign']).toContain('(foreign-credential)')
  expect(answers['beside']).toContain('(foreign-credential)')
  expect(answers['query']).toContain('(secret-place)')
  expect(answers['redirect']).toContain('(secret-host)')
  expect(answers['control']).toContain('x-api-key')
  expect(server.requests.map(({ url, headers }) => [url, headers['x-api-key']])).toEqual([
    ['/redirect', value],
    ['/', value],
  ])
  expect(leaks(world, value, { stdout, stderr })).toEqual([])
  expect(leaks(world, other, { stdout, stderr })).toEqual([])
  expect(stderr).toContain('is a credential, and not the placeholder of TOKEN')
})

it('SEC-20 SEC-21 the value is in no argument and in no environment but its caller’s, in no journal, dry run or list', async () => {
  const world = makeWorld()
  const server = await echo()
  const value = fresh('npm_')
  const policy = policyFile(world, { secrets: [{ name: 'TOKEN', from: 'store', hosts: ['api.thing.test'] }] })
  const kept = await anchorhold(world, ['secret', 'set', 'TOKEN'], { input: `${value}\n` })
  expect(kept).toMatchObject({ code: 0 })
  const [passed, options] = [fresh('dp.pt.'), ['--policy', policy, '--secret', 'PASSED@other.test', ...server.route('api.thing.test')]]
  const script =
    'curl -sS https://api.thing.test/$TOKEN/x; curl -sS https://api.thing.test/ -H "Private-Token: $TOKEN"; echo > up; cat down'
  execFileSync('mkfifo', ['up', 'down'], { cwd: world.project })
  const { child, outcome } = start(world, ['run', '--json', ...options, '--', 'sh', '-c', script], { env: { PASSED: passed } })
  await readFile(path.join(world.project, 'up'))
  const family = descendants(child.pid ?? 0)
  expect(family.length).toBeGreaterThan(2)
  const texts = Object.fromEntries(
    family.flatMap((pid) => ['cmdline', 'environ'].map((what) => [`${pid} ${what}`, tryRead(`/proc/${pid}/${what}`)])),
  )
  await writeFile(path.join(world.project, 'down'), '')
  const { stdout, stderr } = await outcome
  expect(server.requests.map(({ headers }) => headers['private-token'])).toEqual([value])
  const show = (...commands: readonly (readonly string[])[]) =>
    Promise.all(commands.map((args) => anchorhold(world, args, { env: { PASSED: passed } })))
  const shown = await show(
    ['run', '--dry-run', ...options, '--', 'true'],
    ['run', '--dry-run', '--json', ...options, '--', 'true'],
    ['policy', ...options],
    ['policy', '--json', ...options],
    ['explain', 'secret', 'TOKEN', ...options],
    ['explain', 'host', 'api.thing.test', ...options],
    ['explain', 'env', 'TOKEN', ...options],
    ['secret', 'list'],
  )
  // When the dry runs are over: a dry run is the newest session for as long as it lasts.
  shown.push(...(await show(['log'], ['log', '--json'])))
  for (const { code, stderr: said } of shown) expect(code, said).toBe(0)
  expect(shown[0]?.stdout).toMatch(/^ {2}TOKEN=.?\[placeholder\]/m)
  expect(shown[0]?.stdout).toContain('TOKEN for api.thing.test')
  expect(shown[4]?.stdout).toContain('the value is there now')
  expect(shown[5]?.stdout).toContain('the secret TOKEN is put in')
  expect(shown[8]?.stdout).toContain('secret TOKEN put in for api.thing.test:443 (header)')
  const own = `${child.pid} environ` // the caller gave it: the one place where it stays
  const others = Object.fromEntries(Object.entries(texts).filter(([name]) => name !== own))
  expect(texts[own]).toContain(passed)
  expect(leaks(world, passed, { ...others, shown: JSON.stringify(shown), stdout, stderr })).toEqual([])
  const stored = path.join(world.home, '.local/share/anchorhold/secrets/TOKEN')
  expect(
    leaks(world, value, {
      stdout,
      stderr,
      ...texts,
      ...Object.fromEntries(shown.map((one, at) => [`command ${at}`, one.stdout + one.stderr])),
    }),
  ).toEqual([stored])
})

it('a value that stands in the command line, or in another variable, is refused before anything starts', async () => {
  const world = makeWorld()
  const value = fresh('hf_')
  for (const args of [
    ['--', 'curl', '-H', `Authorization: Bearer ${value}`, 'https://api.thing.test/'],
    ['--env', `OTHER=x${value}`, '--', 'true'],
    ['--env', `OTHER=${Buffer.from(`u:${value}`).toString('base64')}`, '--', 'true'],
  ]) {
    const { code, stderr } = await anchorhold(world, ['run', '--secret', 'TOKEN@api.thing.test', ...args], { env: { TOKEN: value } })
    expect(code).toBe(125)
    expect(stderr).toContain('would be readable in the cell')
    expect(stderr).not.toContain(value)
  }
  expect(leaks(world, value, {})).toEqual([])
})

it('a secret that cannot be had keeps the run from starting, and says why', async () => {
  const world = makeWorld()
  const unset = await anchorhold(world, ['run', '--secret', 'TOKEN@api.thing.test', '--', 'touch', 'ran'])
  expect(unset).toMatchObject({ code: 125 })
  expect(unset.stderr).toContain('TOKEN, which is not set')
  const policy = policyFile(world, { secrets: [{ name: 'TOKEN', from: 'store', hosts: ['api.thing.test'] }] })
  const missing = await anchorhold(world, ['run', '--policy', policy, '--', 'touch', 'ran'])
  expect(missing.stderr).toContain('anchorhold secret set TOKEN')
  expect(readdirSync(world.project)).toEqual([])
})

function descendants(pid: number): readonly number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = /^\d+ \(.*\) \S (\d+)/s.exec(tryRead(`/proc/${name}/stat`))?.[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const found = [pid]
  for (const one of found) for (const [child, parent] of parents) if (parent === one) found.push(child)
  return found.filter((one) => tryLink(`/proc/${one}/exe`) !== undefined)
}

function tryRead(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return '' // it ended meanwhile
  }
}

function tryLink(file: string): string | undefined {
  try {
    return readlinkSync(file)
  } catch {
    return undefined
  }
}
