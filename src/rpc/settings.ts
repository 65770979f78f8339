/** How large, how many and how patient: of connections and calls. */

import { KIB, MIB } from '../kernel/limits.ts'
import { checkIntegers, overDefaults } from '../kernel/setting-check.ts'
import type { SettingRange } from '../kernel/setting-check.ts'

/** Whole numbers, all of them. Defaults and their reasons: `RPC_DEFAULTS`. */
export interface RpcSettings {
  /** Silence of a peer after which it is asked whether it lives, in milliseconds. Range: 10 … 600,000. */
  readonly heartbeatMs: number
  /**
   * Silence after which it is given up, in milliseconds, more than `heartbeatMs`: what seems open may be half-open.
   * Range: 20 … 3,600,000.
   */
  readonly silenceMsMax: number
  /** How long a connection may take to be made and to authenticate, in milliseconds. Range: 10 … 600,000. */
  readonly handshakeMs: number
  /**
   * How long a client that was never connected tries to be, before its calls fail, in milliseconds; none gives up that
   * has no end. Range: 1 … 3,600,000.
   */
  readonly openMs: number
  /** How long an answer may take where the call does not say, in milliseconds. Range: 1 … 86,400,000. */
  readonly callMs: number
  /**
   * Bytes of calls that were made and not answered; a larger call goes alone. Others wait their turn.
   * Range: 64 KiB … 1 GiB.
   */
  readonly inFlightBytesMax: number
  /** Calls that were made and not answered. Range: 1 … 1,000,000. */
  readonly callsMax: number
  /** Body of one frame, in bytes: a larger body takes several. Range: 1 B … 1 MiB. */
  readonly frameBodyBytes: number
  /**
   * Bytes handed to the wire and not taken by the system, above which nothing more is handed over. Range: 1 B … 1 GiB.
   */
  readonly bufferedBytesMax: number
}

/** What is not said. */
export const RPC_DEFAULTS: RpcSettings = Object.freeze({
  heartbeatMs: 5_000,
  // Three heartbeats: one may be lost in a pause of the event loop, and its answer in another.
  silenceMsMax: 15_000,
  handshakeMs: 5_000,
  // A server that is started beside takes a second or two; who has mistyped an address should not wait for longer.
  openMs: 10_000,
  // A sync of a slow disk takes seconds; nothing a service does without waiting for work takes longer.
  callMs: 30_000,
  // As much as a journal lets wait (64 KiB round trips over 1 ms at 1 GiB/s take 1 MiB); a server has so much per client.
  inFlightBytesMax: 8 * MIB,
  // With reads of 1 MiB at the most, so many bound what a server holds for one client.
  callsMax: 256,
  // A heartbeat waits for one frame at the most: 2 ms at 1 Gbit/s.
  frameBodyBytes: 256 * KIB,
  bufferedBytesMax: 1 * MIB,
})

/** Of a frame's payload after authentication: the largest body and the largest control message. */
export const FRAME_BYTES_MAX = 2 * MIB
/** Of a message's plain data: a list of 10,000 names goes as a body. */
export const CONTROL_BYTES_MAX = 1 * MIB
/** Before authentication, of a frame and of a connection: 64 KiB for each of a thousand strangers. */
export const STRANGER_FRAME_BYTES_MAX = 4 * KIB
export const STRANGER_TOTAL_BYTES_MAX = 64 * KIB

const RANGES: Readonly<Record<keyof RpcSettings, SettingRange>> = {
  heartbeatMs: [10, 600_000],
  silenceMsMax: [20, 3_600_000],
  handshakeMs: [10, 600_000],
  openMs: [1, 3_600_000],
  callMs: [1, 86_400_000],
  inFlightBytesMax: [64 * KIB, 1024 * MIB],
  callsMax: [1, 1_000_000],
  frameBodyBytes: [1, MIB],
  bufferedBytesMax: [1, 1024 * MIB],
}

/** @throws {TypeError} unknown name or not an integer; {RangeError} out of range */
export function resolveRpcSettings(input: Partial<RpcSettings> = {}): RpcSettings {
  const settings = overDefaults(RPC_DEFAULTS, input)
  checkIntegers(settings, RANGES)
  if (settings.silenceMsMax <= settings.heartbeatMs)
    throw new RangeError('silenceMsMax must be more than heartbeatMs, or every pause is a loss')
  return Object.freeze(settings)
}
