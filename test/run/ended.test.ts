// PRX-39, SEC-03, SEC-30: the real programs in a real cell, against a server whose TLS the gateway ends (`--route HOST:443=http://ADDRESS`).
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { makeAuthority, tlsWitness } from '../attacks/witnesses.ts'
import { anchorhold, inCell, makeWorld, type World } from '../support/anchorhold.ts'

/** A plain server outside, and the options that lead `names` to it. */
async function plainServer(answer: http.RequestListener, ...names: readonly string[]) {
  const asked: string[] = []
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.host}${request.url}`)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { asked, options: names.flatMap((name) => ['--route', `${name}:443=http://127.0.0.1:${port}`]) }
}

const greet: http.RequestListener = (_request, response) => void response.end('greeting')

async function works(world: World, script: string, options: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await inCell(world, `set -e\n${script}`, options, { timeoutMilliseconds: 90_000 })
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

const url = 'https://api.thing.test/x'

it.each([
  ['curl over HTTP/2', `curl -sSf -w ' %{http_version}' ${url}`, 'greeting 2'],
  ['curl over HTTP/1.1', `curl -sSf --http1.1 ${url}`, 'greeting'],
  ['curl without any variable', `env -i /usr/bin/curl -sSf ${url}`, 'greeting'],
  ['curl through the proxy', `curl -sSf -x http://127.0.0.1:3128 ${url}`, 'greeting'],
  ['curl through SOCKS', `curl -sSf --socks5-hostname 127.0.0.1:1080 ${url}`, 'greeting'],
  ['Node fetch', `node -e "fetch('${url}').then(async (r) => process.stdout.write(await r.text()))"`, 'greeting'],
  ['Node https', `node -e "require('https').get('${url}', (r) => r.pipe(process.stdout))"`, 'greeting'],
  ['Python', `python3 -c "import urllib.request as u; print(end=u.urlopen('${url}').read().decode())"`, 'greeting'],
  [
    'Python without any variable',
    `env -i /usr/bin/python3 -c "import urllib.request as u; print(end=u.urlopen('${url}').read().decode())"`,
    'greeting',
  ],
  [
    'Python, strict',
    `python3 -c "import ssl, urllib.request as u; c = ssl.create_default_context(); c.verify_flags |= ssl.VERIFY_X509_STRICT; print(end=u.urlopen('${url}', context=c).read().decode())"`,
    'greeting',
  ],
  [
    'openssl, strict',
    `echo | openssl s_client -connect api.thing.test:443 -servername api.thing.test -verify_hostname api.thing.test -verify_return_error -x509_strict 2>/dev/null | grep -o 'Verify return code: 0 (ok)' | head -n 1 | tr -d '\\n'`,
    'Verify return code: 0 (ok)',
  ],
])('%s', async (_name, script, expected) => {
  const { asked, options } = await plainServer(greet, 'api.thing.test')
  expect(await works(makeWorld(), script, options)).toBe(expected)
  if (expected.startsWith('greeting')) expect(asked).toEqual(['GET api.thing.test/x'])
})

it('Java, from its own key store', async () => {
  const { options } = await plainServer(greet, 'api.thing.test')
  const world = makeWorld()
  copyFileSync(path.join(import.meta.dirname, 'fixtures/Fetch.class'), path.join(world.project, 'Fetch.class'))
  expect(await works(world, `java -cp . Fetch ${url}`, options)).toBe('greeting')
}, 60_000)

it('git clones, over the smart protocol', async () => {
  const world = makeWorld()
  const root = path.join(world.home, 'served')
  const git = (cwd: string, ...args: string[]): void =>
    void execFileSync('git', args, { cwd, env: { PATH: '/usr/bin:/bin', HOME: world.home }, stdio: 'ignore' })
  mkdirSync(path.join(root, 'made'), { recursive: true })
  git(path.join(root, 'made'), 'init', '-q')
  writeFileSync(path.join(root, 'made', 'file'), 'cloned\n')
  git(path.join(root, 'made'), 'add', '.')
  git(path.join(root, 'made'), '-c', 'user.name=a', '-c', 'user.email=a@b.test', 'commit', '-qm', 'x')
  git(root, 'clone', '-q', '--bare', 'made', 'repository.git')
  const { options } = await plainServer((request, response) => serveGit(root, request, response), 'git.thing.test')
  expect(await works(world, 'git clone -q https://git.thing.test/repository.git copy; cat copy/file', options)).toBe('cloned\n')
}, 60_000)

/** git's own program behind a web server (RFC 3875). */
function serveGit(root: string, request: http.IncomingMessage, response: http.ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://x')
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: '/usr/bin:/bin',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    },
  })
  request.pipe(backend.stdin)
  const chunks: Buffer[] = []
  backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  backend.on('close', () => {
    const all = Buffer.concat(chunks)
    const end = all.indexOf('\r\n\r\n')
    for (const line of all.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(': ')
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.end(all.subarray(end + 4))
  })
}

