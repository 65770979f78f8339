/** What a database may hold when some of its writes were rejected and may have happened nevertheless. */

import assert from 'node:assert/strict'
import type { State } from '../crash/alphabet.ts'

type Change = (state: State) => State

export class PossibleStates {
  /** What the database may hold now: more than one where an outcome is unknown. */
  #now: readonly State[]
  /** What a power cut may leave: everything since the last durable moment. */
  #since: readonly State[]

  constructor(state: State) {
    this.#now = [state]
    this.#since = [state]
  }

  /** A write was acknowledged. */
  acknowledged(change: Change, durable: boolean): void {
    this.#move(this.#now.map(change), durable)
  }

  /** A write was rejected, and may have happened. */
  unknown(change: Change): void {
    this.#move([...this.#now, ...this.#now.map(change)], false)
  }

  /** Everything acknowledged is on stable storage. */
  durable(): void {
    this.#since = this.#now
  }

  /** The file system has taken back what was not on stable storage, or will have when it is read again. */
  reverted(): void {
    this.#move([...this.#since, ...this.#now], false)
  }

  /** @throws {AssertionError} a process that goes on, or a new one, finds something else */
  checkNow(found: State, what: string): void {
    assert.ok(has(this.#now, found), `${what}: found ${textOf(found)}, expected ${this.#now.map(textOf).join(' or ')}`)
  }

  /** @throws {AssertionError} found after a power cut */
  checkAfterCut(found: State, what: string): void {
    assert.ok(has(this.#since, found), `${what}: found ${textOf(found)}, of ${this.#since.map(textOf).join(' or ')}`)
  }

  /** One of the states it may be in says so of `key`. */
  mayBe(key: string, value: string | undefined): boolean {
    return this.#now.some((state) => state.get(key) === value)
  }

  #move(next: readonly State[], durable: boolean): void {
    const different = new Map(next.map((state) => [textOf(state), state]))
    this.#now = [...different.values()]
    this.#since = durable ? this.#now : [...this.#since, ...this.#now]
  }
}

function has(states: readonly State[], found: State): boolean {
  const text = textOf(found)
  return states.some((state) => textOf(state) === text)
}

function textOf(state: State): string {
  return [...state].map(([key, value]) => `${key}=${value.slice(0, 12)}`).join(' ')
}
