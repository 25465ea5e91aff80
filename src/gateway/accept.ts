// Gateway: the first phase. A connection made in the cell is accepted out here, and its local address says which name was meant.
import type { Server, Socket } from 'node:net'
import type { Listener } from '../model/plan.ts'
import type { GatewayContext } from './context.ts'
import { serveHttp } from './http/serve.ts'
import { openInlet } from './inlet.ts'
import { acceptInto, type Intake } from './intake.ts'
import { serveStream } from './names/serve.ts'
import { serveSocks } from './socks/serve.ts'
import { refuseSocket } from './relay.ts'

/** Accepts for the whole session. `connections` holds every open socket of the cell, and is bounded. */
export function acceptFrom(context: GatewayContext, server: Server, listener: Listener, connections: Set<Socket>): void {
  server.on('error', () => undefined) // a failed accept concerns one connection; the next one is served
  acceptInto(server, { buffers: context.buffers, heard: context.attention.cell }, (socket, intake) => {
    socket.on('error', () => undefined) // it closes; whoever owns it listens for that
    if (context.signal.aborted) return void socket.destroy()
    if (connections.size >= context.settings.maxConnections) {
      const reason = `${context.settings.maxConnections} connections are open already`
      return refuseSocket(context, socket, { host: 'any', port: listener.port, how: 'tcp' }, { code: 'too-many-connections', reason })
    }
    connections.add(socket)
    // A tunnel goes on after its socket was taken over; a last word goes on after its phase: counted until both are over.
    let served = false
    const done = (): void => {
      if (served && socket.destroyed) connections.delete(socket)
    }
    socket.on('close', done)
    void receive(context, socket, intake, listener)
      .catch((error: unknown) => {
        // A defect closes this connection, never opens it.
        context.ledger.warn(
          'gateway-defect',
          `a connection was closed because the gateway failed on it (${error instanceof Error ? error.name : 'unknown'})`,
        )
        socket.destroy()
      })
      .then(() => {
        served = true
        done()
      })
  })
}

async function receive(context: GatewayContext, socket: Socket, intake: Intake | undefined, listener: Listener): Promise<void> {
  const inlet = openInlet(socket, intake)
  if (listener.role === 'dns') return serveStream(context, inlet)
  if (listener.role === 'http-proxy')
    return serveHttp(context, { inlet, role: 'proxy', target: undefined, asked: { host: 'proxy', port: listener.port, how: 'http-proxy' } })
  if (listener.role === 'socks-proxy') return serveSocks(context, inlet)
  const host = context.names.nameOf(socket.localAddress ?? '')
  if (host !== undefined) return context.enter(context, { inlet, target: { host, port: listener.port } })
  const asked = {
    host: printableAddress(socket),
    port: listener.port,
    how: listener.port === 80 ? 'http' : listener.port === 443 ? 'tls' : 'tcp',
  } as const
  const refusal = {
    code: 'address-literal',
    reason: `${asked.host} is an address that no name was asked for: rules are by name`,
    remedy: 'use the host name instead of its address',
  }
  if (listener.port === 80) return serveHttp(context, { inlet, role: 'origin', target: undefined, asked, refusal })
  refuseSocket(context, socket, asked, refusal)
}

function printableAddress(socket: Socket): string {
  const address = socket.localAddress ?? 'unknown'
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
