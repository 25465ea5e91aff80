// An AWS key in real cells: curl signs with the placeholders, the server receives what the key itself signed, and checks it as AWS would.
import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { inCell, makeWorld } from '../support/anchorhold.ts'
import { policyFile } from '../support/repository.ts'

const key = { AWS_ACCESS_KEY_ID: 'AKIAQWERTYUIOPASDFGH', AWS_SECRET_ACCESS_KEY: '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' }

interface Bucket {
  readonly port: number
  readonly seen: { readonly method: string; readonly url: string; readonly id: string; readonly valid: boolean }[]
}

/** Answers with the Authorization field, as S3 does in its errors. */
async function openBucket(): Promise<Bucket> {
  const seen: Bucket['seen'] = []
  const server = createServer((request, response) => {
    void request.toArray().then((pieces) => {
      const authorization = request.headers.authorization ?? ''
      const id = /Credential=([^/]+)/.exec(authorization)?.[1] ?? ''
      seen.push({ method: request.method ?? '', url: request.url ?? '', id, valid: check(request, Buffer.concat(pieces)) })
      response.end(authorization)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, seen }
}

/** Signature Version 4 from AWS's description, for paths and queries without anything to escape. */
function check(request: IncomingMessage, body: Buffer): boolean {
  const [, scope = '', names = '', given] =
    /Credential=[^/]+\/(\S+), ?SignedHeaders=(\S+), ?Signature=(\w+)/.exec(request.headers.authorization ?? '') ?? []
  const hash = (text: Buffer | string): string => createHash('sha256').update(text).digest('hex')
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name] ?? '')}`)
  const canonical = [request.method, path, query, ...headers, '', names, hash(body)].join('\n')
  const text = ['AWS4-HMAC-SHA256', String(request.headers['x-amz-date'] ?? ''), scope, hash(canonical)].join('\n')
  const signing = scope
    .split('/')
    .reduce<Buffer>((from, part) => createHmac('sha256', from).update(part).digest(), Buffer.from(`AWS4${key.AWS_SECRET_ACCESS_KEY}`))
  return createHmac('sha256', signing).update(text).digest('hex') === given
}

const signed = (service: string, region = 'eu-central-1'): string =>
  `curl -sS --aws-sigv4 aws:amz:${region}:${service} --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"`

it('SEC-25 what is signed inside with placeholders arrives signed with the key; the key is nowhere inside, nor in an answer', async () => {
  const world = makeWorld()
  const bucket = await openBucket()
  const policy = policyFile(world, {
    secrets: [{ name: 'AWS', from: 'env', hosts: ['bucket.thing.test'], aws: { services: ['s3'], regions: ['eu-central-1'] } }],
    network: { routes: { 'bucket.thing.test:443': `http://127.0.0.1:${bucket.port}` } },
  })
  const done = await inCell(
    world,
    `${signed('s3')} https://bucket.thing.test/key; echo; ${signed('s3')} -X PUT --data-binary hello https://bucket.thing.test/other?acl=x; echo
     ${signed('sts')} https://bucket.thing.test/service; ${signed('s3', 'us-east-1')} https://bucket.thing.test/region
     curl -sS --aws-sigv4 aws:amz:eu-central-1:s3 --user AKIAATTACKERATTACKER:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa https://bucket.thing.test/foreign
     curl -sS -H 'Authorization: Bearer attackers-own-token' https://bucket.thing.test/bearer
     curl -sS -X PUT --data-binary stolen 'https://bucket.thing.test/older?AWSAccessKeyId=AKIAATTACKERATTACKER&Expires=1&Signature=abc'
     curl -sS -H 'X-Api-Key: attackers-own' https://bucket.thing.test/gateway
     curl -sS -F key=x -F policy=abc -F x-amz-signature=abc -F file=stolen https://bucket.thing.test/form
     curl -sS -d Action=AssumeRoleWithWebIdentity https://bucket.thing.test/identity
     curl -sS https://bucket.thing.test/public
     env; cat /proc/*/environ | tr '\\0' '\\n'`,
    ['--policy', policy],
    { env: key },
  )
  expect(done.code, done.stderr).toBe(0)
  expect(bucket.seen).toEqual([
    { method: 'GET', url: '/key', id: key.AWS_ACCESS_KEY_ID, valid: true },
    { method: 'PUT', url: '/other?acl=x', id: key.AWS_ACCESS_KEY_ID, valid: true },
    { method: 'GET', url: '/public', id: '', valid: false },
  ])
  expect(done.stdout.match(/\(foreign-credential\)/g)).toHaveLength(3)
  expect(done.stdout.match(/\(aws-unsigned\)/g)).toHaveLength(2)
  for (const code of ['aws-service', 'aws-region', 'foreign-credential', 'bad-signature']) expect(done.stdout, code).toContain(`(${code})`)
  for (const value of Object.values(key)) expect(done.stdout + done.stderr).not.toContain(value)
  expect(done.stdout).toMatch(/AWS4-HMAC-SHA256 Credential=AKIA[A-Z2-7]{16}\//)
  expect(done.stderr).toContain('AWS_ACCESS_KEY_ID')
})