it('npm installs from a registry', async () => {
  const world = makeWorld()
  const packed = path.join(world.home, 'packed')
  mkdirSync(path.join(packed, 'package'), { recursive: true })
  writeFileSync(path.join(packed, 'package', 'package.json'), '{"name":"small","version":"1.0.0"}')
  writeFileSync(path.join(packed, 'package', 'index.js'), 'module.exports = "installed"')
  execFileSync('tar', ['czf', 'small.tgz', 'package'], { cwd: packed })
  const tarball = readFileSync(path.join(packed, 'small.tgz'))
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
  const version = { name: 'small', version: '1.0.0', dist: { tarball: 'https://npm.thing.test/small/-/small-1.0.0.tgz', integrity } }
  const { asked, options } = await plainServer((request, response) => {
    if (request.url?.endsWith('.tgz') === true) return void response.end(tarball)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ name: 'small', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }))
  }, 'npm.thing.test')
  const script =
    'npm install --no-audit --no-fund --silent --registry https://npm.thing.test/ small >/dev/null; node -p "require(\'small\')"'
  expect(await works(world, script, options)).toBe('installed\n')
  expect(asked).toContain('GET npm.thing.test/small/-/small-1.0.0.tgz')
}, 60_000)

it('pip downloads from an index', async () => {
  const world = makeWorld()
  const made = `import zipfile
with zipfile.ZipFile('small-1.0.0-py3-none-any.whl', 'w') as z:
    z.writestr('small.py', 'x = 1')
    z.writestr('small-1.0.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: small\\nVersion: 1.0.0\\n')
    z.writestr('small-1.0.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    z.writestr('small-1.0.0.dist-info/RECORD', '')`
  execFileSync('python3', ['-c', made], { cwd: world.home })
  const wheel = readFileSync(path.join(world.home, 'small-1.0.0-py3-none-any.whl'))
  const { options } = await plainServer((request, response) => {
    if (request.url?.endsWith('.whl') === true) return void response.end(wheel)
    response.setHeader('content-type', 'text/html')
    response.end('<!DOCTYPE html><a href="/files/small-1.0.0-py3-none-any.whl">small-1.0.0-py3-none-any.whl</a>')
  }, 'pypi.thing.test')
  const script =
    'env PATH=/usr/bin:/bin python3 -m pip download -q --disable-pip-version-check --no-deps --index-url https://pypi.thing.test/simple/ small; ls *.whl'
  expect(await works(world, script, options)).toBe('small-1.0.0-py3-none-any.whl\n')
}, 90_000)

