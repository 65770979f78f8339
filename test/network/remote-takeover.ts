/** Two hosts of one shard over a simulated network, of which one is held when it has heard a given number of messages. */

import assert from 'node:assert/strict'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import { EventTrace } from '../../src/testing/event-trace.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedNetwork } from '../../src/testing/simulated-network.ts'
import { SimulatedScheduler } from '../../src/testing/simulated-scheduler.ts'
import { TINY_SETTINGS } from '../simulation.ts'
import { makeCluster } from './cluster.ts'
import type { Machines } from './cluster.ts'
import type { Machine, World } from './machine.ts'
import { ShardHost } from './shard-host.ts'

const SETTINGS = { ...TINY_SETTINGS, memtableBytes: 1 << 20 }
// Everything but heartbeats is over by then; what waits for the sleeper is not.
const QUIET_MS = 3_000

export type Deed = 'open' | 'flush' | 'compact' | `put ${string}`

export interface HeldOutcome {
  /** It had done everything before it could be held. */
  readonly ended: boolean
  readonly fenced: number
  readonly acknowledged: number
}

/**
 * @param sleeper its deeds; it is held after `messages` of them have come to it, from `open` on where that is its first
 * @param other what another host does meanwhile; then the sleeper goes on
 * @throws {AssertionError} what either was told of is lost
 */
export async function holdHost(
  sleeper: readonly Deed[],
  other: readonly Deed[],
  messages: number,
): Promise<HeldOutcome> {
  return new RemoteTakeover().run(sleeper, other, messages)
}

class RemoteTakeover {
  readonly #world: World
  readonly #machines: Machines
  readonly #acknowledged: string[] = []
  #fenced = 0
  /** Messages that still come to the sleeper. */
  #left = Infinity
  #failure: unknown

  constructor() {
    const [random, trace] = [new SeededRandom(1), new EventTrace()]
    const scheduler = new SimulatedScheduler({ random, slackMs: 0 })
    const network = new SimulatedNetwork({
      scheduler,
      random,
      latencyMs: () => 0.1,
      trace: (_, to) => this.#heard(to),
    })
    const failed = (error: unknown): void => void (this.#failure ??= error)
    this.#world = { seed: 1, random, trace, scheduler, network, failed }
    this.#machines = makeCluster(this.#world, 1)
  }

  async run(sleeper: readonly Deed[], other: readonly Deed[], messages: number): Promise<HeldOutcome> {
    const { scheduler } = this.#world
    const [first, second, third] = this.#machines.hosts.flat() as [Machine, Machine, Machine]
    // Who does not open at first is the owner already; who opens does it while the other is.
    const opens = sleeper[0] === 'open'
    const owner = await scheduler.run(this.#open(opens ? second : first))
    this.#left = messages
    let ended = false
    const sleeping = this.#do(sleeper, opens ? undefined : owner, first).then(() => void (ended = true))
    await scheduler.pass(QUIET_MS)
    const endedBefore = ended
    await scheduler.run(this.#do(other, opens ? owner : undefined, second))
    this.#left = Infinity
    if (first.stopped) first.life.process.resume()
    await scheduler.run(sleeping)
    assert.equal(this.#failure, undefined)
    const last = await scheduler.run(this.#open(third))
    for (const key of this.#acknowledged)
      assert.equal(await scheduler.run(last.fresh(key)), key, `${key} was acknowledged and is lost, after ${messages}`)
    const verify = async (): Promise<void> => {
      for await (const { damage } of last.db.verify()) assert.equal(damage, undefined)
    }
    await scheduler.run(verify())
    return { ended: endedBefore, fenced: this.#fenced, acknowledged: this.#acknowledged.length }
  }

  #heard(machine: string): void {
    const [first] = this.#machines.hosts.flat()
    if (machine !== first?.name || --this.#left !== 0) return
    first.life.process.stop()
  }

  #open({ life }: Machine): Promise<ShardHost> {
    return ShardHost.open(life, new SeededRandom(life.process.id), SETTINGS, 'main')
  }

  /** Until it is refused. */
  async #do(deeds: readonly Deed[], owner: ShardHost | undefined, machine: Machine): Promise<void> {
    let host = owner
    try {
      for (const deed of deeds) {
        if (deed === 'open') host = await this.#open(machine)
        else if (deed === 'flush') await host?.db.flush()
        else if (deed === 'compact') await host?.db.compactRange()
        else {
          const key = deed.slice('put '.length)
          await host?.db.put(Buffer.from(key), Buffer.from(key), { durability: 'synced' })
          this.#acknowledged.push(key)
        }
      }
    } catch (error) {
      if (isCode(error, 'FENCED')) this.#fenced++
      // A connection that was thought to be lost while its host slept.
      else if (!(error instanceof VarveError) || !['retry', 'unknown'].includes(error.kind)) this.#failure ??= error
    }
  }
}
