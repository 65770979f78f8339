/** Who takes a shard over whose stream is full. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epoch, journalPosition } from '../../kernel/ids.ts'
import { Place, SHARD, STREAM, found, payloadOf } from '../../../test/nats/simulated-journals.ts'
import type { Journal } from '../journal.ts'

const BATCHES = 10
const BYTES = 100
const END = BATCHES * BYTES

async function fullPlace(): Promise<{ readonly place: Place; readonly former: Journal }> {
  const place = new Place()
  const former = await place.open(1)
  for (let index = 0; index < BATCHES; index++) await former.append(payloadOf(index, BYTES), 'written').written
  place.server.messagesMax = place.server.count
  return { place, former }
}

// The former owner died after a flush, before it had removed what was in files by then: nobody could open the shard any more.
test('a new owner makes room for its fence with what files have taken the place of, and with nothing else', async () => {
  for (const needed of [250, 300, 950, END]) {
    const { place, former } = await fullPlace()
    const next = await place.system().open(SHARD, epoch(2), place.keeper, journalPosition(needed))
    const batches = await found(next, needed)
    const expected = Array.from({ length: BATCHES }, (_, index) => index * BYTES).filter(
      (position) => position >= needed,
    )
    assert.deepEqual([...batches.keys()], expected, `needed ${needed}`)
    for (const [position, content] of batches)
      assert.equal(content, Buffer.from(payloadOf(position / BYTES, BYTES)).toString('hex'))
    assert.equal(next.end, END)
    await assert.rejects(former.append(payloadOf(0), 'written').written, { code: 'FENCED' })
    await next.append(payloadOf(11, BYTES), 'written').written
    assert.equal((await found(await place.system().openReadOnly(SHARD, undefined), END)).size, 1)
  }
})

test('where everything in a full stream is needed, nothing of it goes, and opening says what to do', async () => {
  // Beside its former fence, which nobody needs.
  const { place, former } = await fullPlace()
  place.server.messagesMax--
  const before = place.server.count - 1
  for (const needed of [0, 99]) {
    await assert.rejects(place.system().open(SHARD, epoch(2), place.keeper, journalPosition(needed)), {
      code: 'NO_SPACE',
      message: /nothing in it that files have taken the place of: raise its max_bytes/,
    })
  }
  await assert.rejects(place.open(2), { code: 'NO_SPACE' })
  assert.equal(place.server.count, before)
  assert.equal((await found(former)).size, BATCHES)
  place.server.messagesMax = Infinity
  assert.equal((await found(await place.open(3))).size, BATCHES)
})

test('an owner that has been replaced in the head meanwhile removes nothing that the next one needs', async () => {
  const { place } = await fullPlace()
  // Its own knowledge is older: it needs more.
  place.server.messagesMax = Infinity
  const newest = await place.system().open(SHARD, epoch(3), place.keeper, journalPosition(500))
  place.server.messagesMax = place.server.count
  await assert.rejects(place.system().open(SHARD, epoch(2), place.keeper, journalPosition(300)), { code: 'FENCED' })
  assert.equal((await found(newest, 500)).size, 5)
  assert.equal(place.server.streams.get(STREAM)?.first, 1)
})
