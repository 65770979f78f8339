/** What the local journal does when its device fails, fills up, or belongs to somebody else by now; and how it syncs. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { epoch, journalPosition, shardId } from '../kernel/ids.ts'
import { MemoryStateKeeper } from '../testing/memory-state-keeper.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { failure } from '../testing/simulated-failure.ts'
import type { SimulatedDeviceOptions } from '../testing/simulated-device.ts'
import type { DeviceOperation } from '../testing/device-operation.ts'
import type { Journal, JournalReader } from './journal.ts'
import { LocalJournalSystem } from './local-journal-system.ts'
import type { LocalJournalSettings } from './settings.ts'

const [hash, random] = [await loadHash(), { u32: () => 0 }] // Every epoch's first attempt is 1.
const SHARD = shardId('s')
const DEVICES = [
  ['with synchronous calls', {}],
  ['without synchronous calls', { syncRead: false, syncWrite: false }],
] as const

class Place {
  device: SimulatedDevice
  readonly keeper = new MemoryStateKeeper()
  readonly #settings: Partial<LocalJournalSettings>
  /** Throws to make an operation fail. */
  fault: (operation: DeviceOperation) => void = () => {}

  constructor(options: SimulatedDeviceOptions, settings: Partial<LocalJournalSettings> = {}) {
    this.device = new SimulatedDevice({ ...options, before: (operation) => this.fault(operation) })
    this.#settings = settings
  }

  open(at: number): Promise<Journal> {
    const components = { device: this.device, directory: 'j', hash, random, settings: this.#settings }
    return new LocalJournalSystem(components).open(SHARD, epoch(at), this.keeper)
  }

  /** True when a power cut now would lose nothing but the witness of the last sync, which is not synced itself. */
  get clean(): boolean {
    const witnesses = this.device.files().filter((path) => path.includes('/synced.'))
    for (const inode of witnesses.map((path) => this.device.inode(path))) inode.sync(inode.changes)
    return this.device.clean
  }

  count(operation: string, suffix: string): number {
    return this.device.operations.filter((one) => one.operation === operation && one.path.endsWith(suffix)).length
  }
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text)
}

async function found(reader: JournalReader, from = 0): Promise<string[]> {
  const texts: string[] = []
  await reader.replay(journalPosition(from), (payload) => void texts.push(Buffer.from(payload).toString()))
  return texts
}

