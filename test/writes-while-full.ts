/** Writes to a shard whose journal is full now and then: each is tried again under a key of its own until enough are taken. */

import assert from 'node:assert/strict'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { isCode } from '../src/kernel/errors.ts'

export class WritesWhileFull {
  readonly written = new Set<number>()
  refused = 0
  readonly #value: Uint8Array
  readonly #triesMax: number
  readonly #pause: () => Promise<unknown>
  #next = 0

  /** @param pause after a write that was refused */
  constructor(value: Uint8Array, triesMax: number, pause: () => Promise<unknown>) {
    this.#value = value
    this.#triesMax = triesMax
    this.#pause = pause
  }

  /** Writes until `count` have been taken in all; several may at a time. */
  async until(count: number, db: KvShard): Promise<void> {
    while (this.written.size < count) {
      const index = this.#next++
      assert.ok(index < this.#triesMax, `full for ever, with ${this.written.size} written and ${this.refused} refused`)
      try {
        await db.put(Buffer.from(`key ${String(index).padStart(9, '0')}`), this.#value)
        this.written.add(index)
      } catch (error) {
        assert.ok(isCode(error, 'NO_SPACE'), (error as Error).message)
        this.refused++
        await this.#pause()
      }
    }
  }

  /** What was taken is there, and nothing else. */
  async compare(db: KvShard): Promise<void> {
    const found: number[] = []
    for await (const { key } of db.scan({ values: false })) found.push(Number(Buffer.from(key).toString().slice(4)))
    assert.deepEqual(
      found,
      [...this.written].sort((a, b) => a - b),
    )
  }
}
