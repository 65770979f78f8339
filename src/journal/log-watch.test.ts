/** What the owner of a journal notices of its segments on a device of its own time, and what it takes for its own doing. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { epoch, journalPosition, shardId } from '../kernel/ids.ts'
import { MemoryStateKeeper } from '../testing/memory-state-keeper.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import type { DeviceOperation } from '../testing/device-operation.ts'
import { failure } from '../testing/simulated-failure.ts'
import type { Journal } from './journal.ts'
import { LocalJournalSystem } from './local-journal-system.ts'

const [hash, random] = [await loadHash(), { u32: () => 0 }]
const SEGMENT = 'j/s/0000000000000001-0001-00000001.log'
const DEVICES = [
  ['with synchronous calls', {}],
  ['without synchronous calls', { syncRead: false, syncWrite: false }],
] as const

class Place {
  readonly device: SimulatedDevice
  readonly clock = new SimulatedClock()
  readonly keeper = new MemoryStateKeeper()
  readonly system: LocalJournalSystem
  fault: (operation: DeviceOperation) => void = () => {}

  constructor(options: object) {
    this.device = new SimulatedDevice({ ...options, before: (operation) => this.fault(operation) })
    const { device, clock } = this
    this.system = new LocalJournalSystem({ device, directory: 'j', hash, random, clock })
  }

  get stats(): number {
    return this.device.operations.filter(({ operation, path }) => operation === 'stat' && path === SEGMENT).length
  }
}

for (const [kind, options] of DEVICES) {
  test(`segments are looked for once in a while, and not while nothing is written, ${kind}`, async () => {
    const place = new Place(options)
    const journal = await place.system.open(shardId('s'), epoch(1), place.keeper)
    const put = (): Promise<void> => journal.append(Buffer.from('batch'), 'written').written
    for (let index = 0; index < 50; index++) await put()
    assert.equal(place.stats, 1)
    for (let index = 0; index < 50; index++) {
      place.clock.advance(10)
      await put()
    }
    assert.ok(place.stats >= 4 && place.stats <= 7, `${place.stats} looks in 500 ms`)
    place.clock.advance(1000)
    await place.clock.turn()
    place.clock.advance(1000)
    const before = place.stats
    place.clock.advance(60_000)
    assert.equal(place.clock.pending, 0)
    assert.equal(place.stats, before)
    await put()
    assert.equal(place.stats, before + 1)
    await journal.close()
    assert.equal(place.clock.pending, 0)
  })

  test(`a segment that goes while the log grows ends it at the next look, ${kind}`, async () => {
    const place = new Place(options)
    const journal = await place.system.open(shardId('s'), epoch(1), place.keeper)
    await journal.append(Buffer.from('first'), 'written').written
    await journal.append(Buffer.from('second'), 'synced').synced
    await place.device.unlink(SEGMENT)
    await journal.append(Buffer.from('third'), 'synced').synced
    place.clock.advance(100)
    await place.clock.turn()
    await assert.rejects(journal.append(Buffer.from('fourth'), 'synced').synced as Promise<void>, {
      code: 'JOURNAL_CORRUPT',
      message: new RegExp(`journal file ${SEGMENT} was deleted.*not there any more`),
    })
    await assert.rejects(journal.append(Buffer.from('fifth'), 'written').written, { code: 'JOURNAL_CORRUPT' })
    await journal.close()
  })

  test(`a successor that removes the segments is told as such, ${kind}`, async () => {
    const place = new Place(options)
    const journal = await place.system.open(shardId('s'), epoch(1), place.keeper)
    await journal.append(Buffer.from('first'), 'synced').synced
    const next = await place.system.open(shardId('s'), epoch(2), place.keeper)
    await next.replay(next.start, () => undefined)
    await next.append(Buffer.from('other'), 'synced').synced
    await next.truncate(next.end)
    assert.ok(!place.device.files().includes(SEGMENT))
    place.clock.advance(1000)
    await assert.rejects(journal.append(Buffer.from('second'), 'written').written, { code: 'FENCED' })
    await Promise.all([journal.close(), next.close()])
  })

  // An owner that was replaced while it removed a segment made its successor JOURNAL_CORRUPT.
  test(`what a former owner still removes or cuts off that nobody needs is not missed, ${kind}`, async () => {
    for (const how of ['removes', 'cuts off'] as const) {
      const place = new Place(options)
      const former = await place.system.open(shardId('s'), epoch(1), place.keeper)
      await former.append(Buffer.from('first'), 'synced').synced
      const bytes = (await place.device.stat(SEGMENT))?.bytes ?? 0
      const file = await place.device.open(SEGMENT, 'write')
      await file.write([new Uint8Array(500)], bytes)
      const needed = how === 'removes' ? former.end : undefined
      const next = await place.system.open(shardId('s'), epoch(2), place.keeper, needed)
      await next.replay(needed ?? next.start, () => undefined)
      await next.append(Buffer.from('second'), 'synced').synced
      if (how === 'removes') await place.device.unlink(SEGMENT)
      else await file.truncate(bytes)
      place.clock.advance(1000)
      await next.append(Buffer.from('third'), 'synced').synced
      await Promise.all([former.close(), next.close(), file.close()])
    }
  })

  test(`a segment of an owner long gone that is cut while the log grows ends it, ${kind}`, async () => {
    const place = new Place(options)
    const journals: Journal[] = []
    for (const owner of [1, 2, 3]) {
      const journal = await place.system.open(shardId('s'), epoch(owner), place.keeper, journalPosition(0))
      journals.push(journal)
      await journal.replay(journalPosition(0), () => undefined)
      await journal.append(Buffer.from(`of ${owner}`), 'synced').synced
    }
    const file = await place.device.open(SEGMENT, 'write')
    await file.truncate(70)
    await file.close()
    place.clock.advance(1000)
    const [, , last] = journals
    assert.ok(last !== undefined)
    await assert.rejects(
      async () => {
        await last.append(Buffer.from('lost'), 'synced').synced
        place.clock.advance(1000)
        await last.append(Buffer.from('lost'), 'synced').synced
      },
      { code: 'JOURNAL_CORRUPT', message: /it has 70 bytes, where/ },
    )
    await Promise.all(journals.map((journal) => journal.close()))
  })

  test(`who may not look at the directory any more goes on, ${kind}`, async () => {
    const place = new Place(options)
    const journal = await place.system.open(shardId('s'), epoch(1), place.keeper)
    place.fault = ({ operation, path }) => {
      if (operation === 'stat') throw failure('PERMISSION_DENIED', operation, path)
    }
    for (let index = 0; index < 3; index++) {
      await journal.append(Buffer.from('batch'), 'synced').synced
      place.clock.advance(1000)
    }
    await journal.close()
  })
}
