/** One parser of stored bytes, as the fuzzer sees it. */

import { isDeepStrictEqual } from 'node:util'
import type { SeededRandom } from '../../src/testing/seeded-random.ts'
import type { Pieces } from './mutation.ts'

export interface FuzzTarget {
  readonly name: string
  /** What real encoders made. */
  readonly specimens: readonly Pieces[]
  /**
   * Puts pieces together as they are stored.
   *
   * @param sealed with checksums made right again, so that what is behind them is reached
   */
  join(pieces: Pieces, sealed: boolean): Pieces
  /**
   * Parses what was joined, all of it. A VarveError is an answer like any other.
   *
   * @throws {Error} anything else is a defect
   */
  parse(stored: Pieces): unknown
  /** Errors other than VarveErrors that are answers: what the command says of its input. */
  isAnswer?(error: unknown): boolean
  /** It reads what somebody asks for, who may be over a limit; damage of anything else has the code of its format. */
  readonly isRequest?: boolean
  /** Cases of this one among a thousand of a cheap one: how much less often it is run. Default 1000. */
  readonly share?: number
  /** Memory that parsing may take beside 8 times the stored bytes and a mebibyte. Default 0. */
  readonly heapBytes?: number
}

export interface CodecTarget<Value> {
  readonly name: string
  readonly specimens: readonly Uint8Array[]
  decode(bytes: Uint8Array): Value
  /** Where there is one: what it makes of a value is decoded to that value again. */
  encode?(value: NonNullable<Value>): Uint8Array
  /** Makes its checksums right, in place. */
  seal?(bytes: Uint8Array): void
}

/** A parser of one byte string, and the encoder that goes with it. */
export function codecTarget<Value>(codec: CodecTarget<Value>): FuzzTarget {
  return {
    name: codec.name,
    specimens: codec.specimens.map((bytes) => [bytes]),
    join: ([bytes = new Uint8Array(0)], sealed) => {
      if (!sealed || codec.seal === undefined) return [bytes]
      const copy = bytes.slice()
      codec.seal(copy)
      return [copy]
    },
    parse: ([bytes = new Uint8Array(0)]) => {
      const value = codec.decode(bytes)
      if (codec.encode === undefined || value === undefined || value === null) return
      const encoded = codec.encode(value)
      const again = codec.decode(encoded)
      if (!isDeepStrictEqual(again, value)) throw new Error('what was decoded and encoded decodes to something else')
      if (Buffer.compare(codec.encode(again as NonNullable<Value>), encoded) !== 0)
        throw new Error('encoding is not stable')
    },
  }
}

/** What was thrown, which is an error if we threw it. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/** Texts of all lengths, some of them long. */
export function specimenBytes(random: SeededRandom, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => (random.once(3) ? random.below(256) : 0x61 + random.below(4)))
}
