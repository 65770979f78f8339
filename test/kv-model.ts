/** The oracle: a map with a history, so that a power cut may take it back, but never before what was synced. */

import assert from 'node:assert/strict'
import { toHex } from '../src/kernel/bytes.ts'
import type { KvOperation, ScanOptions } from '../src/engines/kv/kv.ts'

type Content = ReadonlyMap<string, Uint8Array>

export class KvModel {
  /** State after each write, oldest first; nothing before the last synced one. */
  #states: Content[] = [new Map()]

  get #now(): Content {
    return this.#states.at(-1) as Content
  }

  copy(): KvModel {
    const copy = new KvModel()
    copy.#states = [this.#now]
    return copy
  }

  apply(operations: readonly KvOperation[], synced: boolean): void {
    const next = new Map(this.#now)
    for (const operation of operations) {
      if (operation.type === 'put') next.set(toHex(operation.key), operation.value.slice())
      else next.delete(toHex(operation.key))
    }
    this.#states.push(next)
    if (synced) this.#states = [next]
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#now.get(toHex(key))
  }

  scan(options: ScanOptions): (readonly [string, Uint8Array])[] {
    const bound = (bytes: Uint8Array | undefined): string | undefined =>
      bytes === undefined ? undefined : toHex(bytes)
    const [gt, gte, lt, lte] = [bound(options.gt), bound(options.gte), bound(options.lt), bound(options.lte)]
    // Hexadecimal text of whole bytes sorts as the bytes do.
    const entries = [...this.#now]
      .filter(([key]) => (gt === undefined || key > gt) && (gte === undefined || key >= gte))
      .filter(([key]) => (lt === undefined || key < lt) && (lte === undefined || key <= lte))
      .sort(([a], [b]) => (a < b ? -1 : 1))
    if (options.reverse === true) entries.reverse()
    return entries.slice(0, options.limit ?? Infinity)
  }

  /** After a power cut: `found` must be a state since the last synced one, batches whole; it is the present from now on. */
  rewindTo(found: Content): void {
    const text = describe(found)
    const state = this.#states.findLast((each) => describe(each) === text)
    assert.ok(state !== undefined, `recovered ${text}, which is no state since the last synced write`)
    this.#states = [state]
  }
}

function describe(content: Content): string {
  return [...content]
    .map(([key, value]) => `${key}=${toHex(value)}`)
    .sort()
    .join(' ')
}
