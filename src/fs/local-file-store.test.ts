import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes } from '../kernel/bytes.ts'
import { isCode } from '../kernel/errors.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import { failsWith } from '../testing/expected-failure.ts'
import { putFile, randomBytes } from '../testing/file-model.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { failure } from '../testing/simulated-failure.ts'
import type { SimulatedDeviceOptions } from '../testing/simulated-device.ts'
import type { OperationName } from '../testing/device-operation.ts'
import { LocalFileStore } from './local-file-store.ts'

const hash = await loadHash()
const A = fileName('a')
const B = fileName('b')

/** A store whose device fails as it is told to. */
class Bench {
  readonly device: SimulatedDevice
  readonly store: LocalFileStore
  readonly #plan: FaultPlan

  private constructor(device: SimulatedDevice, store: LocalFileStore, plan: FaultPlan) {
    this.device = device
    this.store = store
    this.#plan = plan
  }

  static async open(options?: SimulatedDeviceOptions): Promise<Bench> {
    const plan: FaultPlan = { fault: undefined }
    const device = new SimulatedDevice({
      ...options,
      before: ({ operation, path }) => {
        const { fault } = plan
        if (fault?.operation === operation && fault.times-- > 0) throw failure(fault.code, operation, path)
      },
    })
    return new Bench(device, await LocalFileStore.open({ device, directory: 'files', hash }), plan)
  }

  /** The next `times` operations of this name fail with `code`. */
  fail(operation: OperationName, code: ErrorCode, times = 1): void {
    this.#plan.fault = { operation, code, times }
  }
}

interface FaultPlan {
  fault: { readonly operation: OperationName; readonly code: ErrorCode; times: number } | undefined
}

test('leftovers are removed by removeLeftovers, and by nothing else', async () => {
  const { device, store } = await Bench.open()
  await putFile(store, B, randomBytes(1, 10))
  await (await store.create(A)).write(randomBytes(1, 100))
  const next = device.kill()
  const after = await LocalFileStore.open({ device: next, directory: 'files', hash })
  assert.deepEqual(await after.list(), [{ name: B, bytes: 10 }])
  await failsWith(() => after.create(A), 'EXISTS', 'the name is being written, as far as anyone can tell')
  assert.deepEqual(next.files(), ['files/a.UNFINISHED', 'files/b'])
  await after.removeLeftovers()
  assert.deepEqual(next.files(), ['files/b'])
  await putFile(after, A, randomBytes(2, 20))
})

test('a disk that is full refuses the write with NO_SPACE; abort frees what was taken, and then there is room', async () => {
  const { device, store } = await Bench.open({ capacityBytes: 10_000 })
  const writer = await store.create(A)
  await writer.write(randomBytes(1, 8000))
  await failsWith(() => writer.write(randomBytes(1, 4000)), 'NO_SPACE', 'more than fits')
  assert.equal(store.pendingBytes, 0)
  await failsWith(() => writer.finish(), 'CLOSED', 'a file with a gap is not published')
  await failsWith(() => writer.write(new Uint8Array(1)), 'CLOSED', 'nor added to')
  await writer.abort()
  assert.deepEqual(device.files(), [])
  assert.equal(await store.freeBytes(), 10_000)
  await putFile(store, A, randomBytes(2, 9000))
})

test('a sync that fails is OUTCOME_UNKNOWN and never tried again; the writer can be aborted', async () => {
  for (const operation of ['sync', 'syncDirectory'] as const) {
    const bench = await Bench.open()
    const writer = await bench.store.create(A)
    await writer.write(randomBytes(1, 100))
    bench.fail(operation, 'IO_FAILED')
    const error = await failsWith(() => writer.finish(), 'OUTCOME_UNKNOWN', operation)
    assert.ok(isCode(error.cause, 'IO_FAILED'), 'the cause says why')
    await failsWith(() => writer.finish(), 'CLOSED', 'no second try')
    await writer.abort()
    // The data was safe before the name: a file that is there is whole.
    assert.deepEqual(bench.device.files(), operation === 'sync' ? [] : ['files/a'])
    const survived = bench.device.crash({ data: 'none', names: 'all' }, 1).files()
    assert.deepEqual(survived, operation === 'sync' ? [] : ['files/a'])
  }
})

test('a finished file stays finished if its first name cannot be removed', async () => {
  const bench = await Bench.open()
  bench.fail('unlink', 'IO_FAILED')
  const ref = await putFile(bench.store, A, randomBytes(1, 100))
  assert.deepEqual(await bench.store.list(), [{ name: A, bytes: 100 }])
  await bench.store.removeLeftovers()
  assert.deepEqual(bench.device.files(), ['files/a'])
  assert.ok(equalBytes(await (await bench.store.open(ref)).read(0, 100), randomBytes(1, 100)))
})

// Closing failed for good, with what aborting had said once already, and the directory stayed locked.
test('a leftover that could not be removed when its writer was aborted is not told again by close', async () => {
  const bench = await Bench.open()
  const writer = await bench.store.create(A)
  await writer.write(randomBytes(1, 100))
  bench.fail('unlink', 'PERMISSION_DENIED')
  await failsWith(() => writer.abort(), 'PERMISSION_DENIED', 'it is there')
  await bench.store.close()
  assert.deepEqual(bench.device.files(), ['files/a.UNFINISHED'], 'for the next opening to remove')
})

