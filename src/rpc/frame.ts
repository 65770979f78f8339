/**
 * Frames: what connections are made of.
 *
 *      0        4      8         12      16     17      18     20        24
 *      +--------+------+---------+-------+------+-------+------+---------+---------+------+
 *      | header | call | control | body  | kind | flags | zero | payload | control | body |
 *      | check  |      | length  | length|      |       |      | check   |         |      |
 *      | u32    | u32  | u32     | u32   | u8   | u8    | u16  | u32     |         |      |
 *      +--------+------+---------+-------+------+-------+------+---------+---------+------+
 *
 * Integers are little-endian. Both checks are XXH32. The header has one of its own, because its lengths decide what is
 * taken for the payload (TigerBeetle's reason, src/vsr/message_header.zig). Both are seeded with the direction and the
 * number of the frame in it: a frame that was lost, came twice or overtook another does not verify, and is the end of
 * the connection.
 *
 * Spec: docs/formats/rpc.md.
 */

import { hashKey } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'

export const FRAME_HEADER_BYTES = 24

/** Numbers on the wire: never changed. 0 is none, so that zeros are no frame. */
const FRAME_KINDS = Object.freeze({
  hello: 1,
  welcome: 2,
  refused: 3,
  request: 4,
  answer: 5,
  failure: 6,
  cancel: 7,
  ping: 8,
  pong: 9,
  bye: 10,
})
export type FrameKind = keyof typeof FRAME_KINDS

const KIND_NAMES: ReadonlyMap<number, FrameKind> = new Map(
  (Object.keys(FRAME_KINDS) as FrameKind[]).map((name) => [FRAME_KINDS[name], name]),
)

/** More of this message follows, in frames of the same kind and call. */
const FLAG_MORE = 1

/** Who sends. */
export type Direction = 'toServer' | 'toClient'

export interface FrameHeader {
  readonly kind: FrameKind
  /** Which call it belongs to; 0: none. u32. */
  readonly call: number
  readonly more: boolean
  readonly controlBytes: number
  readonly bodyBytes: number
  readonly payloadCheck: number
}

export interface Frame {
  readonly kind: FrameKind
  readonly call: number
  readonly more: boolean
  readonly control: Uint8Array
  readonly body: Uint8Array
}

/** Seed of both checks of the frame with this number in its direction. */
export function frameSeed(direction: Direction, sequence: number): number {
  return ((sequence << 1) | (direction === 'toServer' ? 0 : 1)) >>> 0
}

export function encodeHeader(frame: Frame, seed: number, hash: Hash): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER_BYTES)
  const view = new DataView(header.buffer)
  view.setUint32(4, frame.call, true)
  view.setUint32(8, frame.control.length, true)
  view.setUint32(12, frame.body.length, true)
  header[16] = FRAME_KINDS[frame.kind]
  header[17] = frame.more ? FLAG_MORE : 0
  view.setUint32(20, payloadCheckOf(frame.control, frame.body, seed, hash), true)
  view.setUint32(0, hashKey(header, 4, FRAME_HEADER_BYTES, seed), true)
  return header
}

/** Undefined where it does not verify, or says what this version does not know. */
export function decodeHeader(header: Uint8Array, seed: number): FrameHeader | undefined {
  const view = new DataView(header.buffer, header.byteOffset, FRAME_HEADER_BYTES)
  if (view.getUint32(0, true) !== hashKey(header, 4, FRAME_HEADER_BYTES, seed)) return undefined
  const kind = KIND_NAMES.get(header[16] as number)
  const flags = header[17] as number
  if (kind === undefined || flags > FLAG_MORE || view.getUint16(18, true) !== 0) return undefined
  return {
    kind,
    call: view.getUint32(4, true),
    more: flags === FLAG_MORE,
    controlBytes: view.getUint32(8, true),
    bodyBytes: view.getUint32(12, true),
    payloadCheck: view.getUint32(20, true),
  }
}

export function payloadCheckOf(control: Uint8Array, body: Uint8Array, seed: number, hash: Hash): number {
  const check = control.length === 0 ? seed : hash.hash32(control, seed)
  return body.length === 0 ? check : hash.hash32(body, check)
}
