/** Unix sockets, TCP and TLS: the one place that opens sockets. */

import net from 'node:net'
import tls from 'node:tls'
import { VarveError } from '../kernel/errors.ts'
import { certifiedNames } from './certified-names.ts'
import { formatAddress, isLoopback, parseAddress } from './address.ts'
import type { Address } from './address.ts'
import { checkPem } from './pem.ts'
import type { Dial, Listening, Wire } from './rpc.ts'
import { SocketWire } from './socket-wire.ts'
import type { Certified } from './socket-wire.ts'

/** Certificates in PEM. */
export interface TlsIdentity {
  /** With those between it and its authority behind it. */
  readonly certificate: string
  /** Its private key. */
  readonly key: string
}

/** For `tls:`; ignored by other addresses. */
export interface DialOptions {
  /** Authorities that may have signed the server's certificate. Default: those of the system. */
  readonly authorities?: string
  /** Shown to servers that ask for one. */
  readonly identity?: TlsIdentity
}

/** A listener whose certificates can be replaced. */
export interface SocketListening extends Listening {
  /**
   * Shows another certificate to who connects from now on, and trusts other authorities. Where these are others, connections
   * that were let in with a certificate end: their clients dial again, and are looked at anew. Nothing at other addresses
   * than `tls:`.
   *
   * @throws {RangeError} without a certificate; {TypeError} what is no certificate, or no key of it; authorities where there
   *   were none, or none where there were. All stays as it was then
   */
  replaceTls(options: ListenOptions): void
}

/** For `tls:`; ignored by other addresses. */
export interface ListenOptions {
  /** Needed for `tls:`. */
  readonly identity?: TlsIdentity
  /** Authorities of clients' certificates. Without, none is asked for. */
  readonly authorities?: string
}

// Twice Node's: an honest client should find room behind a burst of strangers. Systems cut it to what they allow.
const BACKLOG = 1024
const PEM_NAMES = { certificate: 'identity.certificate', key: 'identity.key', authorities: 'authorities' } as const

/**
 * How to reach `address`.
 *
 * @param given a function is asked for each connection, so that certificates can be renewed; what it throws, and what is none,
 *   counts as a server that does not answer
 * @throws {RangeError} no address; {TypeError} an option that nobody knows, or no certificate
 */
export function dialSocket(
  address: string,
  given: DialOptions | (() => DialOptions | Promise<DialOptions>) = {},
): Dial {
  const parsed = parseAddress(address)
  if (typeof given !== 'function') {
    checkDialOptions(given)
    return (signal) => wireTo(address, parsed, given, signal)
  }
  return async (signal) => {
    const options = await given()
    checkDialOptions(options)
    return wireTo(address, parsed, options, signal)
  }
}

