/**
 * Remote procedure calls, as ports: what carries bytes, what answers calls, and how a caller asks.
 *
 *      client ──► call ──► frames ──► wire ═══ wire ──► frames ──► session of a service
 *
 * Knows no storage. A call has a method, arguments (plain data) and a body (raw bytes, either way). Calls of one
 * connection are sent in the order in which they are made, whole, and may be answered in any; a service sees them in
 * the order in which they were sent. Nothing is sent again by itself: whoever calls knows what may happen twice.
 *
 * Spec: docs/formats/rpc.md.
 */

/** How far a wire can be trusted by itself. */
export type WireSafety =
  /** Stays on this machine: memory, a message port, a Unix socket, the loopback interface. */
  | 'local'
  /** Encrypted, and the server was verified. */
  | 'encrypted'
  /** Anybody between may read and change it. */
  | 'open'

/** One end of a connection: bytes, in order, both ways. */
export interface Wire {
  /** For people: who is at the other end. */
  readonly peer: string
  /** Of the way to the other end, both ways. */
  readonly safety: WireSafety
  /** Names in the peer's certificate, where the wire has verified one: DNS names and URIs, its common name last. */
  readonly certified: readonly string[]
  /** When that certificate ends, in milliseconds since 1970. Default: nobody says. */
  readonly certifiedUntilMs?: number | undefined
  /** Why a certificate that the peer has shown was not verified, as OpenSSL calls it. Default: none was shown, or it was. */
  readonly distrust?: string | undefined
  /** Called once, before anything else: from now on the receiver hears what arrives. */
  listen(receiver: WireReceiver): void
  /** Sends, in order. The memory must stay as it is until `bufferedBytes` is 0 or the wire has ended. */
  send(parts: readonly Uint8Array[]): void
  /** Bytes handed over and not yet taken by the system. */
  readonly bufferedBytes: number
  /** Hears no more for now: the peer's bytes wait where they are. */
  pause(): void
  /** Hears again. */
  resume(): void
  /** Sends what is buffered, then ends. Idempotent. */
  end(): void
  /** Ends at once. Idempotent. */
  destroy(): void
}

/** Who hears what a wire brings. Called one after the other. */
export interface WireReceiver {
  /** Lent until it returns, unless it copies: the memory is not written to again. */
  received(bytes: Uint8Array): void
  /** `bufferedBytes` has gone down. */
  drained(): void
  /** Called once, at the latest after `destroy`; nothing is heard after it. */
  ended(reason: string): void
}

/** Makes the client's end of a connection. @throws {VarveError} IO_FAILED — nobody answers */
export type Dial = (signal: AbortSignal) => Promise<Wire>

/** An address that is listened on. */
export interface Listening {
  /** As it can be dialled: a port of 0 has become the one that was given. */
  readonly address: string
  /** Accepts no more; connections there are stay. */
  close(): Promise<void>
}

/** What a peer may use, by the name of a service: see the services. */
export type Role = 'journal' | 'heads' | 'files' | 'jobs' | 'worker'

/** What somebody who showed a token, a certificate, or came from this machine may do. */
export interface Grant {
  /** For people; never the token. */
  readonly name: string
  /** Services with one of these may be used. */
  readonly roles: readonly Role[]
  /** Shards it may touch; undefined: all. */
  readonly shards: readonly string[] | undefined
  /** When it ends, in milliseconds since 1970. Default: never. */
  readonly expiresMs?: number
  /** A certificate was shown, and no token. Default false. */
  readonly certified?: boolean
}

/** Who is at the other end of a connection. */
export interface Peer {
  /** What they may do. */
  readonly grant: Grant
  /** For people: where they are. */
  readonly address: string
}

/** A call, as a service gets it. */
export interface RpcRequest {
  /** Which the service knows, or answers with an error. */
  readonly method: string
  /** Plain data of a stranger: see `Parameters`. */
  readonly parameters: readonly unknown[]
  /** The service's own. Empty where there is none. */
  readonly body: Uint8Array
  /** Aborted when the caller has cancelled, its deadline has passed, or it has gone. */
  readonly signal: AbortSignal
}

/** What a service answers. */
export interface RpcAnswer {
  /** Plain data. */
  readonly value?: unknown
  /** Not changed until the session has ended. */
  readonly body?: Uint8Array
}

/** A part of the system that answers calls. */
export interface RpcService {
  /** By which clients name it; once only in a server. */
  readonly name: string
  /** Peers with one of these may talk to it. */
  readonly roles: readonly Role[]
  /** What one connection has: open files, a journal. */
  openSession(peer: Peer): RpcSession
}

/** What one connection has of a service. Nothing is called after `close`. */
export interface RpcSession {
  /** Called in the order in which calls were made; what it throws or rejects with is the answer. */
  call(request: RpcRequest): Promise<RpcAnswer>
  /** The connection has ended; every signal has been aborted. */
  close(): Promise<void>
}

/** A call, as a client makes it. */
export interface RpcCall {
  /** Name of the service. */
  readonly service: string
  /** Which the service knows. */
  readonly method: string
  /** Plain data. */
  readonly parameters: readonly unknown[]
  /** Lent until the answer is there. */
  readonly body?: Uint8Array
  /** Gives the call up: ABORTED, and the service is told. Default: nobody does. */
  readonly signal?: AbortSignal | undefined
  /** How long the answer may take, in milliseconds; 0: as long as the connection lives. Default: the client's. */
  readonly timeoutMs?: number
  /** Something may have been changed where no answer comes: OUTCOME_UNKNOWN then, instead of IO_FAILED. Default false. */
  readonly effect?: boolean
}

/** What came back. */
export interface RpcReply {
  /** Plain data. */
  readonly value: unknown
  /** The caller's own. */
  readonly body: Uint8Array
}

/** A connection, as its client sees it. */
export interface RpcConnection {
  /**
   * @throws {VarveError} IO_FAILED — nothing has happened, or the call has no effect; OUTCOME_UNKNOWN — it may have
   * @throws {VarveError} PERMISSION_DENIED, ABORTED, CLOSED, and whatever the service answers
   */
  call(call: RpcCall): Promise<RpcReply>
  /** It has not ended: a call may be answered. */
  readonly alive: boolean
}