for (const [name, options] of DEVICES) {
  test(`no synced append resolves before its bytes, all before them and their names are stored: ${name}`, async () => {
    const place = new Place(options, { segmentBytes: 4096, preallocateBytes: 0 })
    const journal = await place.open(1)
    for (let index = 0; index < 100; index++) {
      if (index % 3 === 0) await journal.append(bytes(`${index}`.padEnd(700)), 'written').written
      await journal.append(bytes(`${index}`.padEnd(300)), 'synced').synced
      assert.ok(place.clean, 'a power cut now would lose nothing')
      await journal.append(bytes('x'), 'written').written
      await journal.sync()
      assert.ok(place.clean, 'nor after sync()')
    }
    assert.ok(place.device.files().length > 10, 'several segments were written')
  })

  test(`a failed sync ends the writer, is not repeated, and the next owner stores again what it finds: ${name}`, async () => {
    for (let which = 1; which < 6; which++) {
      const place = new Place(options, { segmentBytes: 4096, preallocateBytes: 512 })
      const journal = await place.open(1)
      let syncs = 0
      place.fault = ({ operation, path }) => {
        if (operation === 'sync' && path.endsWith('.log') && ++syncs === which) throw failure('IO_FAILED', 'sync', path)
      }
      const acknowledged: string[] = []
      const written: string[] = []
      for (let index = 0; index < 10; index++) {
        const text = `${index}`.padEnd(1200)
        const { written: one, synced } = journal.append(bytes(text), 'synced')
        one.then(
          () => written.push(text),
          () => {},
        )
        await synced?.then(
          () => acknowledged.push(text),
          (error: unknown) => assert.equal((error as { code?: string }).code, 'OUTCOME_UNKNOWN'),
        )
      }
      assert.ok(acknowledged.length < which, 'nothing is acknowledged after the failure')
      assert.equal(syncs, which, 'a failed sync is the last')
      await assert.rejects(journal.append(bytes('x'), 'written').written, { code: 'OUTCOME_UNKNOWN' })
      await assert.rejects(journal.sync(), { code: 'OUTCOME_UNKNOWN' })
      await assert.rejects(journal.barrier(), { code: 'OUTCOME_UNKNOWN' })
      await journal.close()
      place.fault = () => {}
      const again = await place.open(2)
      const kept = await found(again)
      assert.deepEqual(kept, written, 'what was written can be read')
      place.device = place.device.crash({ data: 'none', names: 'none' }, 1)
      assert.deepEqual(await found(await place.open(3)), kept, 'and was stored before anybody relied on it')
    }
  })

  test(`a failed write ends the writer with everything in flight: ${name}`, async () => {
    const place = new Place(options)
    const journal = await place.open(1)
    await journal.append(bytes('a'), 'written').written
    place.fault = ({ operation, path }) => {
      if (operation === 'write') throw failure('IO_FAILED', operation, path)
    }
    const appends = ['b', 'c'].map((text) => journal.append(bytes(text), 'synced'))
    const ready = journal.ready()
    for (const { written, synced } of appends) {
      await assert.rejects(written, { code: 'OUTCOME_UNKNOWN' })
      await assert.rejects(synced as Promise<void>, { code: 'OUTCOME_UNKNOWN' })
    }
    await ready
    place.fault = () => {}
    await assert.rejects(journal.append(bytes('d'), 'written').written, { code: 'OUTCOME_UNKNOWN' })
    assert.equal(journal.pendingBytes, 0)
    await assert.rejects(journal.ready(), { code: 'OUTCOME_UNKNOWN' })
    await journal.close()
    assert.deepEqual(await found(await place.open(2)), ['a'])
  })

  test(`a full device takes back whole appends, and goes on when there is space: ${name}`, async () => {
    const place = new Place(options, { segmentBytes: 8192, preallocateBytes: 512 })
    const journal = await place.open(1)
    const expected: string[] = []
    let full = false
    place.fault = ({ operation, path, position }) => {
      if (!full || operation !== 'write' || !path.endsWith('.log')) return
      // A write stops where the space ends: something of it is there.
      const inode = place.device.inode(path)
      if (position > 0) inode.write([Buffer.alloc(300, 0xd6)], position)
      throw failure('NO_SPACE', operation, path)
    }
    for (let round = 0; round < 20; round++) {
      for (const durability of ['written', 'synced'] as const) {
        const text = `${round} ${durability} `.padEnd(20 + round * 40, '.')
        const append = journal.append(bytes(text), durability)
        await (append.synced ?? append.written)
        expected.push(text)
      }
      const { end } = journal
      full = true
      const refused = ['x'.padEnd(20 + ((round * 997) % 9000)), 'y', 'z'.padEnd(70_000)].map((text) =>
        journal.append(bytes(text), 'synced'),
      )
      for (const { written, synced } of refused) {
        await assert.rejects(written, { code: 'NO_SPACE' })
        await assert.rejects(synced as Promise<void>, { code: 'NO_SPACE' })
      }
      assert.equal(journal.end, end, 'the end is where it was')
      assert.equal(journal.pendingBytes, 0)
      full = false
      assert.deepEqual(await found(journal), expected)
      if (round % 4 === 0) place.device.operations.length = 0
    }
    assert.deepEqual(await found(await place.open(2)), expected)
    place.device = place.device.crash({ data: 'some', names: 'some' }, 5)
    assert.deepEqual(await found(await place.open(3)), expected)
  })

  test(`what is appended between a full device and its rejection is rejected with it: ${name}`, async () => {
    const place = new Place(options)
    const journal = await place.open(1)
    await journal.append(bytes('a'), 'written').written
    place.fault = ({ operation, path }) => {
      if (operation !== 'write') return
      place.fault = () => {}
      throw failure('NO_SPACE', operation, path)
    }
    const first = journal.append(bytes('b'), 'written')
    await Promise.resolve()
    await Promise.resolve()
    const second = journal.append(bytes('c'), 'written')
    await assert.rejects(first.written, { code: 'NO_SPACE' })
    await assert.rejects(second.written, { code: 'NO_SPACE' })
    assert.equal(journal.end, 1)
    await journal.append(bytes('d'), 'synced').synced
    assert.deepEqual(await found(journal), ['a', 'd'])
  })

  test(`a device that was full when a segment should begin leaves no trace of it: ${name}`, async () => {
    const place = new Place(options, { segmentBytes: 4096, preallocateBytes: 0 })
    const journal = await place.open(1)
    const big = 'b'.padEnd(3000)
    await journal.append(bytes(big), 'synced').synced
    place.fault = ({ operation, path, position }) => {
      if (operation === 'write' && position === 0 && path.endsWith('.log')) throw failure('NO_SPACE', operation, path)
    }
    for (let attempt = 0; attempt < 3; attempt++) {
      await assert.rejects(journal.append(bytes(big), 'written').written, { code: 'NO_SPACE' })
      await journal.append(bytes('s'), 'synced').synced
    }
    place.fault = () => {}
    await journal.append(bytes(big), 'synced').synced
    const expected = [big, 's', 's', 's', big]
    assert.deepEqual(await found(journal), expected)
    for (const kept of ['none', 'all'] as const) {
      place.device = place.device.crash({ data: kept, names: kept }, 1)
      assert.deepEqual(await found(await place.open(kept === 'none' ? 2 : 3)), expected)
    }
  })

  test(`a writer that lost its fence while it synced acknowledges nothing, and its bytes are never found: ${name}`, async () => {
    const place = new Place(options, { preallocateBytes: 0 })
    const old = await place.open(1)
    await old.append(bytes('a'), 'synced').synced
    const owner = await place.open(2)
    const late = old.append(bytes('late'), 'synced')
    await assert.rejects(late.written, { code: 'FENCED' })
    await assert.rejects(late.synced as Promise<void>, { code: 'FENCED' })
    const log = place.device.files().find((path) => path.endsWith('.log')) as string
    assert.ok(Buffer.from(place.device.inode(log).content()).includes('late'), 'the bytes did reach the old segment')
    assert.deepEqual(await found(owner), ['a'])
    await owner.append(bytes('b'), 'synced').synced
    await old.close()
    await owner.close()
    for (let at = 3; at < 6; at++) {
      const next = await place.open(at)
      assert.deepEqual(await found(next), ['a', 'b'])
      await next.close()
    }
  })
}

