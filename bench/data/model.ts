/** What a store must hold: the version of every key, and the digests that follow from it. */

import { expectedKeyFingerprint } from './keys.ts'
import type { Values } from './values.ts'

/** Sum of fingerprints, and how many: independent of the order in which results came. */
export class Digest {
  count = 0
  #sum = 0

  add(fingerprint: number): void {
    this.count++
    this.#sum = (this.#sum + fingerprint) | 0
  }

  toString(): string {
    return `${this.count}:${(this.#sum >>> 0).toString(16).padStart(8, '0')}`
  }
}

export class Model {
  /** 0 where there is no such key. */
  readonly versions: Uint32Array
  readonly #values: Values

  constructor(capacity: number, values: Values) {
    this.versions = new Uint32Array(capacity)
    this.#values = values
  }

  /** What the prepared data hold: every key below `count` in version 1. */
  fill(count: number): void {
    this.versions.fill(1, 0, count)
  }

  /** Fingerprint of reading `index` now; 0 where it is not there. */
  read(index: number): number {
    const version = this.versions[index] ?? 0
    return version === 0 ? 0 : this.#values.expected(index, version)
  }

  /** Fingerprint of the entry of `index` in a scan. */
  entry(index: number): number {
    return (this.read(index) + expectedKeyFingerprint(index)) | 0
  }

  /** Digest of a scan of everything. */
  scan(): Digest {
    const digest = new Digest()
    for (let index = 0; index < this.versions.length; index++) {
      if (this.versions[index] !== 0) digest.add(this.entry(index))
    }
    return digest
  }
}
