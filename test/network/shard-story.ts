/**
 * One shard of a simulated cluster: who has it, one after the other, what their clients ask for, and whether the history of
 * all of them together can be explained.
 *
 * Hosts that were replaced live on, awake or asleep, and their clients ask them on: a host that has slept through anything
 * must not acknowledge, and must not answer a fresh read, that the history of all clients together cannot explain.
 */

import assert from 'node:assert/strict'
import type { KvOpenOptions } from '../../src/engines/kv/kv.ts'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { KEYS, keyOf } from '../seeds/content.ts'
import { RecordedCalls } from '../seeds/recorded-calls.ts'
import { HostClients } from './host-clients.ts'
import type { ClientTally } from './host-clients.ts'
import type { Machine, World } from './machine.ts'
import type { Nemesis } from './nemesis.ts'
import { ShardHost } from './shard-host.ts'

// Longer than any timeout in the system, several times: what has not settled then never will.
const SETTLES_WITHIN_MS = 10 * 60_000
const OPENINGS_MAX = 30
const CLIENTS = 3

export interface StoryBasis {
  readonly world: World
  readonly shard: string
  readonly settings: NonNullable<KvOpenOptions['settings']>
  /** Whether the journal's machine may lose its power, and with that what was only written. */
  readonly losesPower: boolean
  /** Machines that only this shard's hosts run on. */
  readonly hosts: readonly Machine[]
  readonly disks: readonly Machine[]
  readonly nemesis: Nemesis
  /** Of each of the clients, each time they are asked. */
  readonly calls: number
}

interface Owner {
  readonly machine: Machine
  readonly host: ShardHost
  readonly clients: HostClients
}

export class ShardStory {
  readonly recorded = new RecordedCalls()
  readonly tally: ClientTally = { writes: 0, rejected: 0, fenced: 0 }
  readonly #basis: StoryBasis
  /** Clients of hosts, by the process of theirs. */
  readonly #asking: { readonly owner: Owner; readonly done: Promise<void> }[] = []
  readonly #owners: Owner[] = []
  takeovers = 0

  constructor(basis: StoryBasis) {
    this.#basis = basis
  }

  /** The first owner has it. */
  async begin(): Promise<void> {
    await this.#takeOver(this.#basis.hosts[0] as Machine)
  }

  /** Whoever has it is asked. */
  askOwner(): void {
    this.#ask(this.#owners.at(-1) as Owner)
  }

  /** Those who were replaced do not know, or do: they are asked on. */
  askFormer(): void {
    const { random } = this.#basis.world
    for (const owner of this.#owners.slice(0, -1)) if (owner.host.process.alive && random.once(2)) this.#ask(owner)
  }

  /** The owner dies, sleeps, is parted from the rest or is as well as ever, and another host takes over. */
  async replace(): Promise<void> {
    const { nemesis, hosts, disks, world } = this.#basis
    const { random } = world
    const { machine } = this.#owners.at(-1) as Owner
    switch (random.below(4)) {
      case 0:
        machine.end('kill')
        machine.boot()
        break
      case 1:
        nemesis.stop(machine, 1 + random.below(random.once(2) ? 500 : 60_000))
        break
      case 2:
        for (const disk of disks) if (random.once(2)) nemesis.part(machine, disk, random.once(2) ? 1 : 2)
        break
      default:
    }
    const others = hosts.filter((host) => host !== machine)
    await this.#takeOver(others[random.below(others.length)] as Machine)
  }

  async #takeOver(machine: Machine): Promise<void> {
    const { world, shard, settings, losesPower, nemesis } = this.#basis
    const { random, scheduler, seed } = world
    for (let attempt = 1; ; attempt++) {
      // It may be an owner of old that never noticed.
      if (machine.alive && (attempt > 1 || random.once(2))) machine.end('kill')
      machine.boot()
      const { life } = machine
      try {
        const chance = new SeededRandom(seed * 1000 + 500 + life.process.id)
        const host = await this.#run(ShardHost.open(life, chance, settings, shard), `opening ${machine.name}`)
        this.takeovers++
        const basis = {
          random,
          recorded: this.recorded,
          tally: this.tally,
          cautious: losesPower,
        }
        this.#owners.push({ machine, host, clients: new HostClients(host, basis) })
        return
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        assert.ok(error.kind !== 'bug' && error.kind !== 'corrupt', `opening: ${error.code}: ${error.message}`)
        assert.ok(attempt < OPENINGS_MAX, `the shard never opens: ${error.code}: ${error.message}`)
        if (attempt >= 2) nemesis.end()
        await scheduler.pass(random.below(2000))
      }
    }
  }

  #ask(owner: Owner): void {
    const { failed } = this.#basis.world
    for (let client = 0; client < CLIENTS; client++) {
      const done = owner.clients.run(this.#basis.calls).catch(failed)
      this.#asking.push({ owner, done })
    }
  }

  /** Nothing fails any more: whoever was asked answers. */
  async answered(): Promise<void> {
    const waiting = this.#asking.filter(({ owner }) => owner.host.process.alive)
    const who = (): string => waiting.flatMap(({ owner }) => [...owner.clients.waiting]).join(', ')
    await this.#run(Promise.all(waiting.map(({ done }) => done)), who)
  }

  /** Nothing fails any more: everything works, who was replaced is refused, and all answers ever are explained. */
  async works(): Promise<void> {
    const { hosts, losesPower } = this.#basis
    await this.#takeOver(hosts[0] as Machine)
    const { host, clients } = this.#owners.at(-1) as Owner
    const work = async (): Promise<void> => {
      for (let left = 5; left > 0; left--) await clients.write()
      await host.db.flush()
      await host.db.settle()
      for await (const { damage } of host.db.verify()) assert.equal(damage, undefined)
      for (let number = 0; number < KEYS; number++) await clients.read(keyOf(number))
    }
    await this.#run(work(), 'the last owner')
    for (const former of this.#owners.slice(0, -1)) if (former.host.process.alive) await this.#refused(former)
    for (let number = 0; number < KEYS; number++) await this.#run(clients.read(keyOf(number)), 'a read')
    await this.#run(host.db.close(), 'closing')
    if (losesPower) this.recorded.forgetUnacknowledged()
    this.recorded.check()
  }

  /** However long it has slept. */
  async #refused({ host, clients }: Owner): Promise<void> {
    const attempt = async (): Promise<void> => {
      try {
        await clients.write()
      } catch (error) {
        assert.ok(isCode(error, 'FENCED', 'OUTCOME_UNKNOWN', 'POISONED', 'CLOSED'), String(error))
        return
      }
      assert.fail(`host ${host.process.id} was replaced, and is acknowledged`)
    }
    await this.#run(attempt(), 'a write of a former owner')
  }

  /** @throws {Error} where `work` does not settle */
  async #run<T>(work: Promise<T>, what: string | (() => string)): Promise<T> {
    const { scheduler } = this.#basis.world
    const watch = scheduler.process()
    const late = watch.sleep(SETTLES_WITHIN_MS, 'watch').then((): T => {
      throw new Error(`never settles: ${typeof what === 'string' ? what : what()}`)
    })
    const settle = (): void => watch.kill()
    work.then(settle, settle)
    return scheduler.run(Promise.race([work, late]))
  }
}
