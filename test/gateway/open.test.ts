import { afterEach, expect, it } from 'vitest'
import { allow, cleanUp, exchange, httpResponder, rig, route, witness } from './fixtures/rig.ts'

afterEach(cleanUp)

it('forwards plain HTTP by the name its synthetic address stands for', async () => {
  const outside = await witness(httpResponder())
  const cell = await rig({ rules: [allow('good.test:80')], routes: [route('good.test', 80, outside.port)] })
  const answer = await exchange(await cell.connect('good.test', 80), 'GET /x HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*hello from outside\n$/s)
  expect(outside.text()).toBe('GET /x HTTP/1.1\r\nHost: good.test\r\nConnection: keep-alive\r\n\r\n')
  expect(cell.events.map((event) => event.kind)).toContain('network.allowed')
})
