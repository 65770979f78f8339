/** What survives of the local journal when the power is cut, at any operation, again and again. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { epoch, journalPosition, shardId } from '../kernel/ids.ts'
import { MemoryStateKeeper } from '../testing/memory-state-keeper.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { failure } from '../testing/simulated-failure.ts'
import type { DeviceOperation } from '../testing/device-operation.ts'
import type { CrashPolicy, SimulatedDeviceOptions } from '../testing/simulated-device.ts'
import type { Journal } from './journal.ts'
import { LocalJournalSystem } from './local-journal-system.ts'

const hash = await loadHash()
const SHARD = shardId('s')
const SEEDS = 100
const KEPT = ['none', 'all', 'some'] as const
const POLICIES: readonly CrashPolicy[] = KEPT.flatMap((data) => KEPT.map((names) => ({ data, names })))

interface Batch {
  readonly text: string
  readonly position: number
  state: 'open' | 'written' | 'synced' | 'failed'
}

/** One run of a process: everything it does after the power went is void. */
interface Life {
  alive: boolean
}

class PowerCut extends Error {}

/** One disk, one head, and what the journal on them owes. */
class World {
  device: SimulatedDevice
  readonly keeper = new MemoryStateKeeper()
  readonly random: SeededRandom
  readonly #options: SimulatedDeviceOptions
  /** Everything in the log, in order, from position 0 on. */
  model: Batch[] = []
  truncatedTo = 0
  epoch = 0
  /** Whether to sync but seldom. */
  readonly lazy: boolean
  /** Whether segments come and go fast: batches are long, and the shard keeps all that is written in files soon. */
  readonly brisk: boolean
  /** Files that were used for another segment. */
  adopted = 0
  #left = Infinity
  #life: Life = { alive: true }
  #cut: (() => void) | undefined
  #next: SimulatedDevice | undefined

