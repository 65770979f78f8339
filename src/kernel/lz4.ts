/**
 * LZ4 blocks from and into memory at hand: a component, where there is one (the native addon).
 *
 * Half of what decompressing 8 KiB costs in Node is the buffer it makes: 4 µs for the buffer, 1.6 µs for the bytes.
 */

/** Whoever has one gives it to the parts that may use it; without, they take `lz4-napi`. Synchronous; one thread's. */
export interface Lz4 {
  /**
   * Encodes [start, limit) of `source` into `into`, from `intoStart` on. Synchronous; borrows both for the call.
   *
   * @returns bytes written; 0 where there may not be room for them
   */
  encode(source: Uint8Array, start: number, limit: number, into: Uint8Array, intoStart: number): number
  /**
   * Decodes the LZ4 block in `source[start…)` into `into`. Synchronous; borrows both for the call, writes nothing outside.
   *
   * @returns whether it is well-formed and fills `into` exactly; where not, what is in `into` means nothing
   */
  decode(source: Uint8Array, start: number, into: Uint8Array): boolean
  /**
   * Checks, decompresses and unpacks a stored block of a row table (docs/formats/row-table.md, version 2) in one call.
   * Synchronous; borrows both for the call. `stored` may be the end of `block`, where it is not compressed.
   *
   * @param seed of the checksum, XXH64
   * @param block as long as the index says
   * @returns whether that was done; where not, for whatever reason, what is in `block` means nothing
   */
  decodeRowBlock(stored: Uint8Array, seed: bigint, checksum: bigint, block: Uint8Array): boolean
}
