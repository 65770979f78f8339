/** What every journal promises to who appends, as tests: order, rungs, limits, and an answer for every append. */

import assert from 'node:assert/strict'
import { isCode } from '../kernel/errors.ts'
import { POSITION_ZERO } from '../kernel/ids.ts'
import type { Append, Durability } from '../journal/journal.ts'
import { batches, bytes, rejects, texts, throwsCode } from './journal-bench.ts'
import type { JournalPromise } from './journal-bench.ts'

export function testAppends(promise: JournalPromise): void {
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
      await texts(journal),
      Array.from({ length: 500 }, (_, index) => `batch ${index}`),
      'order of calls is order in the log',
    )
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

  promise('a batch has at least one byte', async (bench) => {
    const journal = await bench.open()
    throwsCode('LIMIT_EXCEEDED', () => journal.append(new Uint8Array(), 'written'), 'an empty batch is refused')
    assert.equal(journal.end, 0, 'nothing was appended')
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
