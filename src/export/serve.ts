// The gateway of an exported project, alone in a container: what `run` opens beside a cell, from a file instead of a command line. Bundled by
// itself (scripts/bundle.ts); anchorhold-lend is its parent and hands it the listeners of the cell's network.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Socket as DatagramSocket } from 'node:dgram'
import { Server } from 'node:net'
import { rootCertificates } from 'node:tls'
import { Failure } from '../errors/failure.ts'
import { openGateway } from '../gateway/open.ts'
import { makeSteps } from '../gateway/steps/list.ts'
import { countUses } from '../gateway/steps/inject/uses.ts'
import { makeAuthority } from '../gateway/tls/authority.ts'
import { makeEnding } from '../gateway/tls/serve.ts'
import type { BornListener } from '../model/engine.ts'
import type { HeldSecret } from '../model/secret.ts'
import { checkValue } from '../secrets/value.ts'
import { openSession } from '../session/open.ts'
import { places, type Orders } from './orders.ts'

/** Node, as the child of a program that speaks its channel's language. */
function listeners(orders: Orders): Promise<readonly BornListener[]> {
  return new Promise((resolve) => {
    const born: BornListener[] = []
    process.on('message', (message: { readonly kind: string; readonly index?: number }, handle: unknown) => {
      const listener = message.kind === 'listener' ? orders.listeners[message.index ?? -1] : undefined
      if (listener === undefined) return
      const socket =
        listener.kind === 'udp' ? (handle as DatagramSocket) : new Server({ allowHalfOpen: true, noDelay: true }).listen(handle as Server)
      born.push({ listener, socket })
      if (born.length === orders.listeners.length) resolve(born)
    })
  })
}

function hold({ secrets }: Orders): readonly HeldSecret[] {
  return secrets.flatMap(({ rule, placeholder }) => {
    const value = process.env[rule.name] ?? ''
    if (value === '' && rule.optional === true) return []
    if (value === '') throw new Failure('secret/unset', { secret: rule.name, variable: rule.name })
    const checked = checkValue(rule.name, value, `the variable ${rule.name}`)
    return [{ rule, placeholder, current: async () => checked, values: () => [checked] }]
  })
}

/** What the cell trusts: its image's authorities would do as well, and these are at hand. */
function trust(certificate: string): void {
  const own = [places.system].flatMap((file) => {
    try {
      return [readFileSync(file, 'utf8')]
    } catch {
      return []
    }
  })
  const text = own[0] ?? rootCertificates.join('\n')
  // In its place: the cell has this very file.
  writeFileSync(places.bundle, `${text.replace(/\n*$/, '\n')}${certificate}`)
}

async function serve(): Promise<void> {
  const orders = JSON.parse(readFileSync(places.orders, 'utf8')) as Orders
  const arriving = listeners(orders)
  const closing = new AbortController()
  const secrets = hold(orders)
  const session = await openSession({
    stateDir: places.state,
    project: orders.project,
    agent: orders.agent,
    engine: 'docker',
    secretValues: () => secrets.flatMap((secret) => secret.values()),
    onBroken: (failure) => closing.abort(failure),
    onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  })
  const { network, listeners: _listeners, secrets: _secrets, ...told } = orders
  const began = Date.now()
  session.emit({ kind: 'session.started', session: session.id, engine: 'docker', pid: process.pid, ...told })
  const uses = countUses(session.emit)
  const authority = makeAuthority()
  trust(authority.certificate)
  const gateway = openGateway({
    network,
    steps: makeSteps({ network, secrets, uses }),
    emit: session.emit,
    signal: closing.signal,
    hostEnv: process.env,
    ending: makeEnding(authority),
  })
  const end = async (code: number): Promise<void> => {
    await gateway[Symbol.asyncDispose]()
    uses[Symbol.dispose]()
    session.emit({ kind: 'session.ended', end: { kind: 'exited', code }, exitCode: code, milliseconds: Date.now() - began })
    await session.close(code)
    process.exit(code)
  }
  closing.signal.addEventListener('abort', () => void end(125))
  process.once('disconnect', () => void end(0))
  process.once('SIGTERM', () => void end(0))
  process.once('SIGINT', () => void end(0))
  gateway.adopt(await arriving)
  writeFileSync(places.ready, '')
}

serve().catch((error: unknown) => {
  process.stderr.write(`anchorhold: ${error instanceof Failure ? `${error.message}\n${error.remedy}` : String(error)}\n`)
  process.exit(125)
})
