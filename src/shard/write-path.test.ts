import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Decoder, Encoder } from '../kernel/codec.ts'
import { VarveError } from '../kernel/errors.ts'
import { journalPosition, seqno } from '../kernel/ids.ts'
import { Pace } from '../kernel/pace.ts'
import type { Durability } from '../journal/journal.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { Deferred } from './deferred.ts'
import { visitGroup } from './group-codec.ts'
import { KeepAlive } from './keep-alive.ts'
import { SHARD_DEFAULTS } from './settings.ts'
import { WritePath } from './write-path.ts'

const [UNENCODABLE, UNAPPLICABLE] = [1000, 0xee]

/** Operations are numbers below 256; the journal writes and syncs when the test says so. */
function bench(settings: Partial<typeof SHARD_DEFAULTS> = {}, unapplicable?: number) {
  const clock = new SimulatedClock()
  const applied: (readonly [number, number])[] = []
  const appended: {
    readonly payload: Uint8Array
    readonly durability: Durability
    readonly written: Deferred<void>
    readonly synced: Deferred<void>
  }[] = []
  const [frozen, positions, rebuilds]: [number[], number[], VarveError[]] = [[], [], []]
  const table = {
    bytes: 0,
    apply(operation: number, at: number, position: number) {
      if (operation === unapplicable) throw new RangeError('cannot be applied')
      applied.push([operation, at])
      positions.push(position)
      this.bytes++
    },
  }
  const engine = {
    encode(operation: number, into: Encoder) {
      into.u8(operation)
      if (operation === UNENCODABLE) throw new TypeError('cannot be encoded')
    },
    decode: (from: Decoder) => from.u8(),
  }
  const journal = {
    end: journalPosition(0),
    pendingBytes: 0,
    pendingBytesMax: 1000,
    append(lent: Uint8Array, durability: Durability) {
      const [written, synced] = [new Deferred<void>(), new Deferred<void>()]
      appended.push({ payload: lent.slice(), durability, written, synced })
      this.end = journalPosition(this.end + lent.length)
      return { end: this.end, written: written.promise, synced: durability === 'synced' ? synced.promise : undefined }
    },
  }
  const host = {
    freeze: () => void frozen.push(path.applied),
    rebuild: (error: VarveError) => void rebuilds.push(error),
    advanced: () => undefined,
    doubts: () => undefined,
    inVain: () => undefined,
    refused: () => undefined,
    keepAlive: new KeepAlive(clock),
    pace: new Pace(clock),
    now: () => clock.monotonic(),
    turn: () => clock.turn(),
  }
  const path: WritePath<number, never> = new WritePath<number, never>(
    engine as never,
    journal as never,
    { ...SHARD_DEFAULTS, ...settings },
    host,
    { table: table as never, seqno: seqno(0) },
  )
  const groups = (): readonly (readonly number[])[] =>
    appended.map(({ payload }) => {
      const found: number[] = []
      visitGroup(payload, journalPosition(0), engine.decode, (operation) => found.push(operation))
      return found
    })
  /** All that it has not written. */
  const takeBack = (): void => {
    for (const { written } of appended) written.reject(new VarveError('NO_SPACE', 'full'))
    journal.end = journalPosition(0)
  }
  return { clock, journal, path, applied, positions, appended, frozen, rebuilds, groups, takeBack }
}

async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  const state = promise.then(
    () => 'resolved' as const,
    () => 'rejected' as const,
  )
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  return Promise.race([state, Promise.resolve('pending' as const)])
}

test('readers see an operation once it is written, not before, and not later', async () => {
  const { path, appended, applied } = bench()
  const write = path.write(7, 'written', 'store')
  await Promise.resolve()
  assert.deepEqual(applied, [[7, 1]])
  assert.equal(path.visible, 0)
  assert.equal(await stateOf(write), 'pending')
  appended[0]?.written.resolve()
  await write
  assert.equal(path.visible, 1)
  assert.equal(path.synced, 0)
})

test('what asks for synced is acknowledged when it is synced, and what only asks for written does not wait for that', async () => {
  const { path, appended } = bench()
  const [written, synced] = [path.write(1, 'written', 'store'), path.writeBatch([2, 3], 'synced', 'store')]
  await Promise.resolve()
  assert.equal(appended.length, 1, 'one turn is one group')
  assert.equal(appended[0]?.durability, 'synced')
  appended[0]?.written.resolve()
  assert.equal(await stateOf(written), 'resolved')
  assert.equal(await stateOf(synced), 'pending')
  assert.deepEqual([path.visible, path.synced], [3, 0])
  appended[0]?.synced.resolve()
  await synced
  assert.equal(path.synced, 3)
})

