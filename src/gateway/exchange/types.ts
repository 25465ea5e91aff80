// Gateway, exchange: one request of the cell that can be read, whatever protocol it came in. The fronts (http/ for HTTP/1.1, tls/ for HTTP/2)
// make these and hand them to serve.ts: judge → steps → upstream → sink.
import type { Asked, Refusal, Target } from '../context.ts'
import type { Inlet } from '../inlet.ts'
import type { Field } from '../steps/step.ts'

/** One connection of the cell whose requests are read. Made by `openCellConnection` (connection.ts). */
export interface CellConnection {
  /** How the cell came here; its host and port are used where a request names none that can be read. */
  readonly asked: Asked
  /** The place this connection is for; every request must name it. Undefined for a proxy's connection: each request says where it goes. */
  readonly target: Target | undefined
  /** Set when the connection itself is refused already; its requests are read only to be told so. */
  readonly refusal: Refusal | undefined
  /** TLS was ended here, so the server is spoken to over verified TLS (or as a route says). */
  readonly secure: boolean
  /** Writes `network.closed` for every place that was reached. Call once, when the connection is over. */
  close(): void
  /** One row per place; exchange/ alone uses it. */
  readonly tally: Map<string, TallyRow>
}

export interface TallyRow {
  readonly asked: Asked
  sent: number
  received: number
  readonly started: number
}

/** Well-formed: the front has refused what two parsers could read in two ways. */
export interface CellRequest {
  readonly method: string
  /** The host and port that the request itself names (Host, `:authority`), as written: judged here. */
  readonly host: string
  readonly port: number
  /** Origin form with the query. */
  readonly path: string
  /** End-to-end fields in the order sent, names as sent (`endToEnd` of http/fields.ts): no Host, no framing, nothing about the hop. */
  readonly fields: readonly Field[]
  readonly body: BodySource
  /** A WebSocket handshake (RFC 6455 4.1); only for a sink that can be taken over. */
  readonly websocket: boolean
}

/** Pulled, one read at a time: what is not asked for stays with the cell. */
export interface BodySource {
  /** Bytes; 0: there is none; undefined: it comes in pieces. */
  readonly length: number | undefined
  /** The next piece, the reader's to keep; undefined when the body is complete. The first read tells a cell that waits (100 Continue) to go on. Rejects with BodyError (http/body.ts). */
  read(): Promise<Buffer | undefined>
  /** Whether everything was read. */
  readonly done: boolean
}

export interface AnswerHead {
  readonly status: number
  /** The server's own words behind the status, where it said some. */
  readonly phrase?: string
  readonly fields: readonly Field[]
  /** Of the body that follows, or that a GET would have (HEAD, 304); undefined: not known. Content-Length is not among the fields. */
  readonly length: number | undefined
  /** No body follows, whatever `length` says. */
  readonly bodiless: boolean
  /** The connection must not take another request after this one (HTTP/2: ignored). */
  readonly close: boolean
}

/** Where the answer goes. Methods never throw, and do nothing once the cell is gone. */
export interface AnswerSink {
  /** Set by the exchange for as long as it lasts. */
  listener: SinkListener | undefined
  /** Whether the cell is gone. */
  readonly gone: boolean
  /** Whether the request accepts JSON, for the gateway's own answers. */
  readonly json: boolean
  /** Once. May be held until `flush`, so that head and first bytes travel together. */
  head(head: AnswerHead): void
  /**
   * A piece of the body. True: the bytes were taken (they are in the kernel, or copied) and the memory is the caller's again. False: they
   * must not be touched until `listener.drained()`; further pieces are accepted but should wait. `owned`: the memory is the sink's for good,
   * so that several pieces can be on their way: true as long as there is room for more.
   */
  write(chunk: Buffer, owned?: boolean): boolean
  /** Nothing more comes at once: what is held goes out now. */
  flush(): void
  /** The answer is complete. */
  end(trailers: readonly Field[]): void
  /** The answer broke off: the cell must see a cut, never a proper end. */
  cut(): void
  /** The server agreed to a WebSocket: writes 101 with these fields and hands the connection over. Undefined where the protocol has no such thing. */
  takeOver(fields: readonly Field[]): Promise<Inlet | undefined>
}

export interface SinkListener {
  /** All that was written is taken. */
  drained(): void
  /** The cell is gone (a reset stream, a closed connection). Called once, also when that was before. */
  gone(): void
}
