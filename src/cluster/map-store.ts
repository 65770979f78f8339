/**
 * Where a shard map is kept: as one head among the heads of the shards, changed only by compare-and-set.
 *
 * Any head store does, and need not be the one of the shards. The map has a name like a shard's, which no shard may have.
 */

import { equalBytes } from '../kernel/bytes.ts'
import { VarveError, isCode, throwIfAborted } from '../kernel/errors.ts'
import type { ShardId } from '../kernel/ids.ts'
import type { AbortOptions, Head, HeadStore } from '../fs/fs.ts'
import { decodeMap, encodeMap } from './map-codec.ts'
import type { ShardMap } from './shard-map.ts'

/** What a map is kept in. */
export interface MapStoreParts {
  /** Any head store. Stays the caller's. */
  readonly heads: HeadStore
  /** Name of the map. */
  readonly name: ShardId
}

/** One map in one head. Calls may overlap, here and in other processes: changes happen one after the other. */
export class MapStore {
  readonly #heads: HeadStore
  readonly #name: ShardId

  constructor({ heads, name }: MapStoreParts) {
    this.#heads = heads
    this.#name = name
  }

  /** @throws {VarveError} NOT_FOUND — nobody has created it; HEAD_CORRUPT, INCOMPATIBLE, IO_FAILED */
  async read(options: AbortOptions = {}): Promise<ShardMap> {
    return this.#decode(await this.#head(options))
  }

  /** The first map. @throws {VarveError} EXISTS — there is another; OUTCOME_UNKNOWN */
  async create(map: ShardMap): Promise<void> {
    const content = encodeMap(map)
    try {
      await this.#heads.compareAndSet(this.#name, undefined, content)
    } catch (error) {
      if (!isCode(error, 'HEAD_CONFLICT', 'OUTCOME_UNKNOWN')) throw error
      const found = await this.#heads.read(this.#name)
      if (found === undefined) throw error
      if (equalBytes(found.content, content)) return
      throw new VarveError('EXISTS', `there is a map ${this.#name} already`, {
        cause: error,
        details: { name: this.#name },
      })
    }
  }

  /**
   * Puts what `change` makes of the map in its place.
   *
   * @param change is asked again where others have changed the map meanwhile, or where an answer was lost: of a map that
   *   has its effect already it must give that map, as the functions of map-changes.ts do
   * @returns the map with the change in it
   * @throws {VarveError} what `change` throws, and what the store throws
   */
  async change(change: (map: ShardMap) => ShardMap, options: AbortOptions = {}): Promise<ShardMap> {
    for (;;) {
      throwIfAborted(options.signal)
      const head = await this.#head(options)
      const map = this.#decode(head)
      const changed = change(map)
      if (changed === map) return map
      try {
        await this.#heads.compareAndSet(this.#name, head.version, encodeMap(changed), options)
        return changed
      } catch (error) {
        if (!isCode(error, 'HEAD_CONFLICT', 'OUTCOME_UNKNOWN')) throw error
      }
    }
  }

  async #head(options: AbortOptions): Promise<Head> {
    const head = await this.#heads.read(this.#name, options)
    if (head !== undefined) return head
    throw new VarveError('NOT_FOUND', `there is no map ${this.#name}`, { details: { name: this.#name } })
  }

  #decode({ content }: Head): ShardMap {
    return decodeMap(content, `map ${this.#name}`)
  }
}
