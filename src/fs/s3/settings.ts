/** How large, how many and how patient: of requests to an S3-compatible store. */

import { GIB, KIB, MIB } from '../../kernel/limits.ts'
import { checkIntegers, overDefaults } from '../../kernel/setting-check.ts'
import type { SettingRange } from '../../kernel/setting-check.ts'

/** Whole numbers, all of them. Defaults and their reasons: `S3_DEFAULTS`. */
export interface S3Settings {
  /** Files up to this size are one request; larger ones are uploaded in parts of it. In bytes. Range: 5 MiB … 1 GiB. */
  readonly partBytes: number
  /** Parts of one file that are under way at once. Range: 1 … 64. */
  readonly partsInFlight: number
  /** Longer reads are several requests, under way together. In bytes. Range: 64 KiB … 1 GiB. */
  readonly rangeBytes: number
  /**
   * While a store is opened, how long it may answer nothing useful before that fails, in milliseconds.
   * Range: 1 … 3,600,000.
   */
  readonly openMs: number
  /** How long a connection may take to be made, in milliseconds. Range: 1 … 3,600,000. */
  readonly connectMs: number
  /**
   * How long a connection may stand still during an attempt, both ways, before that counts as not answered, in
   * milliseconds. Range: 1 … 3,600,000.
   */
  readonly silentMs: number
  /** How long one attempt may take, in milliseconds, its credentials included. Range: 100 … 3,600,000. */
  readonly attemptMs: number
  /** Attempts of one request. Range: 1 … 100. */
  readonly attemptsMax: number
  /** No attempt begins later than so long after the first, in milliseconds. Range: 0 … 3,600,000. */
  readonly callMs: number
  /**
   * Before the second attempt at most so long, in milliseconds; before each further one twice as long as before the
   * last. Range: 1 … 60,000.
   */
  readonly retryDelayMs: number
  /** And never longer than so, in milliseconds. Range: 1 … 600,000. */
  readonly retryDelayMsMax: number
  /** Bytes of parts under way above which `ready()` waits. Range: 5 MiB … 64 GiB. */
  readonly pendingBytesMax: number
  /** Connections at the most. Range: 1 … 10,000. */
  readonly connectionsMax: number
}

/** What is not said. */
export const S3_DEFAULTS: S3Settings = Object.freeze({
  // A table of 32 MiB is four parts: at 60 MiB/s a connection, as S3 has it, that is as fast as the network of most
  // machines, and 10,000 parts, the most there may be, are 78 GiB.
  partBytes: 8 * MIB,
  partsInFlight: 4,
  rangeBytes: 8 * MIB,
  // A gateway that is started again takes some seconds; who has mistyped an address should not wait for longer.
  openMs: 10_000,
  // A first packet that is lost is sent again after 1 s, and after 3 s.
  connectMs: 5_000,
  // A store that has a request answers, or says that it is at it, within a few seconds; TCP sends again for as long.
  silentMs: 20_000,
  // A part over 170 KiB/s; and there is time for a second one.
  attemptMs: 50_000,
  // With the delays below: 11 s on average for a store that answers nothing but errors.
  attemptsMax: 8,
  // Three silences. Those who wait should hear of it: a write that waits for a flush, a read.
  callMs: 60_000,
  retryDelayMs: 100,
  retryDelayMsMax: 10_000,
  // Two files with all their parts under way.
  pendingBytesMax: 64 * MIB,
  connectionsMax: 64,
})

const RANGES: Readonly<Record<keyof S3Settings, SettingRange>> = {
  // S3 takes no smaller part, except the last.
  partBytes: [5 * MIB, 1 * GIB],
  partsInFlight: [1, 64],
  rangeBytes: [64 * KIB, 1 * GIB],
  openMs: [1, 3_600_000],
  connectMs: [1, 3_600_000],
  silentMs: [1, 3_600_000],
  attemptMs: [100, 3_600_000],
  callMs: [0, 3_600_000],
  attemptsMax: [1, 100],
  retryDelayMs: [1, 60_000],
  retryDelayMsMax: [1, 600_000],
  pendingBytesMax: [5 * MIB, 64 * GIB],
  connectionsMax: [1, 10_000],
}

/** @throws {TypeError} unknown name or not an integer; {RangeError} out of range */
export function resolveS3Settings(input: Partial<S3Settings> = {}): S3Settings {
  const settings = overDefaults(S3_DEFAULTS, input)
  checkIntegers(settings, RANGES)
  return Object.freeze(settings)
}
