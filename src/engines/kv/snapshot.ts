/** A snapshot: a seqno that flushes and compactions keep readable. */

import { VarveError } from '../../kernel/errors.ts'
import type { Seqno } from '../../kernel/ids.ts'
import type { KvSnapshot } from './kv.ts'

export class Snapshot implements KvSnapshot {
  readonly seqno: Seqno
  /** Whose it is: a snapshot of another shard has another meaning. */
  readonly owner: object
  readonly #release: (snapshot: Snapshot) => void
  #closed = false

  constructor(owner: object, seqno: Seqno, release: (snapshot: Snapshot) => void) {
    this.owner = owner
    this.seqno = seqno
    this.#release = release
  }

  /** @throws {VarveError} CLOSED; {TypeError} a snapshot of another shard */
  seqnoFor(owner: object): Seqno {
    if (this.owner !== owner) throw new TypeError('the snapshot belongs to another shard')
    if (this.#closed) throw new VarveError('CLOSED', 'the snapshot is closed')
    return this.seqno
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#release(this)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
