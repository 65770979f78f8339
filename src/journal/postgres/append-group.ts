/**
 * Appends that are committed together: those of one turn, and those that came while others were under way.
 *
 * They share their promises: with one that asks for `synced`, all of them are.
 */

import { MIB } from '../../kernel/limits.ts'
import { Deferred } from '../deferred.ts'

// Bounds what one statement takes: more of it waits no longer in two of them. One batch of any size fits.
const GROUP_BYTES_MAX = 4 * MIB
const GROUP_BATCHES_MAX = 16_384

export class AppendGroup {
  /** Position of the first batch. */
  readonly position: number
  readonly batches: Uint8Array[] = []
  bytes = 0
  readonly written = new Deferred()
  synced: Deferred | undefined
  /** It has been sent: nothing is added any more. */
  sent = false

  constructor(position: number) {
    this.position = position
  }

  /** Position just past the last batch. */
  get end(): number {
    return this.position + this.bytes
  }

  takes(length: number): boolean {
    if (this.sent) return false
    return this.bytes === 0 || (this.bytes + length <= GROUP_BYTES_MAX && this.batches.length < GROUP_BATCHES_MAX)
  }

  add(payload: Uint8Array): void {
    this.batches.push(payload)
    this.bytes += payload.length
  }

  wantSynced(): Promise<void> {
    this.synced ??= new Deferred()
    return this.synced.promise
  }

  resolve(): void {
    this.written.resolve()
    this.synced?.resolve()
  }

  reject(reason: unknown): void {
    this.written.reject(reason)
    this.synced?.reject(reason)
  }
}
