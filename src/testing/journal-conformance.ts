/**
 * What every journal promises, as tests. Power cuts and damage are not here: what can be lost depends on where a journal
 * keeps its bytes.
 *
 * Long on purpose: the promises of one port, in the order of the port file, read better whole.
 */

import assert from 'node:assert/strict'
import { copyOf } from '../kernel/bytes.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { POSITION_ZERO, epoch, journalPosition, shardId } from '../kernel/ids.ts'
import type { JournalPosition, ShardId } from '../kernel/ids.ts'
import type {
  Append,
  Durability,
  Journal,
  JournalReader,
  JournalStateKeeper,
  JournalSystem,
} from '../journal/journal.ts'

/** Where one test's journals live. */
export interface JournalPlace {
  /** A system over the same stored bytes, as another process would make it. */
  system(): JournalSystem
  dispose?(): Promise<void>
}

export interface JournalSuite {
  readonly test: (name: string, options: { skip?: string }, body: () => Promise<void>) => unknown
  /** Stands before every test's name. */
  readonly name: string
  /** An empty place. */
  open(): Promise<JournalPlace>
  readonly skip?: readonly { readonly test: string; readonly reason: string }[]
}

/** A head that keeps one journal state. */
export class MemoryStateKeeper implements JournalStateKeeper {
  state: Uint8Array | undefined = undefined

  commit(state: Uint8Array): Promise<void> {
    this.state = copyOf(state)
    return Promise.resolve()
  }
}

const SHARD = shardId('shard-1')

interface Batch {
  readonly text: string
  readonly position: number
}

class Bench {
  readonly #place: JournalPlace
  readonly #keepers = new Map<ShardId, MemoryStateKeeper>()
  readonly #opened: JournalReader[] = []
  #epoch = 0

  constructor(place: JournalPlace) {
    this.#place = place
  }

  get system(): JournalSystem {
    return this.#place.system()
  }

  keeper(shard = SHARD): MemoryStateKeeper {
    const keeper = this.#keepers.get(shard) ?? new MemoryStateKeeper()
    this.#keepers.set(shard, keeper)
    return keeper
  }

  /** Opens with the next epoch, or with `at`. */
  async open(shard = SHARD, at = ++this.#epoch): Promise<Journal> {
    const journal = await this.system.open(shard, epoch(at), this.keeper(shard))
    this.#opened.push(journal)
    return journal
  }

  async openReadOnly(): Promise<JournalReader> {
    const reader = await this.system.openReadOnly(SHARD, this.keeper().state)
    this.#opened.push(reader)
    return reader
  }