test('appends that wait while one sync runs share the next one, and writing goes on meanwhile', async () => {
  let hold: Promise<void> | undefined
  let release = (): void => {}
  const place = new Place({ delay: async () => hold }, { preallocateBytes: 0 })
  const journal = await place.open(1)
  await journal.append(bytes('first'), 'written').written
  hold = new Promise((resolve) => (release = resolve))
  const syncs = place.count('sync', '.log')
  const appends = [journal.append(bytes('a'), 'synced')]
  await appends[0]?.written
  for (let index = 0; index < 99; index++) {
    const append = journal.append(bytes(`${index}`), 'synced')
    appends.push(append)
    await append.written
  }
  hold = undefined
  release()
  await Promise.all(appends.map(({ synced, written }) => synced ?? written))
  assert.equal(place.count('sync', '.log') - syncs, 2, 'the one that ran, and one for the other 99')
  await journal.close()
})

test('appends of one turn are one write', async () => {
  const place = new Place({})
  const journal = await place.open(1)
  await journal.append(bytes('first'), 'written').written
  place.device.operations.length = 0
  await Promise.all(Array.from({ length: 100 }, () => journal.append(new Uint8Array(120), 'written').written))
  assert.equal(place.count('write', '.log'), 1)
})

test('zeros are written ahead for synced appends only, and never over the log', async () => {
  const place = new Place({}, { segmentBytes: 65_536, preallocateBytes: 8192 })
  const journal = await place.open(1)
  for (let index = 0; index < 50; index++) await journal.append(bytes('w'.padEnd(100)), 'written').written
  const log = place.device.files().find((path) => path.endsWith('.log')) as string
  assert.equal(place.device.inode(log).length, 64 + 50 * (36 + 1 + 100), 'nothing ahead')
  for (let index = 0; index < 300; index++) {
    await journal.append(bytes(`${index}`.padEnd(100)), 'synced').synced
    if (index === 5) assert.ok(place.device.inode(log).length >= 64 + 56 * 137 + 4096, 'zeros ahead')
  }
  assert.ok(place.device.inode(log).length <= 65_536, 'not beyond the segment')
  const texts = (await found(journal)).map((text) => text.trim())
  assert.deepEqual(
    texts.slice(50),
    Array.from({ length: 300 }, (_, index) => `${index}`),
  )
})

