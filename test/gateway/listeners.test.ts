import { expect, it } from 'vitest'
import { listenersFor } from '../../src/gateway/open.ts'
import { allow, deny, route } from './fixtures/rig.ts'

it('opens DNS, both proxies, 80, 443 and each port that an allow or a route names, once', () => {
  const listeners = listenersFor({
    rules: [
      allow('a.test'),
      allow('db.test:5432'),
      allow('other.test:5432'),
      allow('host.anchorhold.internal:3000'),
      { ...deny('x.test'), ports: [25] },
    ],
    routes: [route('model.test', 8080, 1)],
  })
  expect(listeners.map(({ kind, address, port, role }) => `${kind} ${address} ${port} ${role}`)).toEqual([
    'udp 127.0.0.1 53 dns',
    'tcp 127.0.0.1 53 dns',
    'tcp 127.0.0.1 3128 http-proxy',
    'tcp 127.0.0.1 1080 socks-proxy',
    'tcp :: 80 transparent',
    'tcp :: 443 transparent',
    'tcp :: 3000 transparent',
    'tcp :: 5432 transparent',
    'tcp :: 8080 transparent',
  ])
})

it('an empty policy still answers on 80 and 443, to say no', () => {
  expect(
    listenersFor({ rules: [], routes: [] })
      .filter(({ role }) => role === 'transparent')
      .map(({ port }) => port),
  ).toEqual([80, 443])
})