test('a failure at any operation of a file’s life leaves it whole or not there, once it is aborted', async () => {
  for (let failing = 0; ; failing++) {
    let left = Infinity
    let failed: string | undefined
    const device = new SimulatedDevice({
      failedWrites: 'some',
      before: ({ operation, path }) => {
        if (left-- !== 0) return
        failed = operation
        throw failure('IO_FAILED', operation, path)
      },
    })
    const store = await LocalFileStore.open({ device, directory: 'files', hash })
    left = failing
    const outcome = await putFile(store, A, randomBytes(1, 3000)).catch((error: unknown) => error)
    left = Infinity
    const listed = await store.list()
    if (isCode(outcome, 'IO_FAILED')) assert.deepEqual(listed, [], `${failed}: nothing is there`)
    else assert.ok(isCode(outcome, 'OUTCOME_UNKNOWN') || listed.length === 1, `${failed}: ${String(outcome)}`)
    if (listed.length === 1) {
      const checksum = '0'
      const reader = await store.open({ name: A, bytes: 3000, checksum })
      assert.ok(equalBytes(await reader.read(0, 3000), randomBytes(1, 3000)), `${failed}: it is whole`)
    }
    if (failed === undefined) break
  }
})

test('a read that fails is tried again, three times in all', async () => {
  const bench = await Bench.open()
  const content = randomBytes(1, 1000)
  const ref = await putFile(bench.store, A, content)
  const reader = await bench.store.open(ref)
  for (const [times, succeeds] of [
    [1, true],
    [2, true],
    [3, false],
  ] as const) {
    for (const read of [() => reader.read(100, 50), () => reader.readSync(100, 50)]) {
      bench.fail('read', 'IO_FAILED', times)
      if (succeeds) assert.ok(equalBytes(await read(), content.subarray(100, 150)))
      else await failsWith(read, 'IO_FAILED', `failing ${times} times`)
    }
  }
})

test('having no descriptor left is OUT_OF_FILES, never a missing file', async () => {
  const bench = await Bench.open()
  const ref = await putFile(bench.store, A, randomBytes(1, 10))
  for (const call of [
    () => bench.store.open(ref),
    () => bench.store.openSync(ref),
    () => bench.store.create(B),
  ] as const) {
    bench.fail('open', 'OUT_OF_FILES')
    await failsWith(call, 'OUT_OF_FILES', String(call))
  }
  await bench.store.open(ref)
})

test('a file that is cut short while it is open is FILE_MISSING where it ends', async () => {
  const { device, store } = await Bench.open()
  const ref = await putFile(store, A, randomBytes(1, 1000))
  const reader = await store.open(ref)
  device.inode('files/a').truncate(500)
  assert.equal((await reader.read(0, 500)).length, 500)
  const error = await failsWith(() => reader.read(400, 200), 'FILE_MISSING', 'across the new end')
  assert.equal(error.details['found'], 500)
  await failsWith(() => reader.readSync(400, 200), 'FILE_MISSING', 'across the new end')
  await failsWith(() => store.open(ref), 'FILE_MISSING', 'opened anew')
})

test('what somebody else has put into the directory is not listed', async () => {
  const { device, store } = await Bench.open()
  const ref = await putFile(store, A, randomBytes(1, 10))
  await device.makeDirectory('files/folder')
  for (const name of ['README', 'b.UNFINISHED', '_x', 'x'.repeat(200)])
    await (await device.open(`files/${name}`, 'create')).close()
  assert.deepEqual(await store.list(), [{ name: A, bytes: ref.bytes }])
})

test('a read-only store makes no directory, and reads', async () => {
  const empty = new SimulatedDevice({ readOnly: true })
  const store = await LocalFileStore.open({ device: empty, directory: 'files', hash, readOnly: true })
  await failsWith(() => store.open({ name: A, bytes: 1, checksum: '0' }), 'FILE_MISSING', 'nothing is there')
  const { device, store: writing } = await Bench.open()
  const ref = await putFile(writing, A, randomBytes(1, 10))
  const readOnly = await LocalFileStore.open({
    device: device.kill({ readOnly: true }),
    directory: 'files',
    hash,
    readOnly: true,
  })
  assert.equal((await (await readOnly.open(ref)).read(0, 10)).length, 10)
  await failsWith(() => readOnly.create(B), 'READ_ONLY', 'a new file')
  await failsWith(() => readOnly.remove([A]), 'READ_ONLY', 'a removal')
})

test('a store that closes while a writer is created or a reader opened leaves neither behind', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const delay = async (): Promise<void> => {
      for (let left = 3; left > 0; left--) await Promise.resolve()
    }
    const { device, store } = await Bench.open({ delay })
    const ref = await putFile(store, A, randomBytes(1, 10))
    const outcomes = Promise.allSettled([store.create(B), store.open(ref)])
    for (let left = turns; left > 0; left--) await Promise.resolve()
    await store.close()
    const [created, opened] = await outcomes
    if (created.status === 'fulfilled')
      await failsWith(() => created.value.write(new Uint8Array(1)), 'CLOSED', 'a writer of a closed store')
    if (opened.status === 'fulfilled')
      await failsWith(() => opened.value.read(0, 1), 'CLOSED', 'a reader of a closed store')
    assert.deepEqual(device.files(), ['files/a'], `closed after ${turns} microtasks`)
  }
})
