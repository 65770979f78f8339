/**
 * What a synchronous reader lacks, and the one bridge to I/O.
 *
 * A reader that misses a block notes it here and answers PENDING; the caller fills and asks again. What was loaded is held
 * until `clear()`, so that the second attempt finds it whatever the cache thinks of it. One fetch serves one lookup at a
 * time and is reused.
 */

import { abortable } from '../kernel/abortable.ts'

/** Something that loads blocks by number: a table's data, its index, a table itself. */
export interface BlockSource {
  /** Loads one block. Calls for a block that is on its way share one load. */
  load(blockNumber: number): Promise<object>
  /** Twin of `load`. @throws {VarveError} WOULD_BLOCK — there are no synchronous reads */
  loadSync(blockNumber: number): object
  /** Twin of `load`, which never waits: undefined where the block is not in memory. */
  loadNow(blockNumber: number): object | undefined
  /** A fetch holds the block from now on, until `letGo` is called as many times. */
  hold(blockNumber: number): void
  /** Takes back one `hold`. */
  letGo(blockNumber: number): void
}

/** What one lookup lacks, and what was loaded for it. Whoever uses it calls `clear` when the lookup has ended. */
export class BlockFetch {
  #wantedSources: BlockSource[] = []
  #wantedNumbers: number[] = []
  readonly #heldSources: BlockSource[] = []
  readonly #heldNumbers: number[] = []
  readonly #heldBlocks: object[] = []

  /** True when something has been asked for and not loaded. */
  get pending(): boolean {
    return this.#wantedSources.length > 0
  }

  /** Notes that `source` lacks a block. */
  want(source: BlockSource, blockNumber: number): void {
    for (let index = 0; index < this.#wantedSources.length; index++) {
      if (this.#wantedSources[index] === source && this.#wantedNumbers[index] === blockNumber) return
    }
    this.#wantedSources.push(source)
    this.#wantedNumbers.push(blockNumber)
  }

  /** A block that was loaded since the last `clear()`. */
  find(source: BlockSource, blockNumber: number): object | undefined {
    for (let index = 0; index < this.#heldSources.length; index++) {
      if (this.#heldSources[index] === source && this.#heldNumbers[index] === blockNumber)
        return this.#heldBlocks[index]
    }
    return undefined
  }

  /** Holds `block` of `source`, which is at hand, until `clear()`, as if it had been loaded. */
  keep(source: BlockSource, blockNumber: number, block: object): void {
    if (this.find(source, blockNumber) === undefined) this.#hold(source, blockNumber, block)
  }

  /**
   * Loads everything wanted. Whatever happens, nothing is wanted afterwards: the next attempt asks for what it still
   * lacks.
   *
   * @throws {VarveError} ABORTED — the loads go on for whoever else waits for them; or the first failure, in the order asked
   */
  async fill(signal?: AbortSignal): Promise<void> {
    const sources = this.#wantedSources
    const numbers = this.#wantedNumbers
    this.#wantedSources = []
    this.#wantedNumbers = []
    const loads = sources.map(async (source, index) => await source.load(numbers[index] as number))
    const results = await abortable(Promise.allSettled(loads), signal)
    let failure: PromiseRejectedResult | undefined
    results.forEach((result, index) => {
      if (result.status === 'fulfilled')
        this.#hold(sources[index] as BlockSource, numbers[index] as number, result.value)
      else failure ??= result
    })
    if (failure !== undefined) throw failure.reason
  }

  /** Twin of `fill`. @throws {VarveError} WOULD_BLOCK — a source has no synchronous reads */
  fillSync(): void {
    const sources = this.#wantedSources
    const numbers = this.#wantedNumbers
    this.#wantedSources = []
    this.#wantedNumbers = []
    for (let index = 0; index < sources.length; index++) {
      const source = sources[index] as BlockSource
      const number = numbers[index] as number
      this.#hold(source, number, source.loadSync(number))
    }
  }

  /** Loads what is in memory of all that is wanted. True where nothing is wanted any more; never waits. */
  fillNow(): boolean {
    let left = 0
    for (let index = 0; index < this.#wantedSources.length; index++) {
      const source = this.#wantedSources[index] as BlockSource
      const number = this.#wantedNumbers[index] as number
      const block = source.loadNow(number)
      if (block !== undefined) this.#hold(source, number, block)
      else {
        this.#wantedSources[left] = source
        this.#wantedNumbers[left++] = number
      }
    }
    this.#wantedSources.length = left
    this.#wantedNumbers.length = left
    return left === 0
  }

  /** Lets go of everything wanted and held. Idempotent. */
  clear(): void {
    // Setting a length is a call into the engine, which a lookup that lacks nothing need not make.
    if (this.#wantedSources.length > 0) this.#wantedSources.length = this.#wantedNumbers.length = 0
    if (this.#heldSources.length === 0) return
    for (let index = 0; index < this.#heldSources.length; index++) {
      const source = this.#heldSources[index] as BlockSource
      source.letGo(this.#heldNumbers[index] as number)
    }
    this.#heldSources.length = 0
    this.#heldNumbers.length = 0
    this.#heldBlocks.length = 0
  }

  #hold(source: BlockSource, blockNumber: number, block: object): void {
    source.hold(blockNumber)
    this.#heldSources.push(source)
    this.#heldNumbers.push(blockNumber)
    this.#heldBlocks.push(block)
  }
}
