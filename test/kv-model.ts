/** The oracle: a map with a history, so that a power cut may take it back, but never before what was synced. */

import assert from 'node:assert/strict'
import { toHex } from '../src/kernel/bytes.ts'
import type { KvOperation, KvRange, ScanOptions } from '../src/engines/kv/kv.ts'

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
      else if (operation.type === 'delete') next.delete(toHex(operation.key))
      else for (const key of [...next.keys()].filter(inRange(operation))) next.delete(key)
    }
    this.#states.push(next)
    if (synced) this.#states = [next]
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#now.get(toHex(key))
  }

  scan(options: ScanOptions): (readonly [string, Uint8Array])[] {
    const inside = inRange(options)
    const entries = [...this.#now].filter(([key]) => inside(key)).sort(([a], [b]) => (a < b ? -1 : 1))
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

/** Hexadecimal text of whole bytes sorts as the bytes do. */
function inRange({ gt, gte, lt, lte, prefix }: KvRange): (key: string) => boolean {
  const hex = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : toHex(bytes))
  const [after, from, before, to, start] = [hex(gt), hex(gte), hex(lt), hex(lte), hex(prefix)]
  return (key) =>
    (after === undefined || key > after) &&
    (from === undefined || key >= from) &&
    (before === undefined || key < before) &&
    (to === undefined || key <= to) &&
    (start === undefined || key.startsWith(start))
}

function describe(content: Content): string {
  return [...content]
    .map(([key, value]) => `${key}=${toHex(value)}`)
    .sort()
    .join(' ')
}