  constructor(seed: number, options: SimulatedDeviceOptions) {
    this.random = new SeededRandom(seed)
    this.lazy = this.random.once(2)
    this.brisk = this.random.once(2)
    this.#options = { ...options, before: ({ operation, path }) => this.#before(operation, path) }
    this.device = new SimulatedDevice(this.#options)
  }

  /** Runs `work`, and cuts the power at its operation number `after`. True where that came to pass. */
  async run(after: number, work: (life: Life) => Promise<void>): Promise<boolean> {
    this.#left = after
    const life = (this.#life = { alive: true })
    const cut = new Promise<never>((_, reject) => (this.#cut = () => reject(new PowerCut())))
    cut.catch(() => {})
    try {
      await Promise.race([work(life), cut])
    } catch (error) {
      if (life.alive) throw error
    }
    this.#left = Infinity
    if (this.#next === undefined) return false
    this.device = this.#next
    this.#next = undefined
    return true
  }

  async open(): Promise<Journal> {
    const settings = { segmentBytes: 4096, preallocateBytes: 512, readBytes: 256 }
    const { device, random } = this
    // With a clock, files of segments are used again.
    const clock = new SimulatedClock()
    const system = new LocalJournalSystem({ device, directory: 'j', hash, random, clock, settings })
    // As a shard does: what it still needs is in its manifest, so that a lost segment is told from a truncated one.
    const needed = journalPosition(this.truncatedTo)
    const journal = await system.open(SHARD, epoch(++this.epoch), this.keeper, needed)
    await this.check(journal)
    return journal
  }

  /** Whoever opens must find a prefix with everything synced; what he found he may rely on. */
  async check(journal: Journal): Promise<void> {
    const found: string[] = []
    const end = await journal.replay(journalPosition(this.truncatedTo), (payload, position) => {
      const text = Buffer.from(payload).toString()
      const expected = this.model[this.model.findIndex((one) => one.position === position)]
      assert.equal(text, expected?.text, `the batch at ${position} is the one that was appended there`)
      found.push(text)
    })
    assert.equal(end, journal.end)
    const kept = this.model.filter(({ position, text }) => position + text.length <= end)
    const owed = kept.filter(({ position }) => position >= this.truncatedTo)
    assert.deepEqual(
      found,
      owed.map(({ text }) => text),
      'replay is whole up to its end',
    )
    for (const lost of this.model.slice(kept.length)) {
      assert.notEqual(lost.state, 'synced', `a synced batch at ${lost.position} is lost, the log ends at ${end}`)
    }
    for (const batch of kept) batch.state = 'synced'
    this.model = kept
  }

  #before(operation: DeviceOperation['operation'], path: string): void {
    if (operation === 'rename' && path.endsWith('.log')) this.adopted++
    if (this.#left-- > 0) return
    if (this.#next === undefined) {
      const policy = POLICIES[this.random.below(POLICIES.length)] as CrashPolicy
      // Now and then only the process dies: what it had written is still there, and still not stored.
      this.#next = this.random.once(4)
        ? this.device.kill(this.#options)
        : this.device.crash(policy, this.random.u32(), this.#options)
      this.#life.alive = false
      this.#cut?.()
    }
    throw failure('IO_FAILED', 'anything', 'after the power cut')
  }
}

let serial = 0

function append(world: World, life: Life, journal: Journal, durability: 'written' | 'synced'): Promise<void> {
  const { random } = world
  const length =
    world.brisk && random.once(2)
      ? 300 + random.below(1200)
      : random.once(12)
        ? 1 + random.below(6000)
        : 1 + random.below(80)
  const text = `${serial++}:`.padEnd(length, 'x')
  const batch: Batch = { text, position: journal.end, state: 'open' }
  world.model.push(batch)
  const { written, synced } = journal.append(Buffer.from(text), durability)
  const mark = (state: Batch['state']) => (): void => {
    if (life.alive && batch.state !== 'synced') batch.state = state
  }
  // Rejected because of the power cut: the loop notices that by itself.
  written.then(mark('written'), mark('failed'))
  synced?.then(mark('synced'), mark('failed'))
  return (synced ?? written).catch(() => {})
}

async function workload(world: World, life: Life, steps: number): Promise<void> {
  const { random } = world
  let journal = await world.open()
  for (let step = 0; step < steps; step++) {
    if (!life.alive) throw new PowerCut()
    switch (world.brisk && random.once(4) ? 1 : random.below(12)) {
      case 0:
        if (world.lazy && !random.once(5)) break
        await journal.sync()
        for (const batch of world.model) if (life.alive && batch.state !== 'failed') batch.state = 'synced'
        break
      case 1: {
        // Only what is safe elsewhere is truncated: what is synced, or in files.
        const isSafe = ({ state }: Batch): boolean => state === 'synced' || (world.brisk && state === 'written')
        const durable = world.model.filter(isSafe)
        const before = durable[random.below(durable.length + 1)]?.position ?? 0
        world.truncatedTo = Math.max(world.truncatedTo, before)
        await journal.truncate(journalPosition(before))
        assert.ok(journal.start <= Math.max(before, world.truncatedTo), 'nothing at or after the position was dropped')
        break
      }
      case 2:
        if (!random.once(3)) break
        await journal.close()
        if (!life.alive) throw new PowerCut()
        journal = await world.open()
        break
      case 3:
      case 4:
      case 5: {
        const several = Array.from({ length: 1 + random.below(4) }, () =>
          append(world, life, journal, random.once(world.lazy ? 40 : 2) ? 'synced' : 'written'),
        )
        if (random.once(2)) await Promise.all(several)
        break
      }
      default:
        await append(world, life, journal, random.once(world.lazy ? 40 : 3) ? 'synced' : 'written')
    }
  }
  await journal.close()
}

for (const [name, options] of [
  ['with synchronous calls', {}],
  ['without synchronous calls', { syncRead: false, syncWrite: false }],
] as const) {
  test(`power cuts at any operation lose nothing synced, and what is left is a prefix: ${name}`, async () => {
    let [cuts, adopted] = [0, 0]
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = new World(seed, options)
      try {
        for (let round = 0; round < 3; round++) {
          if (await world.run(world.random.below(160), (life) => workload(world, life, 60))) cuts++
          // Again while recovering, until an opening gets through.
          for (
            let most = 40;
            await world.run(world.random.below(most), async () => (await world.open()).close());
            most *= 2
          )
            cuts++
          await world.run(Infinity, async () => {
            const once = await world.open()
            const end = once.end
            await once.close()
            const twice = await world.open()
            assert.equal(twice.end, end, 'opening again changes nothing')
            await twice.close()
          })
        }
        adopted += world.adopted
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }
    }
    assert.ok(cuts > 200, `only ${cuts} power cuts happened`)
    assert.ok(adopted > 60, `only ${adopted} files were used again`)
  })
}

test('a killed process loses nothing written, wherever it was', async () => {
  for (let after = 0; after < 120; after++) {
    const device = new SimulatedDevice({
      before: () => {
        if (left-- <= 0) throw failure('IO_FAILED', 'anything', 'after the kill')
      },
    })
    let left = Infinity
    const [keeper, random] = [new MemoryStateKeeper(), new SeededRandom(after)]
    const settings = { segmentBytes: 4096, preallocateBytes: 512 }
    const open = (on: SimulatedDevice, at: number): Promise<Journal> =>
      new LocalJournalSystem({ device: on, directory: 'j', hash, random, settings }).open(SHARD, epoch(at), keeper)
    const journal = await open(device, 1)
    left = after
    const acknowledged: string[] = []
    for (let index = 0; index < 60; index++) {
      const text = `${index}`.padEnd(150, '-')
      const { written } = journal.append(Buffer.from(text), index % 5 === 0 ? 'synced' : 'written')
      await written.then(
        () => acknowledged.push(text),
        (error: unknown) => assert.ok(isCode(error, 'OUTCOME_UNKNOWN')),
      )
    }
    const again = await open(device.kill({}), 2)
    const found: string[] = []
    await again.replay(journalPosition(0), (payload) => void found.push(Buffer.from(payload).toString()))
    assert.deepEqual(found.slice(0, acknowledged.length), acknowledged)
    assert.ok(found.length <= acknowledged.length + 1, 'at most the append in flight is found besides')
  }
})
