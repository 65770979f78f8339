/** What every file store promises of a file's content, written and read, as tests: the first part of testFileStore. */

import assert from 'node:assert/strict'
import { equalBytes } from '../kernel/bytes.ts'
import { formatHash64 } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import { MIB } from '../kernel/limits.ts'
import { failsWith, failureOf } from './expected-failure.ts'
import type { FileStorePromise } from './file-store-conformance.ts'
import { putFile, randomBytes } from './file-model.ts'
import { SeededRandom } from './seeded-random.ts'

const A = fileName('shard.e1-j1-a1-1.table')
const B = fileName('shard.e1-j1-a1-2.table')

export function testFileContent(promise: FileStorePromise, hash: Hash): void {
  promise('a finished file is what was written, with its length and checksum', async (store) => {
    const content = randomBytes(1, 100_000)
    const writer = await store.create(A, { expectedBytes: content.length })
    assert.deepEqual([writer.name, writer.bytes], [A, 0], 'a writer knows its name, and counts from 0')
    for (const [start, limit] of [
      [0, 1],
      [1, 1],
      [1, 4097],
      [4097, content.length],
    ] as const) {
      // A Buffer, for its slice() copies nothing.
      const piece = Buffer.from(content.subarray(start, limit))
      await writer.write(piece)
      piece.fill(0)
      assert.equal(writer.bytes, limit, 'a writer counts what was written')
    }
    const ref = await writer.finish()
    const checksum = formatHash64(hash.hash64(content, 0n))
    assert.deepEqual(ref, { name: A, bytes: content.length, checksum }, 'the reference has name, length and XXH64')
    await writer.abort()
    const reader = await store.open(ref, { intent: 'stream' })
    assert.deepEqual(reader.ref, ref, 'a reader knows its reference')
    assert.ok(equalBytes(await reader.read(0, ref.bytes), content), 'abort after finish does nothing')
    await failsWith(() => writer.write(content), 'CLOSED', 'a finished writer takes nothing more')
    await failsWith(() => writer.finish(), 'CLOSED', 'nor finishes twice')
  })

  promise('an empty file is a file', async (store) => {
    const ref = await putFile(store, A, new Uint8Array(0))
    assert.deepEqual(await store.list(), [{ name: A, bytes: 0 }], 'it is listed')
    const reader = await store.open(ref)
    assert.equal((await reader.read(0, 0)).length, 0, 'nothing can be read of it')
  })

  promise('nobody sees a file before it is finished', async (store, place) => {
    const neighbour = await place.open()
    const writer = await store.create(A)
    await writer.write(randomBytes(1, 5000))
    const seen = { name: A, bytes: 5000, checksum: formatHash64(hash.hash64(randomBytes(1, 5000), 0n)) }
    for (const each of [store, neighbour]) {
      assert.deepEqual(await each.list(), [], 'it is not listed')
      await failsWith(() => each.open(seen), 'FILE_MISSING', 'it cannot be opened')
    }
    const ref = await writer.finish()
    assert.deepEqual(ref, seen)
    for (const each of [store, neighbour]) {
      assert.deepEqual(await each.list(), [{ name: A, bytes: 5000 }], 'it is listed once it is finished')
      await (await each.open(ref)).close()
    }
  })

  promise('abort leaves nothing, and is idempotent', async (store) => {
    const writer = await store.create(A)
    await writer.write(randomBytes(1, 5000))
    await Promise.all([writer.abort(), writer.abort()])
    await writer.abort()
    assert.deepEqual(await store.list(), [], 'nothing is listed')
    await failsWith(() => writer.write(new Uint8Array(1)), 'CLOSED', 'an aborted writer takes nothing more')
    await failsWith(() => writer.finish(), 'CLOSED', 'and is not finished any more')
    const ref = await putFile(store, A, randomBytes(2, 10))
    assert.equal(ref.bytes, 10, 'the name has not been used')
  })

  promise('writes of one file may not overlap, nor may finish come before they are done', async (store) => {
    const writer = await store.create(A)
    const first = writer.write(new Uint8Array(1000))
    await Promise.all([
      failureOf(() => writer.write(new Uint8Array(1)), 'a second write while one runs is an assertion'),
      failureOf(() => writer.finish(), 'finish while a write runs is an assertion'),
      first,
    ])
    assert.equal((await writer.finish()).bytes, 1000, 'only what was accepted is in the file')
  })

  promise('a reference must fit: a missing file, or one of another length, is FILE_MISSING', async (store) => {
    const ref = await putFile(store, A, randomBytes(1, 100))
    for (const wrong of [
      { ...ref, name: B },
      { ...ref, bytes: 99 },
      { ...ref, bytes: 101 },
    ]) {
      const error = await failsWith(() => store.open(wrong), 'FILE_MISSING', 'a reference that does not fit')
      assert.equal(error.details['file'], wrong.name, 'the error names the file')
      if (store.supports.syncRead) await failsWith(() => store.openSync(wrong), 'FILE_MISSING', 'openSync as well')
    }
    const unchecked = await store.open({ ...ref, checksum: '0000000000000000' })
    assert.equal((await unchecked.read(0, 100)).length, 100, 'the checksum is not compared')
  })

  promise('a read gives exactly what was asked for, or FILE_MISSING', async (store) => {
    const content = randomBytes(1, 70_000)
    const ref = await putFile(store, A, content)
    const reader = await store.open(ref)
    const random = new SeededRandom(1)
    for (let round = 0; round < 200; round++) {
      const offset = random.below(content.length)
      const length = random.below(content.length - offset + 1)
      const found = await reader.read(offset, length)
      assert.ok(equalBytes(found, content.subarray(offset, offset + length)), `${length} bytes from ${offset}`)
      if (store.supports.syncRead) assert.ok(equalBytes(reader.readSync(offset, length), found), 'readSync is read')
      found.fill(0)
    }
    assert.ok(equalBytes(await reader.read(0, content.length), content), 'the caller owns what it got')
    const end = content.length
    for (const [offset, length] of [
      [end, 1],
      [end - 1, 2],
      [0, end + 1],
      [0, 1e15],
      [1e15, 0],
    ] as const) {
      await failsWith(() => reader.read(offset, length), 'FILE_MISSING', `${length} bytes from ${offset}`)
      if (store.supports.syncRead)
        await failsWith(() => reader.readSync(offset, length), 'FILE_MISSING', 'readSync as well')
    }
    for (const [offset, length] of [
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [0, NaN],
    ] as const) {
      const error = await failureOf(() => reader.read(offset, length), 'what is no range')
      assert.ok(error instanceof RangeError, `what is no range is a RangeError, not ${String(error)}`)
    }
  })

  promise('reads may overlap', async (store) => {
    const content = randomBytes(1, 64_000)
    const reader = await store.open(await putFile(store, A, content))
    const found = await Promise.all(Array.from({ length: 64 }, (_, index) => reader.read(index * 1000, 1000)))
    found.forEach((bytes, index) => assert.ok(equalBytes(bytes, content.subarray(index * 1000, index * 1000 + 1000))))
  })

  promise('without syncRead the synchronous twins are WOULD_BLOCK', async (store) => {
    const ref = await putFile(store, A, randomBytes(1, 10))
    const reader = await store.open(ref)
    if (store.supports.syncRead) {
      const other = store.openSync(ref)
      assert.ok(equalBytes(other.readSync(2, 5), await reader.read(2, 5)), 'with it they read')
      await other.close()
    } else {
      await failsWith(() => store.openSync(ref), 'WOULD_BLOCK', 'openSync')
      await failsWith(() => reader.readSync(0, 1), 'WOULD_BLOCK', 'readSync')
    }
  })

  promise('what is read at once is what is there, or nothing is said', async (store) => {
    const content = randomBytes(1, 10_000)
    const reader = await store.open(await putFile(store, A, content))
    for (const [offset, length] of [
      [0, 10_000],
      [5000, 1],
      [9000, 1000],
      [10_000, 0],
    ] as const) {
      const found = reader.readNow(offset, length)
      assert.ok(found === undefined || equalBytes(found, content.subarray(offset, offset + length)), `${offset}`)
    }
    await failsWith(() => reader.readNow(9999, 2), 'FILE_MISSING', 'behind the end')
    await reader.close()
    await failsWith(() => reader.readNow(0, 1), 'CLOSED', 'after close')
  })

  promise('pending bytes go back to 0, and ready() resolves when they are below their limit', async (store) => {
    assert.equal(store.pendingBytes, 0, 'at first nothing is pending')
    assert.ok(store.pendingBytesMax > 0, 'there is a limit')
    const writers = await Promise.all([A, B].map((name) => store.create(name)))
    const piece = new Uint8Array(1 * MIB)
    const writing = writers.map((writer) => writer.write(piece))
    await store.ready()
    assert.ok(store.pendingBytes <= store.pendingBytesMax, 'ready() resolved below the limit')
    await Promise.all(writing)
    assert.equal(store.pendingBytes, 0, 'nothing is pending once it is written')
    await Promise.all(writers.map((writer) => writer.abort()))
  })
}
