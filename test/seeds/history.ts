/** The writes of a simulated run in the order of the calls, which is the order in which they take effect. */

import assert from 'node:assert/strict'

export interface Write {
  /** Entries it sets; undefined deletes. */
  readonly changes: ReadonlyMap<string, string | undefined>
  state: 'called' | 'acknowledged' | 'refused'
}

export class History {
  #base: ReadonlyMap<string, string> = new Map()
  #writes: Write[] = []
  /** Writes that a power cut may not take back: all before this one. */
  #durable = 0

  get count(): number {
    return this.#writes.length
  }

  call(changes: Write['changes']): Write {
    const write: Write = { changes, state: 'called' }
    this.#writes.push(write)
    return write
  }

  acknowledge(write: Write, durable: boolean): void {
    write.state = 'acknowledged'
    if (durable) this.durable(this.#writes.indexOf(write) + 1)
  }

  /** Everything among the first `count` calls that was acknowledged is on stable storage. */
  durable(count: number): void {
    const acknowledged = this.#writes.slice(0, count).findLastIndex(({ state }) => state === 'acknowledged')
    this.#durable = Math.max(this.#durable, acknowledged + 1)
  }

  /** What a read may find that began when the calls from `floor` on were not acknowledged, and ended now. */
  mayRead(floor: number, key: string, found: string | undefined): boolean {
    let value = this.#base.get(key)
    for (const [index, write] of this.#writes.entries()) {
      if (index >= floor && value === found) return true
      if (write.state !== 'refused' && write.changes.has(key)) value = write.changes.get(key)
    }
    return value === found
  }

  /** Calls below it have been acknowledged, in order. */
  get floor(): number {
    return this.#writes.findLastIndex(({ state }) => state === 'acknowledged') + 1
  }

  /** What was recovered is the present from now on. @throws {AssertionError} it is no state, or one that is too old */
  recovered(found: ReadonlyMap<string, string>, after: 'kill' | 'power cut', what: string): void {
    const floor = after === 'kill' ? this.floor : this.#durable
    const state = new Map(this.#base)
    const text = textOf(found)
    for (let index = 0; index <= this.#writes.length; index++) {
      if (index >= floor && textOf(state) === text) {
        this.#base = state
        this.#writes = []
        this.#durable = 0
        return
      }
      const write = this.#writes[index]
      if (write === undefined || write.state === 'refused') continue
      for (const [key, value] of write.changes) {
        if (value === undefined) state.delete(key)
        else state.set(key, value)
      }
    }
    assert.fail(`${what}: found ${text}, no state from write ${floor} to ${this.#writes.length}; last ${textOf(state)}`)
  }
}

function textOf(state: ReadonlyMap<string, string>): string {
  return [...state]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
}
