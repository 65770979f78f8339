/** Checksums through the addon: of bytes where they lie, which WebAssembly takes a copy of first. */

import type { Hash } from '../kernel/hash.ts'
import { loadNative } from './load-native.ts'
import { HASH_STATE_BYTES } from './native.ts'
import type { NativeAddon } from './native.ts'

/** Undefined where there is no addon. */
export function openNativeHash(): Hash | undefined {
  const addon = loadNative()
  return addon === undefined ? undefined : nativeHash(addon)
}

/** As `loadHash`, the same figures. */
export function nativeHash(addon: NativeAddon): Hash {
  return Object.freeze({
    hash32: (bytes: Uint8Array, seed: number) => addon.hash32(bytes, seed),
    hash64: (bytes: Uint8Array, seed: bigint) => addon.hash64(bytes, seed),
    stream64(seed: bigint) {
      const state = new Uint8Array(HASH_STATE_BYTES)
      addon.beginHash64(state, seed)
      return {
        update: (bytes: Uint8Array) => addon.updateHash64(state, bytes),
        digest: () => addon.endHash64(state),
      }
    },
  })
}
