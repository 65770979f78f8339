/** A disk that is full of journals: whatever gives space back goes on, and then so does everything; nothing is lost. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Opened } from '../../src/cli/serve/served-directory.ts'
import { journalsOn, sharedJournalOn } from '../../src/cli/serve/served-journals.ts'
import type { Journal, JournalSystem } from '../../src/journal/journal.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { epoch, journalPosition, shardId } from '../../src/kernel/ids.ts'
import { KIB, MIB } from '../../src/kernel/limits.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'

const DISK_BYTES = 2 * MIB
const BATCH_BYTES = 5 * KIB
const hash = await loadHash()
const KINDS = [
  ['one log for all shards', sharedJournalOn],
  ['a log for each shard', journalsOn],
] as const

class Shard {
  readonly keeper = new MemoryStateKeeper()
  journal!: Journal
  epoch = 0
  /** From where it replays, and what it must find there: the first bytes of batches, by their positions. */
  needed = 0
  readonly model = new Map<number, number>()

  /** False where there is no space. */
  async append(value: number): Promise<boolean> {
    const { journal } = this
    const at = journal.end
    const { written, synced } = journal.append(
      new Uint8Array(BATCH_BYTES).fill(value),
      value % 4 === 0 ? 'synced' : 'written',
    )
    try {
      await written
      await synced
    } catch (error) {
      assert.ok(isCode(error, 'NO_SPACE'), (error as Error).message)
      assert.equal(journal.end, at)
      return false
    }
    this.model.set(at, value & 255)
    return true
  }

  /** As after a flush of everything. */
  async truncate(): Promise<void> {
    this.needed = this.journal.end
    this.model.clear()
    await this.journal.truncate(journalPosition(this.needed))
  }

  async check(): Promise<void> {
    const found = new Map<number, number>()
    await this.journal.replay(journalPosition(this.needed), (payload, at) => found.set(at, payload[0] as number))
    assert.deepEqual(found, this.model)
  }
}

class Service {
  device = new SimulatedDevice({ capacityBytes: DISK_BYTES, record: false })
  readonly clock = new SimulatedClock()
  readonly #open: typeof journalsOn
  readonly #random = new SeededRandom(1)
  #opened = new Opened()
  system!: JournalSystem
  readonly shards = new Map<string, Shard>()

  constructor(open: typeof journalsOn) {
    this.#open = open
  }

