/**
 * The first frame of each side, in a codec of their own: whoever has not authenticated is not read with MessagePack.
 *
 *      hello:     magic u32, version u8, token (bytes with their length)
 *      welcome:   magic u32, version u8, in-flight bytes u32, calls u32
 *      refused:   code (text), message (text)
 *
 * Spec: docs/formats/rpc.md.
 */

import { Decoder, Encoder } from '../kernel/codec.ts'
import { VarveError } from '../kernel/errors.ts'

const MAGIC = 0x70_72_76_64
export const RPC_VERSION = 1
/** A token is 32 random bytes as people write them; a signed one of another system fits too. */
const TOKEN_BYTES_MAX = 1024

export interface Welcome {
  /** The server's limits: a client that keeps to them is never cut off. */
  readonly inFlightBytesMax: number
  readonly callsMax: number
}

export function encodeHello(token: Uint8Array): Uint8Array {
  if (token.length > TOKEN_BYTES_MAX) throw new RangeError(`a token has at most ${TOKEN_BYTES_MAX} bytes`)
  return new Encoder(16 + token.length).u32(MAGIC).u8(RPC_VERSION).bytes(token).finish()
}

/** The token; empty: none. @throws {VarveError} IO_FAILED, INCOMPATIBLE */
export function decodeHello(bytes: Uint8Array): Uint8Array {
  const decoder = new Decoder(bytes, failHello)
  checkVersion(decoder, 'client', 'server')
  const token = decoder.bytes()
  if (token.length > TOKEN_BYTES_MAX) decoder.fail('a token too long')
  decoder.end()
  return token
}

export function encodeWelcome({ inFlightBytesMax, callsMax }: Welcome): Uint8Array {
  return new Encoder(16).u32(MAGIC).u8(RPC_VERSION).u32(inFlightBytesMax).u32(callsMax).finish()
}

/** @throws {VarveError} IO_FAILED, INCOMPATIBLE */
export function decodeWelcome(bytes: Uint8Array): Welcome {
  const decoder = new Decoder(bytes, failHello)
  checkVersion(decoder, 'server', 'client')
  const welcome = { inFlightBytesMax: decoder.u32(), callsMax: decoder.u32() }
  decoder.end()
  return welcome
}

export function encodeRefusal(error: VarveError): Uint8Array {
  return new Encoder(128).text(error.code).text(error.message.slice(0, 1000)).finish()
}

/** Why the server does not want to talk. */
export function decodeRefusal(bytes: Uint8Array): VarveError {
  const decoder = new Decoder(bytes, failHello)
  const code = decoder.text()
  const message = decoder.text()
  if (code === 'INCOMPATIBLE') return new VarveError(code, message, { details: { what: 'rpc' } })
  if (code === 'PERMISSION_DENIED' || code === 'BUSY') return new VarveError(code, message)
  return new VarveError('IO_FAILED', `the server refused the connection: ${message}`, {
    details: { operation: 'connect' },
  })
}

/** The message is read at the client, whichever end finds out. */
function checkVersion(decoder: Decoder, there: string, here: string): void {
  if (decoder.u32() !== MAGIC) decoder.fail('not varve at the other end')
  const version = decoder.u8()
  if (version === RPC_VERSION) return
  throw new VarveError('INCOMPATIBLE', `the ${there} speaks protocol version ${version}, the ${here} ${RPC_VERSION}`, {
    details: { what: 'rpc', found: version, expected: RPC_VERSION },
  })
}

function failHello(reason: string): never {
  throw new VarveError('IO_FAILED', `the greeting of a connection is damaged: ${reason}`, {
    details: { operation: 'connect' },
  })
}