test('a batch is one piece of one group, also where it had to wait or is larger than a group', async () => {
  const { clock, path, groups } = bench({ groupBytesMax: 4 })
  path.hold('flush')
  const held = [path.writeBatch([1, 2, 3, 4, 5, 6], 'written', 'store'), path.write(7, 'written', 'store')]
  const turns: number[] = []
  path.inOrder({ run: () => void turns.push(path.applied), reject: () => undefined })
  assert.deepEqual(groups(), [])
  path.release('flush')
  for (let turn = 0; turn < 5; turn++) await clock.turn()
  const direct = path.writeBatch([8, 9, 10, 11, 12], 'written', 'store')
  await clock.turn()
  assert.deepEqual(groups(), [[1, 2, 3, 4, 5, 6], [7], [8, 9, 10, 11, 12]])
  assert.deepEqual(turns, [7], 'what was to come behind them came behind them')
  path.fail(new VarveError('CLOSED', 'done'))
  for (const each of [...held, direct]) each.catch(() => undefined)
})

test('what waited is acknowledged at its own rung, and lies in the journal where the memtable was told', async () => {
  const { path, appended, positions, groups, clock } = bench()
  path.hold('compaction')
  const [written, synced] = [path.write(1, 'written', 'store'), path.writeBatch([2, 3], 'synced', 'store')]
  const last = path.write(4, 'written', 'store')
  path.release('compaction')
  const behind = path.write(5, 'written', 'store')
  await clock.turn()
  assert.deepEqual(groups(), [[1, 2, 3, 4, 5]])
  const { payload, durability } = appended[0] as (typeof appended)[number]
  assert.equal(durability, 'synced')
  const found: number[] = []
  visitGroup(
    payload,
    journalPosition(0),
    (from) => from.u8(),
    (_operation, _seqno, position) => found.push(position),
  )
  assert.deepEqual(positions, found)
  appended[0]?.written.resolve()
  for (const each of [written, last, behind]) assert.equal(await stateOf(each), 'resolved')
  assert.equal(await stateOf(synced), 'pending')
  appended[0]?.synced.resolve()
  await synced
})

test('what waited does not make a group larger than it may be', async () => {
  const { path, groups, clock } = bench({ groupBytesMax: 6 })
  const first = path.write(1, 'written', 'store')
  path.hold('flush')
  const held = [path.writeBatch([2, 3], 'written', 'store'), path.write(4, 'written', 'store')]
  path.release('flush')
  await clock.turn()
  assert.deepEqual(groups(), [[1], [2, 3, 4]])
  path.fail(new VarveError('CLOSED', 'done'))
  for (const each of [first, ...held]) each.catch(() => undefined)
})

test('where the journal had no room, all of that turn is refused, and seqnos go on from what was rebuilt', async () => {
  const { path, appended, rebuilds, applied, clock } = bench()
  const first = path.write(1, 'written', 'store')
  await clock.turn()
  appended[0]?.written.resolve()
  await first
  const refused = path.write(2, 'written', 'store')
  await clock.turn()
  appended[1]?.written.reject(new VarveError('NO_SPACE', 'full'))
  // Begun before anybody has heard.
  const behind = path.write(3, 'written', 'store')
  await assert.rejects(refused, { code: 'NO_SPACE' })
  await assert.rejects(behind, { code: 'NO_SPACE' })
  assert.equal(rebuilds.length, 1)
  const waits = path.write(4, 'written', 'store')
  await clock.turn()
  assert.equal(appended.length, 2, 'nothing is written until the memtable is as the journal')
  path.rebuilt(path.table, seqno(1))
  assert.equal(await stateOf(path.untilVisible()), 'resolved', 'nobody waits for what was refused')
  await clock.turn()
  assert.deepEqual(applied.at(-1), [4, 2])
  appended[2]?.written.resolve()
  await waits
  assert.equal(path.visible, 2)
})

test('what ends its turn after the journal has taken back what is before it, and before that is told, is refused with it', async () => {
  const { path, appended, applied, rebuilds, frozen, takeBack } = bench({ memtableBytes: 2 })
  const first = path.write(1, 'written', 'store')
  await Promise.resolve()
  const second = path.write(2, 'written', 'store')
  takeBack()
  await assert.rejects(first, { code: 'NO_SPACE' })
  await assert.rejects(second, { code: 'NO_SPACE' })
  await assert.rejects(path.untilVisible(), { code: 'NO_SPACE' })
  assert.equal(appended.length, 1, 'it would have been in the place of the first, with the seqno behind it')
  assert.deepEqual(
    applied.map(([operation]) => operation),
    [1, 2],
  )
  assert.deepEqual([rebuilds.length, frozen], [1, []])
})

