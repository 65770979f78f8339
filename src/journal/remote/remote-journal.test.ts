import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JournalPlace, localJournals } from '../../../test/journal/journal-place.ts'
import { isCode } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { POSITION_ZERO, epoch, shardId } from '../../kernel/ids.ts'
import { Access } from '../../rpc/access.ts'
import { listenSocket } from '../../rpc/socket-transport.ts'
import { testJournal } from '../../testing/journal-conformance.ts'
import { MemoryStateKeeper } from '../../testing/memory-state-keeper.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedDevice } from '../../testing/simulated-device.ts'
import { failure } from '../../testing/simulated-failure.ts'
import { LocalJournalSystem } from '../local-journal-system.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from '../memory-journal.ts'

const hash = await loadHash()
const SHARD = shardId('main')

for (const [name, faults, listens] of [
  ['a journal elsewhere, by loopback', undefined, false],
  ['a journal elsewhere, by TCP', undefined, true],
  [
    'a journal behind a network that fails',
    { dropsOnceIn: 150, repeatsOnceIn: 150, swapsOnceIn: 150, damagesOnceIn: 150, cutsOnceIn: 60, delayTurnsMax: 1 },
    false,
  ],
] as const) {
  testJournal({
    test,
    name,
    open: async () => {
      const place = new JournalPlace(localJournals())
      if (listens) place.listening = await listenSocket('tcp://127.0.0.1:0', place.server)
      if (faults !== undefined) {
        place.faults = faults
        place.passTime()
      }
      const system = await place.system()
      return { system: () => system, dispose: () => place.dispose() }
    },
  })
}

test('an append whose answer is lost is not made again, and is acknowledged when its client comes back', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const storage = new MemoryJournalStorage()
    const place = new JournalPlace(new MemoryJournalSystem({ storage }))
    place.random.below(seed + 1)
    place.passTime()
    place.faults = { cutsOnceIn: 10, dropsOnceIn: 100 }
    const system = await place.system()
    const keeper = new MemoryStateKeeper()
    const journal = await system.open(SHARD, epoch(1), keeper)
    const acknowledged: number[] = []
    for (let index = 0; index < 120; index++) {
      const { written, synced } = journal.append(
        new Uint8Array(1 + (index % 7)).fill(index),
        index % 3 ? 'written' : 'synced',
      )
      const done = (synced ?? written).then(() => void acknowledged.push(index))
      if (index % 5 === 0) await done
    }
    await journal.sync()
    assert.equal(acknowledged.length, 120)
    const found: number[] = []
    await journal.replay(POSITION_ZERO, (payload) => void found.push(payload[0] as number))
    assert.deepEqual(
      found,
      Array.from({ length: 120 }, (_, index) => index),
      'each is there once, in order',
    )
    await journal.close()
    await place.dispose()
  }
})

for (const [what, written, unsynced] of [
  ['where something is not synced, waits resumeMs for it once, and says so', 'written', true],
  ['where everything is synced, waits for nothing', 'synced', false],
] as const) {
  test(`closing a journal whose service has gone ${what}`, async () => {
    const place = new JournalPlace(localJournals())
    place.resumeMs = 10_000
    const system = await place.system()
    const journal = await system.open(SHARD, epoch(1), new MemoryStateKeeper())
    await journal.append(Uint8Array.of(1), 'synced').synced
    const append = journal.append(Uint8Array.of(2), written)
    await (append.synced ?? append.written)
    await place.server.close()
    place.gone = true
    place.passTime()
    const beganMs = place.clock.monotonic()
    const failed = await journal.sync().then(
      () => undefined,
      (error: unknown) => error,
    )
    await journal.close()
    const elapsedMs = place.clock.monotonic() - beganMs
    if (unsynced) {
      assert.ok(isCode(failed, 'IO_FAILED'), String(failed))
      assert.ok(elapsedMs > 8_000 && elapsedMs < 12_000, `${elapsedMs} ms`)
    } else {
      assert.equal(failed, undefined)
      assert.ok(elapsedMs < 1_000, `${elapsedMs} ms`)
    }
    await place.dispose()
  })
}

test('an append that does not fit is taken back with all that followed it, and later ones go on from there', async () => {
  let full = false
  const device = new SimulatedDevice({
    before: ({ operation, path }) => {
      if (full && operation === 'write') throw failure('NO_SPACE', operation, path)
    },
  })
  const settings = { segmentBytes: 8192, preallocateBytes: 1024 }
  const random = new SeededRandom(1)
  const place = new JournalPlace(new LocalJournalSystem({ device, directory: 'journal', hash, random, settings }))
  const system = await place.system()
  const journal = await system.open(SHARD, epoch(1), new MemoryStateKeeper())
  await journal.append(Uint8Array.of(1), 'written').written
  full = true
  const refused = [2, 3, 4].map((value) => journal.append(Uint8Array.of(value), 'written').written)
  for (const written of refused) await assert.rejects(written, { code: 'NO_SPACE' })
  full = false
  assert.equal(journal.end, 1)
  await journal.append(Uint8Array.of(5), 'synced').synced
  const found: number[] = []
  await journal.replay(POSITION_ZERO, (payload) => void found.push(...payload))
  assert.deepEqual(found, [1, 5])
  await journal.close()
  await place.dispose()
})

test('who has a token for one shard opens the journal of no other', async () => {
  const access = new Access([{ name: 'a', token: 'the token of shard a', shards: ['a'], roles: ['journal'] }])
  const place = new JournalPlace(new MemoryJournalSystem(), access)
  const system = await place.system('the token of shard a')
  const keeper = new MemoryStateKeeper()
  await (await system.open(shardId('a'), epoch(1), keeper)).close()
  await assert.rejects(system.open(shardId('b'), epoch(1), keeper), { code: 'PERMISSION_DENIED' })
  await assert.rejects(system.openReadOnly(shardId('b'), undefined), { code: 'PERMISSION_DENIED' })
  await place.dispose()
})

test('what a journal elsewhere has written opens without the service, and the other way round', async () => {
  const local = localJournals()
  const place = new JournalPlace(local)
  const system = await place.system()
  assert.deepEqual([system.name, system.version], [local.name, local.version])
  const keeper = new MemoryStateKeeper()
  const values: number[] = []
  for (const [owner, journals] of [system, local, system].entries()) {
    const journal = await journals.open(SHARD, epoch(owner + 1), keeper)
    const found: number[] = []
    await journal.replay(POSITION_ZERO, (payload) => void found.push(...payload))
    assert.deepEqual(found, values)
    await journal.append(Uint8Array.of(owner), 'synced').synced
    values.push(owner)
    await journal.close()
  }
  await place.dispose()
})

test('the journal of a client that does not come back is closed, and its files with it', async () => {
  const inner = new MemoryJournalSystem()
  let closed = 0
  const { name, version, supports } = inner
  const place = new JournalPlace({
    name,
    version,
    supports,
    open: async (shard, owner, keeper) => {
      const journal = await inner.open(shard, owner, keeper)
      const close = journal.close.bind(journal)
      return Object.assign(journal, { close: () => close().finally(() => closed++) })
    },
    openReadOnly: (shard) => inner.openReadOnly(shard),
  })
  const system = await place.system()
  const journal = await system.open(SHARD, epoch(1), new MemoryStateKeeper())
  await journal.append(Uint8Array.of(1), 'written').written
  await place.leave()
  for (const [passedMs, expected] of [
    [60_000, 0],
    [3_600_000, 1],
  ] as const) {
    place.clock.advance(passedMs)
    await place.clock.turn()
    assert.equal(closed, expected)
  }
  await place.dispose()
})
