/** What every file store promises, as tests: content (file-content-conformance.ts), and names. */

import assert from 'node:assert/strict'
import { equalBytes } from '../kernel/bytes.ts'
import { isCode } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { Hash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import type { FileName } from '../kernel/ids.ts'
import type { FileReader, FileStore } from '../fs/fs.ts'
import { testPromise } from './conformance-suite.ts'
import type { ConformanceSuite } from './conformance-suite.ts'
import { failsWith } from './expected-failure.ts'
import { testFileContent } from './file-content-conformance.ts'
import { putFile, randomBytes } from './file-model.ts'

/** Where one test's files live. */
export interface FileStorePlace {
  /** A store over the same files, as another process would open it. */
  open(): Promise<FileStore>
  /** Cuts the power, which keeps nothing that was not synced. Stores opened before are not used any more. */
  powerCut?(): void
  /** Gives up what it took, when the test has ended. Default: nothing is to be done. */
  dispose?(): Promise<void>
}

/** A file store, as its conformance suite is given it. */
export interface FileStoreSuite extends ConformanceSuite {
  /** The store's own: checksums of references are compared with it. */
  readonly hash: Hash
  /** An empty place. */
  open(): Promise<FileStorePlace>
}

const A = fileName('shard.e1-j1-a1-1.table')
const B = fileName('shard.e1-j1-a1-2.table')
const OTHER = fileName('other.e1-m1.manifest')

export type FileStorePromise = (name: string, body: (store: FileStore, place: FileStorePlace) => Promise<void>) => void

/** A test for each promise of a file store, over an empty place each. */
export function testFileStore(suite: FileStoreSuite): void {
  const promise: FileStorePromise = (name, body) => {
    testPromise(suite, name, async () => {
      const place = new TrackedPlace(await suite.open())
      try {
        await body(await place.open(), place)
      } finally {
        await place.dispose()
      }
    })
  }
  testFileContent(promise, suite.hash)

  promise(
    'a finished file survives a power cut, an unfinished one leaves nothing that can be seen',
    async (store, place) => {
      const content = randomBytes(1, 20_000)
      const ref = await putFile(store, A, content)
      const unfinished = await store.create(B)
      await unfinished.write(content)
      assert.ok(place.powerCut !== undefined, 'a place without power cuts skips this test')
      place.powerCut()
      const after = await place.open()
      assert.deepEqual(
        await after.list(),
        [{ name: A, bytes: content.length }],
        'finish() made content and name durable',
      )
      assert.ok(equalBytes(await (await after.open(ref)).read(0, content.length), content), 'all of the content')
    },
  )

  promise('a name is used once', async (store, place) => {
    const neighbour = await place.open()
    const content = randomBytes(1, 100)
    const ref = await putFile(store, A, content)
    for (const each of [store, neighbour]) {
      const taken = await failsWith(() => putFile(each, A, new Uint8Array(7)), 'EXISTS', 'the name of a finished file')
      assert.equal(taken.details['name'], A, 'the error names the name')
    }
    assert.ok(equalBytes(await (await store.open(ref)).read(0, 100), content), 'the file is as it was')
    assert.equal((await store.list()).length, 1, 'and there is no other')
  })

  promise('of several who want one name at most one gets it, and its file is whole', async (store) => {
    for (let round = 0; round < 20; round++) {
      const name = fileName(`raced-${round}`)
      const contents = Array.from({ length: 6 }, (_, index) => randomBytes(round * 10 + index, 300))
      const outcomes = await Promise.allSettled(contents.map((content) => putFile(store, name, content)))
      const won = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index] : []))
      for (const outcome of outcomes) {
        assert.ok(outcome.status === 'fulfilled' || isCode(outcome.reason, 'EXISTS'), 'the others are told EXISTS')
      }
      assert.equal(won.length, 1, 'exactly one of the writers finishes')
      const [winner = 0] = won
      const [outcome] = outcomes.filter(({ status }) => status === 'fulfilled') as [PromiseFulfilledResult<FileRef>]
      const reader = await store.open(outcome.value)
      assert.ok(
        equalBytes(await reader.read(0, 300), contents[winner] as Uint8Array),
        'the file is what the winner wrote',
      )
      await reader.close()
    }
  })

  promise('list has every finished file whose name begins so, once', async (store, place) => {
    const names = [A, B, OTHER, ...Array.from({ length: 150 }, (_, index) => fileName(`shard.many-${index}`))]
    for (const [index, name] of names.entries()) await putFile(store, name, new Uint8Array(index))
    const expected = names.map((name, bytes) => ({ name, bytes }))
    assert.deepEqual(await sortedList(store), sorted(expected), 'without a prefix: all, with their lengths')
    for (const prefix of ['shard.', 'shard.e1-', 'other', A, 'z', `${A}x`]) {
      const matching = expected.filter(({ name }) => name.startsWith(prefix))
      assert.deepEqual(await sortedList(store, prefix), sorted(matching), `with the prefix ${prefix}`)
    }
    const neighbour = await place.open()
    assert.deepEqual(await sortedList(neighbour), sorted(expected), 'another store lists the same')
  })

  promise('remove takes names away, missing ones included; open readers go on', async (store) => {
    const content = randomBytes(1, 10_000)
    const ref = await putFile(store, A, content)
    const kept = await putFile(store, B, content)
    const readers: FileReader[] = [await store.open(ref)]
    if (store.supports.syncRead) readers.push(store.openSync(ref))
    await store.remove([A, fileName('never-there'), A])
    assert.deepEqual(await store.list(), [{ name: B, bytes: kept.bytes }], 'what was named is gone, no more')
    await failsWith(() => store.open(ref), 'FILE_MISSING', 'a removed file cannot be opened')
    for (const reader of readers) {
      assert.ok(equalBytes(await reader.read(5000, 5000), content.subarray(5000)), 'a reader that is open reads on')
      await reader.close()
    }
    await store.remove([])
    await store.remove([A])
  })

  promise('an aborted signal is ABORTED, with its reason, and nothing is done', async (store) => {
    const ref = await putFile(store, A, randomBytes(1, 10))
    const reader = await store.open(ref)
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    for (const call of [
      () => store.create(B, { signal }),
      () => store.open(ref, { signal }),
      () => store.list('', { signal }),
      () => store.remove([A], { signal }),
      () => reader.read(0, 1, { signal }),
    ]) {
      const error = await failsWith(call, 'ABORTED', String(call))
      assert.equal(error.cause, reason, 'the cause is the reason')
    }
    assert.deepEqual(await store.list(), [{ name: A, bytes: 10 }], 'nothing has changed')
  })

  promise('free bytes are a number, or there is no such number', async (store) => {
    const freeBytes = await store.freeBytes()
    assert.ok(freeBytes === undefined || (Number.isSafeInteger(freeBytes) && freeBytes >= 0), String(freeBytes))
  })

  promise('close aborts writers, closes readers, and is idempotent', async (store, place) => {
    const ref = await putFile(store, A, randomBytes(1, 10))
    const writer = await store.create(B)
    await writer.write(new Uint8Array(10))
    const reader = await store.open(ref)
    // They are under way while it closes: each is done or CLOSED, and leaves nothing.
    const late = [store.create(OTHER), store.open(ref), store.list()].map((call) =>
      call.then(
        () => 'CLOSED',
        (error: unknown) => (isCode(error, 'CLOSED') ? 'CLOSED' : error),
      ),
    )
    await Promise.all([store.close(), store.close()])
    assert.deepEqual(
      await Promise.all(late),
      late.map(() => 'CLOSED'),
      'what was under way settled',
    )
    const calls: readonly (() => unknown)[] = [
      () => store.create(OTHER),
      () => store.open(ref),
      () => store.openSync(ref),
      () => store.list(),
      () => store.remove([A]),
      () => store.ready(),
      () => writer.write(new Uint8Array(1)),
      () => writer.finish(),
      () => reader.read(0, 1),
    ]
    for (const call of calls) await failsWith(call, 'CLOSED', `${String(call)} after close`)
    await Promise.all([writer.abort(), reader.close()])
    const next = await place.open()
    assert.deepEqual(await next.list(), [{ name: A, bytes: 10 }], 'finished files stay, unfinished ones do not')
    for (const name of [B, OTHER]) await putFile(next, name, new Uint8Array(1))
  })

  promise('close lets a finish that runs get done, or leaves nothing of its file', async (store, place) => {
    const writer = await store.create(A)
    await writer.write(randomBytes(1, 10))
    const finishing = writer.finish().then(
      () => true,
      () => false,
    )
    await store.close()
    const next = await place.open()
    assert.equal(
      (await next.list()).length,
      (await finishing) ? 1 : 0,
      'finish() resolved exactly if the file is there',
    )
  })

  promise('names that are no file names are refused', async (store) => {
    for (const name of ['', '.', '..', '../a', 'a/b', 'A', '.hidden', 'a b', 'a\0', 'x'.repeat(129)]) {
      const given = name as FileName
      const ref = { name: given, bytes: 0, checksum: '0' }
      for (const call of [() => store.create(given), () => store.open(ref), () => store.remove([given])])
        await failsWith(call, 'LIMIT_EXCEEDED', `${String(call)} with ${JSON.stringify(name)}`)
    }
    assert.deepEqual(await store.list(), [], 'nothing has come of it')
  })
}

/** Closes what was opened, except after a power cut: the dead do not close anything. */
class TrackedPlace implements FileStorePlace {
  readonly #place: FileStorePlace
  readonly #stores = new Set<FileStore>()
  readonly powerCut?: () => void

  constructor(place: FileStorePlace) {
    this.#place = place
    if (place.powerCut !== undefined) {
      this.powerCut = () => {
        this.#stores.clear()
        place.powerCut?.()
      }
    }
  }

  async open(): Promise<FileStore> {
    const store = await this.#place.open()
    this.#stores.add(store)
    return store
  }

  async dispose(): Promise<void> {
    for (const store of this.#stores) await store.close()
    await this.#place.dispose?.()
  }
}

interface Listed {
  readonly name: string
  readonly bytes: number
}

const sorted = (list: readonly Listed[]): Listed[] => [...list].sort((a, b) => (a.name < b.name ? -1 : 1))

async function sortedList(store: FileStore, prefix?: string): Promise<Listed[]> {
  return sorted(await store.list(prefix))
}
