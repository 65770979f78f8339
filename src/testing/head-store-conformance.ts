/** What every head store promises, as tests. */

import assert from 'node:assert/strict'
import { equalBytes } from '../kernel/bytes.ts'
import { isCode } from '../kernel/errors.ts'
import { shardId } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Head, HeadStore, HeadVersion } from '../fs/fs.ts'
import { testPromise } from './conformance-suite.ts'
import type { ConformanceSuite } from './conformance-suite.ts'
import { failsWith } from './expected-failure.ts'
import { randomBytes } from './file-model.ts'

/** Where one test's heads live. */
export interface HeadStorePlace {
  /** A store over the same heads, as another process would open it. */
  open(): Promise<HeadStore>
  /** Cuts the power, which keeps nothing that was not synced. Stores opened before are not used any more. */
  powerCut?(): void
  /** Gives up what it took, when the test has ended. Default: nothing is to be done. */
  dispose?(): Promise<void>
}

/** A head store, as its conformance suite is given it. */
export interface HeadStoreSuite extends ConformanceSuite {
  /** An empty place. */
  open(): Promise<HeadStorePlace>
  /** Largest head: a wrapper that adds bytes of its own takes so many less. Default LIMITS.headBytesMax. */
  readonly contentBytesMax?: number
}

const SHARD = shardId('shard-1')
const NEIGHBOUR = shardId('shard')

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (head: Head | undefined): string | undefined =>
  head === undefined ? undefined : new TextDecoder().decode(head.content)