test('a journal that ends elsewhere for no reason ends the shard for writes', async () => {
  const { path, journal, appended } = bench()
  const write = path.write(1, 'written', 'store')
  journal.end = journalPosition(7)
  await assert.rejects(write, { code: 'POISONED' })
  await assert.rejects(path.write(2, 'written', 'store'), { code: 'POISONED' })
  assert.equal(appended.length, 0)
})

test('any other failure ends the shard for writes, with what is queued, and reads stay where they were', async () => {
  const { path, appended, clock } = bench()
  const write = path.write(1, 'written', 'store')
  await clock.turn()
  path.hold('compaction')
  const queued = path.write(2, 'written', 'store')
  appended[0]?.written.reject(new VarveError('OUTCOME_UNKNOWN', 'who knows'))
  await assert.rejects(write, { code: 'OUTCOME_UNKNOWN' })
  await assert.rejects(queued, { code: 'POISONED' })
  await assert.rejects(path.write(3, 'written', 'store'), { code: 'POISONED' })
  await assert.rejects(path.writeBatch([3], 'written', 'store'), { code: 'POISONED' })
  await assert.rejects(path.untilVisible(), { code: 'POISONED' })
  assert.equal(path.visible, 0)
})

test('a memtable that has reached its size is frozen where a group ends', async () => {
  const { path, frozen, clock } = bench({ memtableBytes: 1024 })
  const writes = Array.from({ length: 1500 }, (_, index) => path.write(index % 256, 'written', 'store'))
  assert.deepEqual(frozen, [])
  await clock.turn()
  assert.deepEqual(frozen, [1500])
  path.fail(new VarveError('CLOSED', 'done'))
  for (const each of writes) each.catch(() => undefined)
})

test('what is written while the queue is emptied, some of it in every turn, comes behind what waits there', async () => {
  for (const batch of [true, false]) {
    const { clock, path, applied } = bench()
    path.hold('flush')
    const many = Array.from({ length: 140_000 }, () => 1)
    const writes = [path.writeBatch(many, 'written', 'store'), path.write(2, 'written', 'store')]
    path.release('flush')
    assert.equal(path.applied, many.length, 'the last one waits for another turn')
    writes.push(batch ? path.writeBatch([3, 4], 'written', 'store') : path.write(3, 'written', 'store'))
    for (let turn = 0; turn < 3; turn++) await clock.turn()
    assert.deepEqual(
      applied.slice(many.length).map(([operation]) => operation),
      batch ? [2, 3, 4] : [2, 3],
    )
    path.fail(new VarveError('CLOSED', 'done'))
    for (const each of writes) each.catch(() => undefined)
  }
})

test('while the disk is full, writes and batches that store are refused, and those that free space are taken', async () => {
  const { path, applied } = bench()
  path.hold('journal')
  const waiting = path.write(0, 'written', 'store')
  path.refuse(new VarveError('NO_SPACE', 'full'))
  await assert.rejects(waiting, { code: 'NO_SPACE' })
  path.release('journal')
  await assert.rejects(path.write(1, 'written', 'store'), { code: 'NO_SPACE' })
  await assert.rejects(path.writeBatch([2], 'written', 'store'), { code: 'NO_SPACE' })
  assert.equal(path.freed(), false)
  const taken = [path.write(3, 'written', 'free'), path.writeBatch([4], 'written', 'free')]
  assert.deepEqual([path.freed(), path.freed()], [true, false])
  path.refuse(undefined)
  taken.push(path.write(5, 'written', 'store'))
  assert.deepEqual(
    applied.map(([operation]) => operation),
    [3, 4, 5],
  )
  path.fail(new VarveError('CLOSED', 'done'))
  for (const each of taken) each.catch(() => undefined)
})

test('untilVisible waits for what the journal has not written, and hears what became of it', async () => {
  const { path, appended, clock } = bench()
  const first = path.write(1, 'synced', 'store')
  await clock.turn()
  const visible = path.untilVisible()
  assert.equal(await stateOf(visible), 'pending')
  appended[0]?.written.resolve()
  assert.equal(await stateOf(visible), 'resolved')
  assert.equal(await stateOf(path.untilVisible()), 'resolved')
  appended[0]?.synced.resolve()
  await first

  const refused = path.write(2, 'synced', 'store')
  await clock.turn()
  appended[1]?.written.reject(new VarveError('NO_SPACE', 'full'))
  await assert.rejects(refused, { code: 'NO_SPACE' })
  // Nobody had asked for `written` of this group before.
  await assert.rejects(path.untilVisible(), { code: 'NO_SPACE' })
})

