/** LZ4 through the addon: into memory at hand. */

import type { Lz4Decoder } from '../kernel/lz4.ts'
import type { NativeAddon } from './native.ts'

export class NativeLz4 implements Lz4Decoder {
  readonly #addon: NativeAddon

  constructor(addon: NativeAddon) {
    this.#addon = addon
  }

  decode(source: Uint8Array, start: number, into: Uint8Array): boolean {
    return this.#addon.decodeLz4(source, start, into) === 1
  }
}
