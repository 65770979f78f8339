/** The promises of those who wait for the same bytes of the journal: one a rung, however many they are. */

import type { Durability } from '../journal/journal.ts'
import { Deferred } from './deferred.ts'

export class RungPromises {
  #written: Deferred<void> | undefined
  #synced: Deferred<void> | undefined
  #rejected: { readonly reason: unknown } | undefined

  /** Who waits furthest. */
  get durability(): Durability {
    return this.#synced === undefined ? 'written' : 'synced'
  }

  /** The promise that all of this rung share. */
  promise(durability: Durability): Promise<void> {
    const rung = durability === 'written' ? (this.#written ??= new Deferred()) : (this.#synced ??= new Deferred())
    // Who asks only now hears of it too.
    if (this.#rejected !== undefined) rung.reject(this.#rejected.reason)
    return rung.promise
  }

  resolveWritten(): void {
    this.#written?.resolve()
  }

  resolveSynced(): void {
    this.#synced?.resolve()
  }

  reject(reason: unknown): void {
    this.#rejected = { reason }
    this.#written?.reject(reason)
    this.#synced?.reject(reason)
  }

  /** What becomes of `others`, which have the bytes now, becomes of these. */
  follow(others: RungPromises): void {
    if (this.#written !== undefined) others.promise('written').then(this.#written.resolve, this.#written.reject)
    if (this.#synced !== undefined) others.promise('synced').then(this.#synced.resolve, this.#synced.reject)
  }
}
