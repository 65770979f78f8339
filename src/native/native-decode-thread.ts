/** Decoding blocks on a thread of the addon. It is started by the first group. */

import type { DecodeTasks } from '../kernel/decode-tasks.ts'
import type { DecodeThread } from '../kernel/decode-thread.ts'
import { KIB } from '../kernel/limits.ts'
import { loadNative } from './load-native.ts'
import type { NativeAddon } from './native.ts'
import { RequestQueue } from './request-queue.ts'

// One that is being decoded and some that wait: 0.25 ms each, and 1 MiB of stored bytes together.
const GROUPS_MAX = 4
const ROOM_BYTES = 256 * KIB

/** Undefined where there is no addon. */
export function openNativeDecodeThread(): DecodeThread | undefined {
  const addon = loadNative()
  return addon === undefined ? undefined : new NativeDecodeThread(addon)
}

export class NativeDecodeThread implements DecodeThread {
  readonly #addon: NativeAddon
  /** Started when first needed; null where the system refused, or it has ended. */
  #queue: RequestQueue | undefined | null
  /** Memory that no group has. */
  readonly #rooms: Uint8Array[] = []
  #begun = 0

  constructor(addon: NativeAddon) {
    this.#addon = addon
  }

  room(length: number): Uint8Array | undefined {
    if (this.#begun === GROUPS_MAX || this.#queue === null || length > ROOM_BYTES) return undefined
    if (this.#rooms.length === 0) this.#rooms.push(new Uint8Array(ROOM_BYTES))
    return this.#rooms.at(-1)
  }

  begin(stored: Uint8Array, memory: Uint8Array, tasks: DecodeTasks, done: () => void): void {
    this.#queue ??= RequestQueue.open(this.#addon, 'calls') ?? null
    // Refused: nothing is decoded.
    if (this.#queue === null) return done()
    const room = this.#rooms.pop() as Uint8Array
    this.#begun++
    this.#queue.decode([stored, memory, tasks.bytes], () => {
      this.#begun--
      this.#rooms.push(room)
      done()
    })
  }

  poll(): void {
    if (this.#begun > 0) this.#queue?.takeDone()
  }

  async close(): Promise<void> {
    const queue = this.#queue
    this.#queue = null
    await queue?.close()
  }
}
