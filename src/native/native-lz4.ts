/** LZ4 through the addon: from and into memory at hand. */

import type { Lz4 } from '../kernel/lz4.ts'
import { loadNative } from './load-native.ts'
import type { NativeAddon } from './native.ts'

/** Undefined where there is no addon. */
export function openNativeLz4(): Lz4 | undefined {
  const addon = loadNative()
  return addon === undefined ? undefined : new NativeLz4(addon)
}

export class NativeLz4 implements Lz4 {
  readonly #addon: NativeAddon

  constructor(addon: NativeAddon) {
    this.#addon = addon
  }

  encode(source: Uint8Array, start: number, limit: number, into: Uint8Array, intoStart: number): number {
    return this.#addon.encodeLz4(source, start, limit, into, intoStart)
  }

  decode(source: Uint8Array, start: number, into: Uint8Array): boolean {
    return this.#addon.decodeLz4(source, start, into) === 1
  }

  decodeRowBlock(stored: Uint8Array, seed: bigint, checksum: bigint, block: Uint8Array): boolean {
    return this.#addon.decodeRowBlock(stored, seed, checksum, block) === 1
  }
}