  async dispose(): Promise<void> {
    for (const one of this.#opened) await one.close()
    await this.#place.dispose?.()
  }
}

export function testJournal(suite: JournalSuite): void {
  function promise(name: string, body: (bench: Bench) => Promise<void>): void {
    const skipped = suite.skip?.find((candidate) => candidate.test === name)
    suite.test(`${suite.name}: ${name}`, skipped === undefined ? {} : { skip: skipped.reason }, async () => {
      const bench = new Bench(await suite.open())
      try {
        await body(bench)
      } finally {
        await bench.dispose()
      }
    })
  }

  promise('a new journal is empty and begins at 0', async (bench) => {
    const journal = await bench.open()
    assert.equal(journal.start, 0, 'start is 0')
    assert.equal(journal.end, 0, 'end is exact at once in a new journal')
    assert.equal(journal.pendingBytes, 0, 'nothing is pending')
    assert.ok(journal.pendingBytesMax > 0, 'there is a limit')
    assert.deepEqual(await batches(journal), [], 'replay visits nothing')
    assert.equal(journal.epoch, 1, 'the journal knows its epoch')
  })

  promise('positions count payload bytes, and replay visits batches in order of append', async (bench) => {
    const journal = await bench.open()
    const ends: number[] = []
    for (const text of ['a', 'bc', 'def']) {
      const append = journal.append(bytes(text), 'written')
      ends.push(append.end)
      assert.equal(journal.end, append.end, 'end moves with append, before anything is written')
      await append.written
    }
    assert.deepEqual(ends, [1, 3, 6], 'end of an append is the position just past its batch')
    const expected = [
      { text: 'a', position: 0 },
      { text: 'bc', position: 1 },
      { text: 'def', position: 3 },
    ]
    assert.deepEqual(await batches(journal), expected, 'the writer replays what it wrote')
    await journal.close()
    const again = await bench.open()
    assert.deepEqual(await batches(again), expected, 'the next owner replays it')
    assert.equal(again.end, 6, 'end is exact after replay')
  })

  promise('appends of one turn keep their order and are acknowledged in it', async (bench) => {
    const journal = await bench.open()
    const acknowledged: number[] = []
    const appends: Promise<void>[] = []
    for (let index = 0; index < 500; index++) {
      const { written } = journal.append(bytes(`batch ${index}`), 'written')
      appends.push(written.then(() => void acknowledged.push(index)))
      if (index % 37 === 0) await written
      await journal.ready()
    }
    await Promise.all(appends)
    assert.deepEqual(
      acknowledged,
      Array.from({ length: 500 }, (_, index) => index),
      'written resolves in append order',
    )
    assert.deepEqual(
      (await batches(journal)).map(({ text }) => text),
      Array.from({ length: 500 }, (_, index) => `batch ${index}`),
      'order of calls is order in the log',
    )
  })

  promise('batches of any size come back byte for byte', async (bench) => {
    const journal = await bench.open()
    const sizes = [1, 2, 127, 128, 4095, 16_383, 16_384, 16_385, 65_400, 65_536, 70_001, 1_048_576, 3_000_001, 5]
    const expected = sizes.map((size, index) => pattern(size, index))
    // Every other one in a turn of its own.
    for (const [index, payload] of expected.entries()) {
      const { written } = journal.append(payload, 'written')
      if (index % 2 === 0) await written
      await journal.ready()
    }
    await journal.close()
    const again = await bench.open()
    const found: Uint8Array[] = []
    await again.replay(POSITION_ZERO, (payload) => void found.push(copyOf(payload)))
    assert.deepEqual(
      found.map(({ length }) => length),
      sizes,
      'each batch is whole',
    )
    for (const [index, payload] of expected.entries()) {
      assert.ok(
        Buffer.compare(payload, found[index] as Uint8Array) === 0,
        `batch ${index} has the bytes that were appended`,
      )
    }
  })

  promise('the payload may be reused as soon as written settles', async (bench) => {
    const journal = await bench.open()
    const payload = Buffer.alloc(40_000)
    for (let index = 0; index < 5; index++) {
      payload.fill(index)
      await journal.append(payload, 'written').written
    }
    payload.fill(99)
    const seen: number[] = []
    await journal.replay(POSITION_ZERO, (found) => {
      assert.ok(
        found.every((byte) => byte === found[0]),
        'the payload is copied or written before written settles',
      )
      seen.push(found[0] as number)
    })
    assert.deepEqual(seen, [0, 1, 2, 3, 4], 'every batch has its own bytes')
  })

  promise('replay visits only batches at or after the position it is given', async (bench) => {
    const journal = await bench.open()
    for (const text of ['one', 'two', 'three', 'four']) journal.append(bytes(text), 'written')
    await journal.append(bytes('five'), 'written').written
    await journal.close()
    const again = await bench.open()
    assert.deepEqual(
      (await batches(again, 6)).map(({ text }) => text),
      ['three', 'four', 'five'],
      'from a batch on',
    )
    assert.deepEqual(
      (await batches(again, 7)).map(({ text }) => text),
      ['four', 'five'],
      'a batch that begins before is left out',
    )
    assert.equal(await again.replay(again.end, () => assert.fail('visits nothing at the end')), 19, 'returns the end')
    await rejects(
      'JOURNAL_CORRUPT',
      again.replay(journalPosition(20), () => {}),
      'a position never reached is a loss',
    )
  })

  promise('a journal goes on where its predecessor ended, over many owners', async (bench) => {
    const expected: string[] = []
    for (let owner = 0; owner < 6; owner++) {
      const journal = await bench.open()
      assert.deepEqual(
        (await batches(journal)).map(({ text }) => text),
        expected,
        'nothing is lost from owner to owner',
      )
      for (let index = 0; index < owner; index++) {
        const text = `owner ${owner} batch ${index}`
        expected.push(text)
        await journal.append(bytes(text), 'written').written
      }
      await journal.close()
    }
  })

  promise('an owner that never closed loses nothing that was written', async (bench) => {
    const first = await bench.open()
    for (let index = 0; index < 50; index++) await first.append(bytes(`${index}`), 'written').written
    const second = await bench.open()
    assert.equal((await batches(second)).length, 50, 'written survives the writer')
  })

  promise('synced resolves after written, and sync covers everything appended before it', async (bench) => {
    if (!bench.system.supports.durability.includes('synced')) return
    const journal = await bench.open()
    const order: string[] = []
    const append = journal.append(bytes('a'), 'synced')
    assert.ok(append.synced !== undefined, 'synced is there when it was asked for')
    await Promise.all([
      append.synced.then(() => order.push('synced')),
      append.written.then(() => order.push('written')),
    ])
    assert.deepEqual(order, ['written', 'synced'], 'written comes first')
    const plain = journal.append(bytes('b'), 'written')
    assert.equal(plain.synced, undefined, 'synced is not there when it was not asked for')
    let settled = false
    plain.written.then(
      () => (settled = true),
      () => {},
    )
    await journal.sync()
    assert.ok(settled, 'sync waits for what is not written yet')
    await journal.sync()
    const many = Array.from({ length: 100 }, (_, index) =>
      journal.append(bytes(`${index}`), index % 2 ? 'synced' : 'written'),
    )
    await Promise.all(many.map((one) => one.synced ?? one.written))
    assert.equal((await batches(journal)).length, 102, 'both rungs share one log')
  })

  promise('a rung that is not offered is refused, and nothing is appended', async (bench) => {
    const journal = await bench.open()
    for (const rung of ['written', 'synced'] as const) {
      if (bench.system.supports.durability.includes(rung)) continue
      throwsCode('UNSUPPORTED', () => journal.append(bytes('a'), rung), `${rung} is refused`)
    }
    if (!bench.system.supports.durability.includes('synced'))
      await rejects('UNSUPPORTED', journal.sync(), 'what is not offered is not done in silence')
    throwsCode('UNSUPPORTED', () => journal.append(bytes('a'), 'eternal' as Durability), 'no such rung')
    assert.equal(journal.end, 0, 'nothing was appended')
  })

  promise('a batch has at least one byte', async (bench) => {
    const journal = await bench.open()
    throwsCode('LIMIT_EXCEEDED', () => journal.append(new Uint8Array(), 'written'), 'an empty batch is refused')
    assert.equal(journal.end, 0, 'nothing was appended')
  })

  promise('a lower epoch cannot open', async (bench) => {
    await (await bench.open(SHARD, 5)).close()
    await rejects('FENCED', bench.open(SHARD, 4), 'a higher epoch has been here')
    await (await bench.open(SHARD, 6)).close()
  })

  promise('no append of a fenced writer is acknowledged, and none of its later bytes is ever found', async (bench) => {
    const old = await bench.open()
    await old.append(bytes('acknowledged'), 'written').written
    await old.barrier()
    const owner = await bench.open()
    const late = old.append(bytes('late'), 'written')
    await rejects('FENCED', late.written, 'an append after the fence')
    await rejects('FENCED', old.append(bytes('later'), 'written').written, 'every later append')
    await rejects('FENCED', old.barrier(), 'barrier tells')
    if (bench.system.supports.durability.includes('synced'))
      await rejects('FENCED', old.sync(), 'sync does not acknowledge either')
    assert.deepEqual(
      (await batches(owner)).map(({ text }) => text),
      ['acknowledged'],
      'the new owner sees what was acknowledged',
    )
    await owner.append(bytes('new'), 'written').written
    await owner.barrier()
    await old.close()
    await owner.close()
    const third = await bench.open()
    assert.deepEqual(
      (await batches(third)).map(({ text }) => text),
      ['acknowledged', 'new'],
      'late bytes are ignored for ever',
    )
  })

  promise('an append in flight at the fence is acknowledged only if the new owner finds it', async (bench) => {
    for (let round = 0; round < 10; round++) {
      const old = await bench.open()
      await batches(old)
      const appends: Append[] = []
      const opening = bench.open()
      for (let index = 0; index < 60; index++) {
        const append = old.append(bytes(`round ${round} batch ${index}`), 'written')
        appends.push(append)
        await append.written.catch(() => {})
        if (index % 3 > 0) continue
        // Something that takes the device's time, so that the opening gets on. Whose state is an earlier owner's by then looks
        // at the head again, where a shard is.
        const { state } = bench.keeper()
        await bench.openReadOnly().catch((error: unknown) => {
          if (bench.keeper().state === state) throw error
        })
      }
      const owner = await opening
      const found = new Set((await batches(owner)).map(({ text }) => text))
      for (const [index, append] of appends.entries()) {
        const acknowledged = await append.written.then(
          () => true,
          () => false,
        )
        assert.ok(!acknowledged || found.has(`round ${round} batch ${index}`), 'what was acknowledged is in the log')
      }
      await owner.close()
      await old.close()
    }
  })

  promise(
    'truncate drops nothing at or after its position, and replay from before what is left is a loss',
    async (bench) => {
      const journal = await bench.open()
      for (let index = 0; index < 100; index++) await journal.append(pattern(1000, index), 'written').written
      if (bench.system.supports.durability.includes('synced')) await journal.sync()
      await journal.truncate(journalPosition(50_000))
      await journal.truncate(journalPosition(50_000))
      assert.ok(journal.start <= 50_000, 'no byte at or after the position is dropped')
      assert.equal((await batches(journal, 50_000)).length, 50, 'the rest is there')
      await journal.close()
      const again = await bench.open()
      assert.equal((await batches(again, 50_000)).length, 50, 'and for the next owner')
      assert.equal(again.end, 100_000, 'positions go on')
      const { start } = again
      if (start > 0)
        await rejects(
          'JOURNAL_CORRUPT',
          again.replay(journalPosition(start - 1), () => {}),
          'bytes after from are missing',
        )
      await again.truncate(again.end)
      await again.append(bytes('x'), 'written').written
      assert.deepEqual(
        await batches(again, 100_000),
        [{ text: 'x', position: 100_000 }],
        'appends go on after everything was truncated',
      )
      await again.close()
      assert.equal((await bench.open()).end, 100_001, 'the end survives truncation')
    },
  )

  promise('read gives any bytes of one batch', async (bench) => {
    const journal = await bench.open()
    if (!bench.system.supports.read) {
      await rejects('UNSUPPORTED', journal.read(POSITION_ZERO, 1), 'read is refused where it is not offered')
      return
    }
    const payloads = Array.from({ length: 300 }, (_, index) => pattern(1 + ((index * 7919) % 3000), index))
    payloads.push(pattern(200_000, 7))
    const positions: number[] = []
    for (const [index, payload] of payloads.entries()) {
      positions.push(journal.end)
      const { written } = journal.append(payload, 'written')
      if (index % 20 === 0) await written
      await journal.ready()
    }
    const check = async (reader: Journal): Promise<void> => {
      for (let index = 0; index < payloads.length; index += 3) {
        const payload = payloads[index] as Uint8Array
        const position = positions[index] as number
        const skip = index % payload.length
        const length = Math.min(payload.length - skip, 1000)
        const found = await reader.read(journalPosition(position + skip), length)
        assert.ok(
          Buffer.compare(found, payload.subarray(skip, skip + length)) === 0,
          'the bytes that were appended there',
        )
      }
    }
    await check(journal)
    await rejects('NOT_FOUND', journal.read(journal.end, 1), 'nothing is at the end')
    await assert.rejects(
      journal.read(POSITION_ZERO, (payloads[0] as Uint8Array).length + 1),
      RangeError,
      'one batch at a time',
    )
    await journal.close()
    await check(await bench.open())
  })

  promise('pending bytes are counted, bounded and announced', async (bench) => {
    const journal = await bench.open()
    const payload = new Uint8Array(Math.ceil(journal.pendingBytesMax / 4))
    const appends: Append[] = []
    assert.throws(
      () => {
        for (let count = 0; count < 20; count++) appends.push(journal.append(payload, 'written'))
      },
      (error) => isCode(error, 'BUSY'),
      'appends beyond twice the limit throw BUSY',
    )
    assert.ok(appends.length > 4, 'the limit itself may be passed')
    assert.equal(journal.pendingBytes, appends.length * payload.length, 'pendingBytes counts what is not written')
    await journal.ready()
    assert.ok(journal.pendingBytes <= journal.pendingBytesMax, 'ready resolves below the limit')
    await Promise.all(appends.map(({ written }) => written))
    assert.equal(journal.pendingBytes, 0, 'nothing is pending when everything is written')
    await journal.append(payload, 'written').written
    assert.equal((await batches(journal)).length, appends.length + 1, 'a refused append leaves no trace')
  })

  promise('a reader without ownership sees the log, fences nobody and changes nothing', async (bench) => {
    const journal = await bench.open()
    await journal.append(bytes('a'), 'written').written
    const reader = await bench.openReadOnly()
    assert.deepEqual(
      (await batches(reader)).map(({ text }) => text),
      ['a'],
      'it replays what is written',
    )
    assert.equal(reader.start, 0, 'it knows the start')
    await journal.append(bytes('b'), 'written').written
    await journal.barrier()
    await reader.close()
    await reader.close()
    await rejects(
      'CLOSED',
      reader.replay(POSITION_ZERO, () => {}),
      'a closed reader',
    )
    assert.equal((await batches(journal)).length, 2, 'the writer is still the owner')
  })

  promise('a reader of a shard that never was finds an empty log', async (bench) => {
    const reader = await bench.openReadOnly()
    assert.deepEqual(await batches(reader), [], 'nothing is visited')
  })

  promise('shards of one system do not see each other', async (bench) => {
    const one = await bench.open(shardId('one'), 1)
    const two = await bench.open(shardId('two'), 9)
    await Promise.all([one.append(bytes('1'), 'written').written, two.append(bytes('22'), 'written').written])
    assert.deepEqual(
      (await batches(one)).map(({ text }) => text),
      ['1'],
      'only its own batches',
    )
    assert.deepEqual(
      (await batches(two)).map(({ text }) => text),
      ['22'],
      'only its own batches',
    )
    await one.barrier()
  })

  promise('close waits for appends in flight and is idempotent', async (bench) => {
    const journal = await bench.open()
    const appends = Array.from({ length: 20 }, () => journal.append(bytes('x'), 'written'))
    let settled = 0
    for (const { written } of appends) {
      written.then(
        () => settled++,
        () => {},
      )
    }
    await journal.close()
    assert.equal(settled, 20, 'everything in flight has settled')
    await journal.close()
    throwsCode('CLOSED', () => journal.append(bytes('x'), 'written'), 'append after close')
    for (const call of [() => journal.sync(), () => journal.barrier(), () => journal.truncate(POSITION_ZERO)]) {
      await rejects('CLOSED', call(), 'a call after close')
    }
    assert.equal((await batches(await bench.open())).length, 20, 'everything is there')
  })
}

async function batches(reader: JournalReader, from = 0): Promise<Batch[]> {
  const found: Batch[] = []
  let next = from
  const end = await reader.replay(journalPosition(from), (payload, position: JournalPosition) => {
    assert.ok(position >= next, 'positions grow')
    next = position + payload.length
    found.push({ text: Buffer.from(payload).toString(), position })
  })
  assert.ok(end >= next, 'replay returns the position just past the last batch')
  return found
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function pattern(length: number, seed: number): Uint8Array {
  const payload = new Uint8Array(length)
  let state = seed * 2_654_435_761 + 1
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    payload[index] = state >>> 16
  }
  return payload
}

async function rejects(code: ErrorCode, promise: Promise<unknown>, message: string): Promise<void> {
  await assert.rejects(promise, (error) => isCode(error, code), `${message}: rejects with ${code}`)
}

function throwsCode(code: ErrorCode, call: () => unknown, message: string): void {
  assert.throws(call, (error) => error instanceof VarveError && error.code === code, `${message}: throws ${code}`)
}