test('appends that catch up with zeros being written wait for them', async () => {
  let hold: Promise<void> | undefined
  let release = (): void => {}
  const place = new Place({ delay: async () => hold }, { preallocateBytes: 4096 })
  const journal = await place.open(1)
  await journal.append(bytes('first'), 'written').written
  hold = new Promise((resolve) => (release = resolve))
  const appends = [journal.append(bytes('0'), 'synced')]
  await appends[0]?.written
  for (let index = 1; index < 100; index++) {
    appends.push(journal.append(bytes(`${index}`), 'written'))
    await Promise.resolve()
  }
  hold = undefined
  release()
  await Promise.all(appends.map(({ synced, written }) => synced ?? written))
  assert.deepEqual(await found(journal), ['first', ...appends.map((_, index) => `${index}`)])
})

test('truncating what is not synced yet is put off', async () => {
  const place = new Place({}, { segmentBytes: 4096, preallocateBytes: 0 })
  const journal = await place.open(1)
  for (let index = 0; index < 10; index++) await journal.append(bytes('w'.padEnd(2000)), 'written').written
  await journal.truncate(journal.end)
  await journal.append(bytes('s'), 'synced').synced
  await journal.truncate(journalPosition(20_000))
  assert.equal(place.device.files().filter((path) => path.endsWith('.log')).length, 1)
  assert.deepEqual(await found(journal, 20_000), ['s'])
})

test('a power cut while truncating leaves everything at or after the position', async () => {
  for (let stop = 0; stop < 16; stop++) {
    const place = new Place({}, { segmentBytes: 4096, preallocateBytes: 0 })
    const journal = await place.open(1)
    for (let index = 0; index < 8; index++) await journal.append(bytes(`${index}`.padEnd(4000)), 'written').written
    // No later frame bears witness of this sync: recovery must not need one.
    await journal.sync()
    let left = stop
    place.fault = ({ operation, path }) => {
      if (left-- <= 0) throw failure('IO_FAILED', operation, path)
    }
    await journal.truncate(journalPosition(28_000)).catch(() => {})
    place.fault = () => {}
    for (let seed = 0; seed < 8; seed++) {
      place.device = place.device.crash({ data: 'some', names: 'some' }, seed)
      assert.deepEqual(
        await found(await place.open(2 + seed), 28_000),
        ['7'.padEnd(4000)],
        `stopped at ${stop}, seed ${seed}`,
      )
    }
  }
})

test('a fence is stored before the opening resolves', async () => {
  const place = new Place({})
  await place.open(5)
  place.device = place.device.crash({ data: 'none', names: 'none' }, 1)
  place.keeper.state = undefined
  await assert.rejects(place.open(4), { code: 'FENCED' })
})

test('a device without space for zeros takes synced appends all the same', async () => {
  const place = new Place({}, { preallocateBytes: 4096 })
  const journal = await place.open(1)
  place.fault = ({ operation, path, bytes: length }) => {
    if (operation === 'write' && length === 4096) throw failure('NO_SPACE', operation, path)
  }
  for (let index = 0; index < 100; index++) await journal.append(bytes(`${index}`), 'synced').synced
  assert.equal((await found(journal)).length, 100)
})