it('the cell holds the certificate and no key, cannot change it, and nothing of it stays', async () => {
  const { options } = await plainServer(greet, 'api.thing.test')
  const world = makeWorld()
  const script = `bundle=/etc/ssl/certs/ca-certificates.crt
for name in NODE_EXTRA_CA_CERTS SSL_CERT_FILE REQUESTS_CA_BUNDLE PIP_CERT CURL_CA_BUNDLE GIT_SSL_CAINFO CARGO_HTTP_CAINFO DENO_CERT AWS_CA_BUNDLE; do eval "test -s \\"\\$$name\\""; done
grep -l 'PRIVATE KEY' -r /etc/ssl /home/agent "$SSL_CERT_FILE" 2>/dev/null && exit 3
find /tmp -xdev -type f -exec grep -l 'PRIVATE KEY' {} + 2>/dev/null | grep . && exit 3
(echo x >> "$SSL_CERT_FILE") 2>/dev/null && exit 4
rm -f "$SSL_CERT_FILE" 2>/dev/null && exit 5
tail -n 20 "$SSL_CERT_FILE"`
  const stdout = await works(world, script, options)
  const last = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n$/.exec(stdout)?.[0] ?? ''
  expect(execFileSync('openssl', ['x509', '-noout', '-subject'], { input: last }).toString()).toMatch(/anchorhold session/)
  const sessions = path.join(world.home, '.local/state/anchorhold/sessions')
  const left = readdirSync(sessions, { recursive: true, encoding: 'utf8' })
  expect(left.length).toBeGreaterThan(0)
  expect(left.filter((name) => /trust|\.crt|cacerts/.test(name))).toEqual([])
  expect(execFileSync('sh', ['-c', `grep -rl -e '-----BEGIN [A-Z ]*PRIVATE KEY' '${world.home}' || true`]).toString()).toBe('')
  const key = last.split('\n')[3] ?? ''
  for (const file of ['/etc/ssl/certs/ca-certificates.crt'].filter((name) => existsSync(name)))
    expect(readFileSync(file, 'utf8')).not.toContain(key)
})

it('a session without a reason has nothing of it: no variable, the bundle of the machine, the certificate of the server', async () => {
  const own = makeAuthority()
  const outside = await tlsWitness(own.server('far.test'), 'its own page')
  const world = makeWorld()
  writeFileSync(path.join(world.project, 'own.pem'), own.certificate)
  const script = `echo "[$CURL_CA_BUNDLE$GIT_SSL_CAINFO]"; sha256sum < /etc/ssl/certs/ca-certificates.crt; curl -sSf --cacert own.pem https://far.test/`
  const stdout = await works(world, script, ['--route', `far.test:443=127.0.0.1:${outside.port}`])
  const sum = execFileSync('sh', ['-c', 'sha256sum < /etc/ssl/certs/ca-certificates.crt']).toString()
  expect(stdout).toBe(`[]\n${sum}its own page`)
})

it('what is refused is told over TLS in words: to a proxy client, and for a name that the connection is not for', async () => {
  const { asked, options } = await plainServer(greet, 'api.thing.test')
  const script = `curl -sS -x http://127.0.0.1:3128 https://evil.test/; curl -sS --connect-to evil.test:443:api.thing.test:443 https://evil.test/; ! curl -sS https://evil.test/ 2>/dev/null`
  const stdout = await works(makeWorld(), script, options)
  expect(stdout).toMatch(/refused this request \(not-listed\).*anchorhold run --allow evil\.test/s)
  expect(stdout).toMatch(/refused this request \(name-mismatch\): the TLS hello names evil\.test/)
  expect(asked).toEqual([])
})

it('what leaves is verified: by the authority that the user trusts it passes, without it nothing is sent', async () => {
  const own = makeAuthority()
  const outside = await tlsWitness(own.server('read.test'), 'its own page')
  const world = makeWorld()
  const folder = path.join(world.home, '.config', 'anchorhold')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    path.join(folder, 'policy.yaml'),
    `network:\n  allow: [{ host: "read.test:443", methods: [GET] }]\n  routes: { "read.test:443": "127.0.0.1:${outside.port}" }\n`,
  )
  const run = (env: Readonly<Record<string, string>>) => anchorhold(world, ['run', '--', 'curl', '-sS', 'https://read.test/'], { env })
  expect((await run({})).stdout).toContain('could not pass this request on (certificate)')
  expect(outside.text()).toBe('')
  expect((await run({ NODE_EXTRA_CA_CERTS: own.file })).stdout).toBe('its own page')
  expect(outside.names).toContain('read.test')
})
