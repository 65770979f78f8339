/** What a group of stored blocks is: for each where it lies, what checks it, where it is decoded to, and whether it has been. */

// As `struct row_task` of native/varve.h has them, in the machine's byte order.
const TASK_BYTES = 40
const [WORDS, LONGS] = [TASK_BYTES / 4, TASK_BYTES / 8]
const SEED_LONG = 2
const CHECKSUM_LONG = 3
const DONE_WORD = 8

/** The blocks of one group. Who makes it places and checks each, a thread decodes them, then its maker looks which are done. */
export class DecodeTasks {
  /** Of all, one after the other. */
  readonly bytes: Uint8Array
  readonly #words: Uint32Array
  readonly #longs: BigUint64Array

  /** @param count how many blocks: each is to be placed and checked */
  constructor(count: number) {
    this.#longs = new BigUint64Array(count * LONGS)
    this.#words = new Uint32Array(this.#longs.buffer)
    this.bytes = new Uint8Array(this.#longs.buffer)
  }

  /** Where in the stored bytes block `index` lies, and where in memory it goes. In bytes, each. */
  place(index: number, storedStart: number, storedLength: number, blockStart: number, blockLength: number): void {
    const words = this.#words
    const at = index * WORDS
    words[at] = storedStart
    words[at + 1] = storedLength
    words[at + 2] = blockStart
    words[at + 3] = blockLength
  }

  /** What the stored bytes of block `index` are checked against. @param checksum of them, XXH64 with `seed` */
  check(index: number, seed: bigint, checksum: bigint): void {
    this.#longs[index * LONGS + SEED_LONG] = seed
    this.#longs[index * LONGS + CHECKSUM_LONG] = checksum
  }

  /** Where in memory block `index` goes, in bytes. */
  blockStart(index: number): number {
    return this.#words[index * WORDS + 2] as number
  }

  /** How long it is once decoded, in bytes. */
  blockLength(index: number): number {
    return this.#words[index * WORDS + 3] as number
  }

  /** Whether its block is in memory. Where not, whatever the reason, what is there means nothing. */
  isDone(index: number): boolean {
    return this.#words[index * WORDS + DONE_WORD] === 1
  }
}