test('while the memtable is rebuilt, what is to be done in its order waits', async () => {
  const { path, appended, clock } = bench()
  const refused = path.write(1, 'written', 'store')
  await clock.turn()
  appended[0]?.written.reject(new VarveError('NO_SPACE', 'full'))
  await assert.rejects(refused, { code: 'NO_SPACE' })
  const done: number[] = []
  path.inOrder({ run: () => void done.push(path.applied), reject: () => undefined })
  assert.deepEqual(done, [])
  path.rebuilt(path.table, seqno(0))
  assert.deepEqual(done, [0])
})

test('writes are held as long as there is one reason, and the time counts once', () => {
  const { path, clock, applied } = bench()
  path.hold('flush')
  path.hold('compaction')
  path.write(1, 'written', 'store').catch(() => undefined)
  clock.advance(10)
  path.release('flush')
  path.release('flush')
  clock.advance(10)
  assert.deepEqual([path.heldMs, applied.length], [20, 0])
  path.release('compaction')
  clock.advance(10)
  assert.deepEqual([path.heldMs, applied.length], [20, 1])
  path.fail(new VarveError('CLOSED', 'done'))
})

// The first bytes of such an operation stayed in the group: what followed in the same turn was read back as its rest, or
// nothing could be read back at all, though it had been synced.
test('an operation that cannot be encoded is refused by itself, and leaves nothing in the journal', async () => {
  const { path, appended, applied, groups } = bench()
  const writes = [
    path.write(1, 'written', 'store'),
    path.write(UNENCODABLE, 'written', 'store'),
    path.write(2, 'written', 'store'),
    path.writeBatch([3, UNENCODABLE, 4], 'written', 'store'),
    path.write(5, 'written', 'store'),
  ]
  await Promise.resolve()
  appended[0]?.written.resolve()
  assert.deepEqual(await Promise.all(writes.map(stateOf)), ['resolved', 'rejected', 'resolved', 'rejected', 'resolved'])
  await assert.rejects(writes[1] as Promise<void>, { message: 'cannot be encoded' })
  assert.deepEqual(groups(), [[1, 2, 5]])
  assert.deepEqual(applied, [
    [1, 1],
    [2, 2],
    [5, 3],
  ])
})

test('a turn with nothing but what cannot be encoded writes nothing', async () => {
  const { path, appended } = bench()
  await assert.rejects(path.write(UNENCODABLE, 'synced', 'store'), { message: 'cannot be encoded' })
  assert.equal(appended.length, 0)
  const write = path.write(1, 'written', 'store')
  await Promise.resolve()
  appended[0]?.written.resolve()
  await write
})

test('of what waits, an operation that cannot be encoded is refused by itself', async () => {
  const { path, appended, groups } = bench()
  path.hold('flush')
  const writes = [
    path.write(1, 'written', 'store'),
    path.write(UNENCODABLE, 'written', 'store'),
    path.writeBatch([2, UNENCODABLE], 'written', 'store'),
    path.write(3, 'written', 'store'),
  ]
  assert.deepEqual(await Promise.all(writes.map(stateOf)), ['pending', 'rejected', 'rejected', 'pending'])
  path.release('flush')
  await Promise.resolve()
  appended[0]?.written.resolve()
  assert.equal(await stateOf(Promise.all([writes[0], writes[3]])), 'resolved')
  assert.deepEqual(groups(), [[1, 3]])
})

test('where an operation cannot be applied, nothing of its turn is written, and nothing later taken', async () => {
  for (const waits of [false, true]) {
    const { path, appended } = bench({}, UNAPPLICABLE)
    if (waits) path.hold('flush')
    const writes = [
      path.write(1, 'written', 'store'),
      path.writeBatch([2, UNAPPLICABLE, 3], 'written', 'store'),
      path.write(4, 'written', 'store'),
    ]
    if (waits) path.release('flush')
    for (const write of writes) await assert.rejects(write, { code: 'POISONED' })
    assert.equal(appended.length, 0)
    await assert.rejects(path.write(UNAPPLICABLE, 'written', 'store'), { code: 'POISONED' })
  }
})
