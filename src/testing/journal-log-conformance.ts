/** What every journal promises about what it keeps, as tests: every byte, in order, at its position, until it is truncated. */

import assert from 'node:assert/strict'
import { copyOf } from '../kernel/bytes.ts'
import { POSITION_ZERO, journalPosition } from '../kernel/ids.ts'
import type { Journal } from '../journal/journal.ts'
import { batches, bytes, pattern, rejects, texts } from './journal-bench.ts'
import type { JournalPromise } from './journal-bench.ts'

export function testLog(promise: JournalPromise): void {
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

  promise('replay visits only batches at or after the position it is given', async (bench) => {
    const journal = await bench.open()
    for (const text of ['one', 'two', 'three', 'four']) journal.append(bytes(text), 'written')
    await journal.append(bytes('five'), 'written').written
    await journal.close()
    const again = await bench.open()
    assert.deepEqual(await texts(again, 6), ['three', 'four', 'five'], 'from a batch on')
    assert.deepEqual(await texts(again, 7), ['four', 'five'], 'a batch that begins before is left out')
    assert.equal(await again.replay(again.end, () => assert.fail('visits nothing at the end')), 19, 'returns the end')
    await rejects(
      'JOURNAL_CORRUPT',
      again.replay(journalPosition(20), () => {}),
      'a position never reached is a loss',
    )
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
}