test('a batch larger than a segment gets a segment of its own', async () => {
  const place = new Place({}, { segmentBytes: 4096, preallocateBytes: 0 })
  const journal = await place.open(1)
  const texts = ['a', 'b'.padEnd(100_000), 'c', 'd'.padEnd(4096), 'e']
  for (const text of texts) await journal.append(bytes(text), 'synced').synced
  assert.equal(place.device.files().filter((path) => path.endsWith('.log')).length, 5)
  assert.deepEqual(await found(await place.open(2)), texts)
})

test('an owner may open again under its epoch: its former self is fenced and its names are new', async () => {
  const place = new Place({})
  const former = await place.open(1)
  await former.append(bytes('a'), 'written').written
  const again = await place.open(1)
  await assert.rejects(former.append(bytes('late'), 'written').written, { code: 'FENCED' })
  await again.append(bytes('b'), 'written').written
  const third = await place.open(1)
  assert.deepEqual(await found(third), ['a', 'b'])
})

test('an opening whose commit is refused leaves the log as it was', async () => {
  const place = new Place({})
  const journal = await place.open(1)
  await journal.append(bytes('a'), 'written').written
  const refusing = { state: place.keeper.state, commit: () => Promise.reject(failure('FENCED', 'commit', 'head')) }
  const system = new LocalJournalSystem({ device: place.device, directory: 'j', hash, random })
  await assert.rejects(system.open(SHARD, epoch(2), refusing), { code: 'FENCED' })
  const next = await place.open(3)
  assert.deepEqual(await found(next), ['a'])
  assert.deepEqual(
    place.device.files().filter((path) => path.includes('fence')),
    ['j/s/fence.3-1'],
  )
})

test('an owner is fenced by whoever opens later, whatever was opened, fenced or died in between', async () => {
  const place = new Place({})
  const first = await place.open(1)
  // Died before it had stored its fence, and between that and its commit.
  await (await place.device.open('j/s/fence.2-1', 'create')).close()
  const refusing = { state: place.keeper.state, commit: () => Promise.reject(failure('FENCED', 'commit', 'head')) }
  const system = new LocalJournalSystem({ device: place.device, directory: 'j', hash, random })
  await assert.rejects(system.open(SHARD, epoch(3), refusing), { code: 'FENCED' })
  await assert.rejects(first.append(bytes('a'), 'written').written, { code: 'FENCED' })
  const owner = await place.open(4)
  await owner.append(bytes('b'), 'written').written
  assert.deepEqual(
    place.device.files().filter((path) => path.includes('fence')),
    ['j/s/fence.4-1'],
  )
})

test('a late opening of a lower epoch harms nobody, also where it comes between listing and storing', async () => {
  const place = new Place({})
  let owner: Journal | undefined
  const device = new Proxy(place.device, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name, target)
      if (name !== 'syncDirectory') return typeof value === 'function' ? value.bind(target) : value
      return async (path: string) => {
        owner = await place.open(5)
        await target.syncDirectory(path)
      }
    },
  })
  const late = { state: undefined, commit: () => Promise.reject(new Error('a fenced opening must not commit')) }
  const system = new LocalJournalSystem({ device, directory: 'j', hash, random })
  await assert.rejects(system.open(SHARD, epoch(3), late), { code: 'FENCED' })
  assert.ok(owner !== undefined)
  await owner.append(bytes('a'), 'written').written
  await assert.rejects(place.open(4), { code: 'FENCED' })
  await owner.append(bytes('b'), 'written').written
  assert.deepEqual(await found(owner), ['a', 'b'])
})

test('an unusable setting is refused by name', () => {
  const device = new SimulatedDevice()
  for (const settings of [
    { segmentBytes: 100 },
    { readBytes: 100 },
    { preallocateBytes: -1 },
    { pendingBytesMax: 0 },
  ]) {
    const [name] = Object.keys(settings) as [string]
    assert.throws(() => new LocalJournalSystem({ device, directory: 'j', hash, random, settings }), {
      name: 'RangeError',
      message: new RegExp(name),
    })
  }
})