  async start(names: readonly string[]): Promise<this> {
    this.#opened = new Opened()
    await this.device.makeDirectory('.')
    const { device, clock } = this
    const basis = { device, directory: 'here', hash, random: this.#random, clock, opened: this.#opened }
    this.system = await this.#open(basis)
    for (const name of names) await this.open(name)
    return this
  }

  async open(name: string): Promise<Shard> {
    const shard = this.shards.get(name) ?? new Shard()
    this.shards.set(name, shard)
    const { keeper } = shard
    const needed = journalPosition(shard.needed)
    shard.journal = await this.system.open(shardId(name), epoch(++shard.epoch), keeper, needed)
    await shard.check()
    return shard
  }

  /** Of every shard as much as there is room for. */
  async fillUp(of: readonly Shard[] = [...this.shards.values()]): Promise<void> {
    let fits = true
    for (let value = 0; fits; value++) {
      fits = false
      for (const shard of of) if (await shard.append(value)) fits = true
      assert.ok(value < 2000, 'the disk is never full')
    }
  }

  /** Time passes until `shard` appends again. */
  async resumes(shard: Shard): Promise<boolean> {
    for (let turn = 0; turn < 20; turn++) {
      if (await shard.append(7)) return true
      this.clock.advance(500)
      for (let left = 5; left > 0; left--) await this.clock.turn()
    }
    return false
  }

  async stop(): Promise<void> {
    for (const { journal } of this.shards.values()) await journal.close()
    await this.#opened.close()
  }

  /** The process is killed, and another takes its place. */
  async kill(): Promise<void> {
    this.device = this.device.kill()
    await this.start([...this.shards.keys()])
  }
}

for (const [kind, open] of KINDS) {
  test(`shards that have filled their disk go on once they have truncated, again and again: ${kind}`, async () => {
    const service = await new Service(open).start(['one', 'two', 'three'])
    const shards = [...service.shards.values()]
    for (let round = 0; round < 8; round++) {
      const ends = shards.reduce((sum, { journal }) => sum + journal.end, 0)
      await service.fillUp()
      const appended = shards.reduce((sum, { journal }) => sum + journal.end, 0) - ends
      assert.ok(appended > DISK_BYTES / 4, `round ${round}: only ${appended} bytes fitted`)
      for (const shard of shards) await shard.check()
      if (round % 3 === 1) await service.kill()
      if (round % 3 === 2) {
        await service.stop()
        await service.start(['three', 'two', 'one'])
      }
      for (const shard of shards) await shard.truncate()
      for (const shard of shards) assert.ok(await service.resumes(shard), `round ${round}: still full`)
      for (const shard of shards) await shard.check()
    }
    await service.stop()
  })

  test(`a full disk lets every shard be opened and read, also after a power cut, and has room when there is: ${kind}`, async () => {
    const service = await new Service(open).start(['one', 'two'])
    const [one, two] = [...service.shards.values()] as [Shard, Shard]
    for (let value = 0; value < 120; value++) await (value % 2 === 0 ? one : two).append(value)
    for (const { journal } of [one, two]) await journal.sync()
    const { device } = service
    const held = (await device.stat('reserve'))?.bytes
    assert.equal(held, DISK_BYTES / 8)
    // Somebody else takes all that is left, to the last byte.
    const hog = await device.open('hog', 'create')
    await hog.write([new Uint8Array(DISK_BYTES - device.usedBytes)], 0)
    await hog.sync()
    await device.syncDirectory('.')
    assert.equal(device.usedBytes, DISK_BYTES)
    for (const how of ['kill', 'stop', 'power cut']) {
      if (how === 'stop') await service.stop()
      if (how === 'power cut') service.device = service.device.crash({ data: 'none', names: 'none' }, 1)
      if (how === 'kill') await service.kill()
      else await service.start(['one', 'two'])
      for (const shard of [one, two]) assert.equal(await service.resumes(shard), false, how)
      for (const shard of [one, two]) await shard.check()
      const reader = await service.system.openReadOnly(shardId('one'), one.keeper.state, journalPosition(one.needed))
      await reader.close()
    }
    await service.device.unlink('hog')
    for (const shard of [one, two]) assert.ok(await service.resumes(shard))
    assert.equal((await service.device.stat('reserve'))?.bytes, held)
    for (const shard of [one, two]) await shard.check()
    await service.stop()
  })

  // It heard NO_SPACE, which says that it may try again.
  test(`an owner that was replaced hears so, also while the disk is full: ${kind}`, async () => {
    const service = await new Service(open).start(['one', 'two'])
    await service.fillUp()
    const [one, two] = [...service.shards.values()] as [Shard, Shard]
    const former = one.journal
    await service.open('one')
    const appends = [former.append(Uint8Array.of(1), 'synced'), former.append(Uint8Array.of(2), 'written')]
    for (const { written, synced } of appends) {
      await assert.rejects(written, { code: 'FENCED' })
      await assert.rejects(synced ?? written, { code: 'FENCED' })
    }
    assert.equal(await two.append(1), false)
    assert.equal(await service.open('one').then((owner) => owner.append(1)), false)
    await one.check()
    await service.stop()
  })
}

for (const [where, count] of [
  ['at the beginning', 200],
  ['in every segment', 4],
] as const) {
  test(`a shard that is quiet, and needs less than two thirds of the log, does not keep a full disk full: ${where}`, async () => {
    const service = await new Service(sharedJournalOn).start(['quiet', 'loud'])
    const [quiet, loud] = [...service.shards.values()] as [Shard, Shard]
    for (let round = 0; round < 6; round++) {
      for (let turn = 0; quiet.model.size < 200 && turn < 50; turn++) {
        for (let value = 0; value < count && quiet.model.size < 200; value++) await quiet.append(value)
        for (let value = 0; value < 4; value++) await loud.append(value)
      }
      await service.fillUp([loud])
      await loud.truncate()
      assert.ok(await service.resumes(loud), `round ${round}: still full`)
      for (const shard of [quiet, loud]) await shard.check()
      if (round % 2 === 1) await service.kill()
    }
    await service.stop()
  })
}

test('a disk that is too small for journals is told so, with what it takes', async () => {
  for (const open of [sharedJournalOn, journalsOn]) {
    const service = new Service(open)
    service.device = new SimulatedDevice({ capacityBytes: 1 * MIB - 1 })
    await assert.rejects(service.start([]), {
      code: 'NO_SPACE',
      message: /here has 1023 KiB in all: journals need 1024 KiB/,
    })
    service.device = new SimulatedDevice({ capacityBytes: 1 * MIB })
    await service.start(['one'])
    const one = service.shards.get('one') as Shard
    for (let round = 0; round < 3; round++) {
      await service.fillUp()
      await one.truncate()
      assert.ok(await service.resumes(one))
    }
    await service.stop()
  }
})