function wireTo(address: string, parsed: Address, options: DialOptions, signal: AbortSignal): Promise<Wire> {
  return new Promise<Wire>((resolve, reject) => {
    const socket = connect(parsed, options)
    const failed = (error: Error): void => {
      signal.removeEventListener('abort', stop)
      socket.destroy()
      reject(unreachable(address, error))
    }
    const stop = (): void => failed(new Error('nobody answered in time'))
    socket.once('error', failed)
    socket.once(parsed.type === 'tls' ? 'secureConnect' : 'connect', () => {
      socket.off('error', failed)
      signal.removeEventListener('abort', stop)
      const safety = parsed.type === 'tls' ? 'encrypted' : safetyOf(socket)
      resolve(new SocketWire(socket, address, safety))
    })
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

function checkDialOptions(options: DialOptions): void {
  for (const name of Object.keys(options))
    if (name !== 'authorities' && name !== 'identity')
      throw new TypeError(`unknown option ${name}; there are authorities and identity, { certificate, key }`)
  const { identity } = options
  if (identity !== undefined && (typeof identity.certificate !== 'string' || typeof identity.key !== 'string'))
    throw new TypeError('identity must have certificate and key, both PEM')
  checkPem(options, PEM_NAMES)
}

function connect(address: Address, { authorities, identity }: DialOptions): net.Socket {
  if (address.type === 'unix') return net.connect({ path: address.path })
  const { host, port } = address
  if (address.type === 'tcp') return net.connect({ host, port })
  return tls.connect({
    host,
    port,
    minVersion: 'TLSv1.3',
    // A name, never an address: that is how servers tell certificates apart.
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
  })
}

/**
 * Listens on `address` and hands every connection to `accept`.
 *
 * @param accept `open`: it serves whoever comes; then only addresses that this machine alone can reach are listened on
 * @throws {RangeError} no address, or `tls:` without a certificate; {TypeError} what is no certificate, or no key of it
 * @throws {VarveError} PERMISSION_DENIED — others could come, and nobody has to show anything; IO_FAILED
 */
export async function listenSocket(
  address: string,
  server: { readonly open: boolean; accept(wire: Wire): void },
  options: ListenOptions = {},
): Promise<SocketListening> {
  const parsed = parseAddress(address)
  const identities = new AcceptedIdentities(options)
  const accept = (socket: net.Socket): void => server.accept(identities.seen(socket, acceptedWire(socket, parsed)))
  const listener = parsed.type === 'tls' ? tls.createServer(tlsOptions(options), accept) : net.createServer(accept)
  await new Promise<void>((resolve, reject) => {
    listener.once('error', (error) => reject(unreachable(address, error)))
    const place = parsed.type === 'unix' ? { path: parsed.path } : { host: parsed.host, port: parsed.port }
    listener.listen({ ...place, backlog: BACKLOG }, resolve)
  })
  listener.on('error', () => undefined)
  const close = (): Promise<void> => new Promise((resolve) => listener.close(() => resolve()))
  const calls = {
    close: () => closeNow(listener, close),
    replaceTls: (given: ListenOptions) => identities.replace(listener, given),
  }
  const bound = listener.address()
  if (parsed.type === 'unix' || bound === null || typeof bound === 'string') {
    return { address: formatAddress(parsed), ...calls }
  }
  if (server.open && !isLoopback(bound.address)) {
    await close()
    throw new VarveError(
      'PERMISSION_DENIED',
      `${address} can be reached from other machines: give tokens or certificates, or listen on 127.0.0.1`,
    )
  }
  return { address: formatAddress({ ...parsed, port: bound.port }), ...calls }
}

/** Which connections have come with a certificate, and by whose word. */
class AcceptedIdentities {
  readonly #certified = new Map<net.Socket, Wire>()
  #options: ListenOptions

  constructor(options: ListenOptions) {
    this.#options = options
  }

  seen(socket: net.Socket, wire: Wire): Wire {
    if (wire.certified.length > 0) {
      this.#certified.set(socket, wire)
      socket.once('close', () => this.#certified.delete(socket))
    }
    return wire
  }

  replace(listener: net.Server, options: ListenOptions): void {
    if (!(listener instanceof tls.Server)) return
    if ((options.authorities === undefined) !== (this.#options.authorities === undefined))
      throw new TypeError('whether clients are asked for certificates stays as it was when it began to listen')
    listener.setSecureContext(tlsOptions(options))
    const former = this.#options
    this.#options = options
    if (options.authorities !== former.authorities) for (const wire of this.#certified.values()) wire.destroy()
  }
}

/** Listeners wait for their connections to end, which is not their business here. */
function closeNow(listener: net.Server, close: () => Promise<void>): Promise<void> {
  listener.unref()
  void close()
  return Promise.resolve()
}

/** @throws {RangeError} {TypeError} no certificate, or what is none */
function tlsOptions(options: ListenOptions): tls.TlsOptions {
  const { identity, authorities } = options
  if (identity === undefined) throw new RangeError('tls: needs a certificate and its key')
  checkPem(options, PEM_NAMES)
  return {
    cert: identity.certificate,
    key: identity.key,
    minVersion: 'TLSv1.3',
    // Slow strangers are cut off before they have become a connection, too.
    handshakeTimeout: 5_000,
    // Whoever has none may still show a token.
    ...(authorities === undefined ? {} : { ca: authorities, requestCert: true, rejectUnauthorized: false }),
  }
}

function acceptedWire(socket: net.Socket, address: Address): Wire {
  if (address.type === 'unix') return new SocketWire(socket, 'a process on this machine', 'local')
  const peer = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`
  if (!(socket instanceof tls.TLSSocket)) return new SocketWire(socket, peer, safetyOf(socket))
  return new SocketWire(socket, peer, 'encrypted', certifiedOf(socket))
}

/** Undefined: the client has shown no certificate. */
function certifiedOf(socket: tls.TLSSocket): Certified | undefined {
  const shown: Partial<tls.PeerCertificate> = socket.getPeerCertificate()
  const { subjectaltname, subject, valid_to: until } = shown
  if (until === undefined) return undefined
  // A code, although its type says that it is an error.
  if (!socket.authorized) return { names: [], untilMs: undefined, distrust: String(socket.authorizationError) }
  return { names: certifiedNames(subjectaltname, subject?.CN), untilMs: Date.parse(until) }
}

function safetyOf(socket: net.Socket): 'local' | 'open' {
  const { remoteAddress } = socket
  return remoteAddress === undefined || isLoopback(remoteAddress) ? 'local' : 'open'
}

// What OpenSSL and Node say of a certificate that is not trusted, and will not be when it is looked at again.
const CERTIFICATE_CODES = /^(?:CERT_|ERR_TLS_CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET_ISSUER|VERIFY)_)/

function unreachable(address: string, error: NodeJS.ErrnoException): VarveError {
  const certificate = CERTIFICATE_CODES.test(error.code ?? '')
  return new VarveError('IO_FAILED', `${address}: ${error.message}`, {
    details: { operation: 'connect', address, ...(certificate ? { certificate } : {}) },
    cause: error,
  })
}
