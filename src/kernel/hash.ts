/**
 * Checksums and key hashes: XXH32 and XXH64, seeded.
 *
 * `hash32` and `hash64` run in WebAssembly (xxhash-wasm), whose instance is made asynchronously: it is a component,
 * loaded once by whoever composes. `hashKey` is XXH32 in JavaScript, in place: 45 ns for a 16-byte key where the call
 * into WebAssembly costs 130 (docs/decisions/0002-checksums.md). Algorithm: https://github.com/Cyan4973/xxHash,
 * doc/xxhash_spec.md.
 */

import xxhash from 'xxhash-wasm'
import { MIB } from './limits.ts'

/** The checksums of all formats. Synchronous; what they are given is only borrowed for the call. */
export interface Hash {
  /** XXH32 of `bytes`. u32. */
  hash32(bytes: Uint8Array, seed: number): number
  /** XXH64 of `bytes`. u64. */
  hash64(bytes: Uint8Array, seed: bigint): bigint
  /** XXH64 over chunks. */
  stream64(seed: bigint): HashStream
}

/** A checksum over bytes that come in pieces. */
export interface HashStream {
  /** Goes on with `bytes`, borrowed for the call. */
  update(bytes: Uint8Array): void
  /** u64; may be called once. */
  digest(): bigint
}

// The module copies its input into its own memory, which grows and never shrinks: larger inputs are fed in pieces.
const PIECE_BYTES = 1 * MIB

/** Each call makes an instance of WebAssembly: call it once. */
export async function loadHash(): Promise<Hash> {
  const wasm = await xxhash()
  function stream64(seed: bigint): HashStream {
    const state = wasm.create64(seed)
    return {
      update(bytes) {
        for (let start = 0; start < bytes.length; start += PIECE_BYTES)
          state.update(bytes.subarray(start, start + PIECE_BYTES))
      },
      digest: () => state.digest(),
    }
  }
  return Object.freeze({
    hash32(bytes: Uint8Array, seed: number): number {
      if (bytes.length <= PIECE_BYTES) return wasm.h32Raw(bytes, seed)
      const state = wasm.create32(seed)
      for (let start = 0; start < bytes.length; start += PIECE_BYTES)
        state.update(bytes.subarray(start, start + PIECE_BYTES))
      return state.digest()
    },
    hash64(bytes: Uint8Array, seed: bigint): bigint {
      if (bytes.length <= PIECE_BYTES) return wasm.h64Raw(bytes, seed)
      const stream = stream64(seed)
      stream.update(bytes)
      return stream.digest()
    },
    stream64,
  })
}

const PRIME_1 = 0x9e3779b1 | 0
const PRIME_2 = 0x85ebca77 | 0
const PRIME_3 = 0xc2b2ae3d | 0
const PRIME_4 = 0x27d4eb2f | 0
const PRIME_5 = 0x165667b1 | 0

/** XXH32 of `bytes[start…limit)`, in JavaScript: for short ranges. u32. */
export function hashKey(bytes: Uint8Array, start: number, limit: number, seed: number): number {
  const length = limit - start
  let at = start
  let hash: number
  if (length >= 16) {
    let a = (seed + PRIME_1 + PRIME_2) | 0
    let b = (seed + PRIME_2) | 0
    let c = seed | 0
    let d = (seed - PRIME_1) | 0
    for (; at + 16 <= limit; at += 16) {
      a = round(a, word(bytes, at))
      b = round(b, word(bytes, at + 4))
      c = round(c, word(bytes, at + 8))
      d = round(d, word(bytes, at + 12))
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
  } else {
    hash = (seed + PRIME_5) | 0
  }
  hash = (hash + length) | 0
  for (; at + 4 <= limit; at += 4)
    hash = Math.imul(rotate((hash + Math.imul(word(bytes, at), PRIME_3)) | 0, 17), PRIME_4)
  for (; at < limit; at++) hash = Math.imul(rotate((hash + Math.imul(bytes[at] as number, PRIME_5)) | 0, 11), PRIME_1)
  hash ^= hash >>> 15
  hash = Math.imul(hash, PRIME_2)
  hash ^= hash >>> 13
  hash = Math.imul(hash, PRIME_3)
  hash ^= hash >>> 16
  return hash >>> 0
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

/** 16 lower-case hexadecimal digits. */
export function formatHash64(hash: bigint): string {
  return hash.toString(16).padStart(16, '0')
}
