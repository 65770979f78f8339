/** What every journal promises from owner to owner, as tests: nothing is lost, and nobody is heard who was fenced. */

import assert from 'node:assert/strict'
import { POSITION_ZERO, shardId } from '../kernel/ids.ts'
import type { Append } from '../journal/journal.ts'
import { batches, bytes, rejects, texts } from './journal-bench.ts'
import type { JournalPromise } from './journal-bench.ts'

export function testOwners(promise: JournalPromise): void {
  promise('a lower epoch cannot open', async (bench) => {
    await (await bench.open(bench.shard, 5)).close()
    await rejects('FENCED', bench.open(bench.shard, 4), 'a higher epoch has been here')
    await (await bench.open(bench.shard, 6)).close()
  })

  promise('an owner that never closed loses nothing that was written', async (bench) => {
    const first = await bench.open()
    for (let index = 0; index < 50; index++) await first.append(bytes(`${index}`), 'written').written
    const second = await bench.open()
    assert.equal((await batches(second)).length, 50, 'written survives the writer')
  })

  promise('a journal goes on where its predecessor ended, over many owners', async (bench) => {
    const expected: string[] = []
    for (let owner = 0; owner < 6; owner++) {
      const journal = await bench.open()
      assert.deepEqual(await texts(journal), expected, 'nothing is lost from owner to owner')
      for (let index = 0; index < owner; index++) {
        const text = `owner ${owner} batch ${index}`
        expected.push(text)
        await journal.append(bytes(text), 'written').written
      }
      await journal.close()
    }
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
    assert.deepEqual(await texts(owner), ['acknowledged'], 'the new owner sees what was acknowledged')
    await owner.append(bytes('new'), 'written').written
    await owner.barrier()
    await old.close()
    await owner.close()
    const third = await bench.open()
    assert.deepEqual(await texts(third), ['acknowledged', 'new'], 'late bytes are ignored for ever')
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
      const found = new Set(await texts(owner))
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

  promise('a reader without ownership sees the log, fences nobody and changes nothing', async (bench) => {
    const journal = await bench.open()
    await journal.append(bytes('a'), 'written').written
    const reader = await bench.openReadOnly()
    assert.deepEqual(await texts(reader), ['a'], 'it replays what is written')
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
    assert.deepEqual(await texts(one), ['1'], 'only its own batches')
    assert.deepEqual(await texts(two), ['22'], 'only its own batches')
    await one.barrier()
  })
}