/** A test for each promise of a head store, over an empty place each. */
export function testHeadStore(suite: HeadStoreSuite): void {
  function promise(name: string, body: (store: HeadStore, place: HeadStorePlace) => Promise<void>): void {
    testPromise(suite, name, async () => {
      const place = await suite.open()
      try {
        await body(await place.open(), place)
      } finally {
        await place.dispose?.()
      }
    })
  }

  promise('a head that was never written is undefined, and is created only where there is none', async (store) => {
    assert.equal(await store.read(SHARD), undefined, 'there is no head')
    await failsWith(
      () => store.compareAndSet(SHARD, '7' as HeadVersion, bytes('x')),
      'HEAD_CONFLICT',
      'nothing is not 7',
    )
    assert.equal(await store.read(SHARD), undefined, 'a refused change changes nothing')
    const version = await store.compareAndSet(SHARD, undefined, bytes('first'))
    assert.deepEqual(await store.read(SHARD), { version, content: bytes('first') }, 'the head is what was set')
    await failsWith(() => store.compareAndSet(SHARD, undefined, bytes('x')), 'HEAD_CONFLICT', 'it is there already')
    assert.equal(textOf(await store.read(SHARD)), 'first', 'a refused change changes nothing')
  })

  promise('a head is replaced only by one who knows its version, and no version comes twice', async (store, place) => {
    const other = await place.open()
    const versions: HeadVersion[] = []
    for (let round = 0; round < 12; round++) {
      const each = round % 2 === 0 ? store : other
      versions.push(await each.compareAndSet(SHARD, versions.at(-1), bytes(`round ${round}`)))
      for (const reader of [store, other])
        assert.equal(textOf(await reader.read(SHARD)), `round ${round}`, 'every store sees it at once')
      for (const old of [undefined, ...versions.slice(0, -1)]) {
        const error = await failsWith(() => other.compareAndSet(SHARD, old, bytes('x')), 'HEAD_CONFLICT', `from ${old}`)
        assert.equal(error.details['expected'], old, 'the error says what was expected')
        assert.equal(error.details['found'], versions.at(-1), 'and what is there')
      }
    }
    assert.equal(new Set(versions).size, versions.length, 'a version names one state')
  })

  promise('content is returned byte for byte, whatever it is', async (store) => {
    let version: HeadVersion | undefined
    for (const length of [0, 1, 7, 4096, 300_000]) {
      const content = randomBytes(length, length)
      // A Buffer, for its slice() copies nothing.
      const lent = Buffer.from(content)
      version = await store.compareAndSet(SHARD, version, lent)
      lent.fill(0)
      const head = await store.read(SHARD)
      assert.ok(head !== undefined && equalBytes(head.content, content), `${length} bytes`)
      head.content.fill(1)
      assert.ok(equalBytes((await store.read(SHARD))?.content ?? bytes('none'), content), 'the reader owns what it got')
    }
  })

  promise('a head over the limit is refused, one at the limit is not', async (store) => {
    const limit = new Uint8Array(suite.contentBytesMax ?? LIMITS.headBytesMax)
    limit[limit.length - 1] = 7
    const version = await store.compareAndSet(SHARD, undefined, limit)
    const over = new Uint8Array(limit.length + 1)
    await failsWith(() => store.compareAndSet(SHARD, version, over), 'LIMIT_EXCEEDED', 'one byte over the limit')
    const head = await store.read(SHARD)
    assert.ok(head !== undefined && equalBytes(head.content, limit), 'what was there is as it was')
  })

  promise('each shard has its own head', async (store) => {
    const one = await store.compareAndSet(SHARD, undefined, bytes('one'))
    assert.equal(await store.read(NEIGHBOUR), undefined, 'another shard has none, even if its name begins the same')
    await store.compareAndSet(NEIGHBOUR, undefined, bytes('neighbour'))
    await store.compareAndSet(SHARD, one, bytes('two'))
    assert.deepEqual([textOf(await store.read(SHARD)), textOf(await store.read(NEIGHBOUR))], ['two', 'neighbour'])
  })

  promise('of many who change a head at once exactly one wins, round after round', async (store, place) => {
    const stores = [store, await place.open(), await place.open()]
    let version: HeadVersion | undefined
    for (let round = 0; round < 60; round++) {
      const expected = version
      const outcomes = await Promise.allSettled(
        Array.from({ length: 6 }, (_, index) =>
          (stores[index % stores.length] as HeadStore).compareAndSet(SHARD, expected, bytes(`${round}/${index}`)),
        ),
      )
      const won: number[] = []
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') {
          won.push(index)
          version = outcome.value
        } else {
          assert.ok(
            isCode(outcome.reason, 'HEAD_CONFLICT'),
            `the others get HEAD_CONFLICT, not ${String(outcome.reason)}`,
          )
        }
      }
      assert.equal(won.length, 1, `round ${round} has one winner`)
      assert.deepEqual(await store.read(SHARD), { version, content: bytes(`${round}/${won[0]}`) }, 'whose head it is')
    }
  })

  promise('counting up from many sides at once loses no step', async (store, place) => {
    const stores = [store, await place.open(), await place.open()]
    const steps = 15
    const count = async (each: HeadStore): Promise<void> => {
      for (let done = 0; done < steps;) {
        const head = await each.read(SHARD)
        const next = bytes(String(Number(textOf(head) ?? '0') + 1))
        const outcome = await each.compareAndSet(SHARD, head?.version, next).catch((error: unknown) => error)
        if (typeof outcome === 'string') done++
        else assert.ok(isCode(outcome, 'HEAD_CONFLICT'), `a step is made or HEAD_CONFLICT, not ${String(outcome)}`)
      }
    }
    await Promise.all(stores.map(count))
    // A conflict may be reported for a step that was made and overtaken at once: the sum may be larger.
    const sum = Number(textOf(await store.read(SHARD)))
    assert.ok(sum >= stores.length * steps, `${stores.length * steps} acknowledged steps, ${sum} counted`)
  })

  promise('a head is always whole for those who read while it changes', async (store, place) => {
    const reader = await place.open()
    const contents = Array.from({ length: 30 }, (_, index) => new Uint8Array(2000 + index).fill(index + 1))
    let done = false
    let highest = 0
    const reading = (async () => {
      while (!done) {
        const head = await reader.read(SHARD)
        if (head === undefined) continue
        const value = head.content[0] ?? 0
        assert.ok(equalBytes(head.content, contents[value - 1] ?? bytes('')), 'a head is one that was set, all of it')
        assert.ok(value >= highest, 'heads never go back')
        highest = value
      }
    })()
    let version: HeadVersion | undefined
    for (const content of contents) version = await store.compareAndSet(SHARD, version, content)
    done = true
    await reading
  })

  promise('what was set survives a power cut', async (store, place) => {
    let version: HeadVersion | undefined
    for (let round = 0; round < 4; round++) version = await store.compareAndSet(SHARD, version, bytes(`round ${round}`))
    assert.ok(place.powerCut !== undefined, 'a place without power cuts skips this test')
    place.powerCut()
    const after = await place.open()
    assert.deepEqual(await after.read(SHARD), { version, content: bytes('round 3') }, 'the newest head is durable')
    await after.compareAndSet(SHARD, version, bytes('next'))
    assert.equal(textOf(await after.read(SHARD)), 'next', 'and can be replaced')
  })

  promise('an aborted signal is ABORTED, with its reason, and nothing is done', async (store) => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    for (const call of [
      () => store.read(SHARD, { signal }),
      () => store.compareAndSet(SHARD, undefined, bytes('x'), { signal }),
    ]) {
      const error = await failsWith(call, 'ABORTED', String(call))
      assert.equal(error.cause, reason, 'the cause is the reason')
    }
    assert.equal(await store.read(SHARD), undefined, 'nothing has changed')
  })
}
