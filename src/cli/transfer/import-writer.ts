/**
 * Puts entries into a shard in batches, some of them on their way at a time, and looks whether their keys are taken.
 *
 * Two rows with one key (a clock put back an hour, say) would silently become one. So every key is looked up, here in
 * what is on its way and then in the shard: a third of an import's time, where nothing is found. A key behind all others
 * needs no look, so what comes in the order of keys (time, an export) costs nothing more.
 */

import type { KvOperation } from '../../engines/kv/kv.ts'
import type { KvShard } from '../../engines/kv/kv-shard.ts'
import { MIB } from '../../kernel/limits.ts'

/** What becomes of an entry whose key has another value. */
export const EXISTING_CHOICES = ['replace', 'keep', 'stop'] as const
export type ExistingChoice = (typeof EXISTING_CHOICES)[number]

// Large enough to amortise a batch, small enough that a batch never waits long for its data.
const BATCH_BYTES = 1 * MIB
const BATCH_OPERATIONS = 1000
// Below what the shard would queue while it waits for compaction, whatever the size of the values.
const BATCHES_MAX = 4

interface Batch {
  readonly operations: KvOperation[]
  /** By key, as Latin-1 text. */
  readonly values: Map<string, Buffer>
  bytes: number
}

export class ImportWriter {
  readonly #shard: KvShard
  readonly #existing: ExistingChoice
  /** On their way, oldest first. */
  readonly #running = new Map<Batch, Promise<void>>()
  /** No key of the shard, or on its way to it, is after this; undefined: there is none. */
  #last: Buffer | undefined
  #batch = emptyBatch()
  #failure: { readonly error: unknown } | undefined
  /** Entries that have been written, and bytes of their keys and values. */
  written = 0
  writtenBytes = 0
  /** Entries given that replaced, or were left out for, another value of their key. */
  replaced = 0
  kept = 0
  /** Entries that were there already. */
  unchanged = 0

  private constructor(shard: KvShard, existing: ExistingChoice, last: Buffer | undefined) {
    this.#shard = shard
    this.#existing = existing
    this.#last = last
  }

  static async open(shard: KvShard, existing: ExistingChoice): Promise<ImportWriter> {
    const scan = shard.scan({ reverse: true, limit: 1, values: false })
    try {
      const [entry] = await scan.next()
      return new ImportWriter(shard, existing, entry === undefined ? undefined : Buffer.from(entry.key))
    } finally {
      scan.close()
    }
  }

  /** Background jobs that failed since the shard was opened. */
  get jobFailures(): number {
    return this.#shard.statistics().jobFailures
  }

  /**
   * Adds an entry; what is given is the writer's.
   *
   * What is there already, with the same value, is not written again.
   *
   * @returns `taken`: `existing` is `stop`, and the key has another value; nothing was added. `replaced` and `kept`: that.
   */
  put(key: Buffer, value: Buffer): 'put' | 'replaced' | 'kept' | 'taken' {
    const name = key.toString('latin1')
    const isLast = this.#last === undefined || key.compare(this.#last) > 0
    const before = isLast ? undefined : this.#find(name, key)
    if (isLast) this.#last = key
    const differs = before !== undefined && !value.equals(before)
    if (before !== undefined && !differs) {
      this.unchanged++
      return 'put'
    }
    if (differs && this.#existing === 'stop') return 'taken'
    if (differs && this.#existing === 'keep') {
      this.kept++
      return 'kept'
    }
    if (differs) this.replaced++
    const batch = this.#batch
    batch.operations.push({ type: 'put', key, value })
    batch.values.set(name, value)
    batch.bytes += key.length + value.length
    if (batch.bytes >= BATCH_BYTES || batch.operations.length >= BATCH_OPERATIONS) this.#send()
    return differs ? 'replaced' : 'put'
  }

  /** Resolves when there is room for more. @throws what a batch failed with */
  async ready(): Promise<void> {
    while (this.#running.size >= BATCHES_MAX) await Promise.race(this.#running.values())
    this.#throwFailure()
  }

  /** Resolves when everything added has been written. @throws what a batch failed with */
  async finish(): Promise<void> {
    this.#send()
    await Promise.all(this.#running.values())
    this.#throwFailure()
  }

  /** The value that `key` will have when what is on its way has arrived. */
  #find(name: string, key: Buffer): Uint8Array | undefined {
    const own = this.#batch.values.get(name)
    if (own !== undefined) return own
    let found: Buffer | undefined
    for (const { values } of this.#running.keys()) found = values.get(name) ?? found
    return found ?? this.#shard.getSync(key)
  }

  #send(): void {
    const batch = this.#batch
    if (batch.operations.length === 0 || this.#failure !== undefined) return
    this.#batch = emptyBatch()
    const sent = this.#shard
      .batch(batch.operations)
      .then(() => {
        this.written += batch.operations.length
        this.writtenBytes += batch.bytes
      })
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => {
        this.#running.delete(batch)
      })
    this.#running.set(batch, sent)
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

function emptyBatch(): Batch {
  return { operations: [], values: new Map(), bytes: 0 }
}
