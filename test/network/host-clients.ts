/** Clients of one host of the shard: what they ask for, and what they are told. */

import assert from 'node:assert/strict'
import type { KvOperation } from '../../src/engines/kv/kv.ts'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import type { RegisterCall } from '../../src/testing/register-model.ts'
import type { SeededRandom } from '../../src/testing/seeded-random.ts'
import { KEYS, keyOf } from '../seeds/content.ts'
import type { Call, RecordedCalls } from '../seeds/recorded-calls.ts'
import type { ShardHost } from './shard-host.ts'

export interface ClientTally {
  writes: number
  rejected: number
  /** Calls of owners that were refused as such. */
  fenced: number
}

export interface ClientsBasis {
  readonly random: SeededRandom
  readonly recorded: RecordedCalls
  readonly tally: ClientTally
  /** Synced writes only, and no deletions: power may be cut. */
  readonly cautious: boolean
}

export class HostClients {
  readonly #host: ShardHost
  readonly #basis: ClientsBasis
  #number = 0
  /** What has been asked for and not answered. */
  readonly waiting = new Set<string>()

  constructor(host: ShardHost, basis: ClientsBasis) {
    this.#host = host
    this.#basis = basis
  }

  /** One after the other, until the shard takes no more. */
  async run(calls: number): Promise<void> {
    const { random } = this.#basis
    for (let left = calls; left > 0; left--) {
      await this.#host.process.sleep(random.below(4000) / 1000, 'client')
      if (!(await this.attempt(() => this.#call()))) return
    }
  }

  /** @returns false where the shard takes no more calls */
  async attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      assert.ok(error.kind !== 'bug' && error.kind !== 'corrupt', `${error.code}: ${error.message}`)
      this.#basis.tally.rejected++
      if (isCode(error, 'FENCED')) this.#basis.tally.fenced++
      return error.kind === 'retry'
    }
  }

  async #call(): Promise<void> {
    const { db } = this.#host
    const kind = this.#basis.random.below(20)
    if (kind < 9) await this.#waitFor('write', () => this.write())
    else if (kind < 15) await this.#waitFor('read', () => this.read(keyOf(this.#basis.random.below(KEYS))))
    else if (kind < 17) await this.#waitFor('flush', () => db.flush())
    else if (kind === 17) await this.#waitFor('compactRange', () => db.compactRange())
    else if (kind === 18) await this.#waitFor('settle', () => db.settle())
    else await this.#waitFor('sync', () => db.sync())
  }

  async #waitFor(what: string, work: () => Promise<void>): Promise<void> {
    const call = `${what} ${++this.#number} of process ${this.#host.process.id}`
    this.waiting.add(call)
    try {
      await work()
    } finally {
      this.waiting.delete(call)
    }
  }

  async write(): Promise<void> {
    const { random, recorded, tally, cautious } = this.#basis
    const inputs = new Map<string, RegisterCall>()
    for (let left = 1 + random.below(3); left > 0; left--) {
      const key = keyOf(random.below(KEYS))
      const value = `${this.#host.process.id}-${tally.writes}-${++this.#number}`.padEnd(random.below(60), 'x')
      inputs.set(key, !cautious && random.once(4) ? { type: 'delete', key } : { type: 'put', key, value })
    }
    const operations = [...inputs.values()].map((input): KvOperation => {
      const key = Buffer.from(input.key)
      return input.type === 'put' ? { type: 'put', key, value: Buffer.from(input.value) } : { type: 'delete', key }
    })
    tally.writes++
    const calls = recorded.begin(...inputs.values())
    try {
      await this.#host.db.batch(operations, { durability: cautious || random.once(2) ? 'synced' : 'written' })
      recorded.answer(calls, [])
    } catch (error) {
      if (isCode(error, 'NO_SPACE', 'OUT_OF_FILES', 'BUSY')) recorded.refuse(calls)
      throw error
    }
  }

  async read(key: string): Promise<void> {
    const { recorded } = this.#basis
    const calls: readonly Call[] = recorded.begin({ type: 'get', key })
    recorded.answer(calls, [await this.#host.fresh(key)])
  }
}
