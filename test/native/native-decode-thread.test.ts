/** Groups of blocks that a thread of the addon decodes: the same bytes as in JavaScript, or left to it. */

import assert from 'node:assert/strict'
import { DecodeTasks } from '../../src/kernel/decode-tasks.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import type { Hash } from '../../src/kernel/hash.ts'
import { BYTEWISE } from '../../src/kernel/key-order.ts'
import { NativeDecodeThread } from '../../src/native/native-decode-thread.ts'
import { decodePacked, encodeStored } from '../../src/sst/block-codec.ts'
import { RowBlockBuilder } from '../../src/sst/row-block-builder.ts'
import { batchesOf, randomEntries, sortEntries } from '../../src/testing/entry-model.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { addon, testWithAddon } from './addon-test.ts'

const place = { file: 'table', part: 'block', offset: 0 } as const
const BLOCKS = 40
const DAMAGED = 7
const GUARD = 0xa5

interface Group {
  readonly stored: Uint8Array
  readonly memory: Uint8Array
  readonly tasks: DecodeTasks
  /** What JavaScript makes of each. */
  readonly blocks: readonly Uint8Array[]
}

function storedBlock(random: SeededRandom): { stored: Uint8Array; blockBytes: number } {
  const builder = new RowBlockBuilder()
  for (const batch of batchesOf(sortEntries(randomEntries(random, 60), BYTEWISE), 1000)) {
    for (let index = 0; index < batch.count; index++) {
      const kind = batch.kinds[index] as number
      builder.note(batch.keyAt(index).length, batch.valueLengths[index] as number, batch.seqnos[index] as number, kind)
    }
    builder.take(batch, 0, batch.count)
  }
  return { stored: new Uint8Array(encodeStored('lz4', builder.finish().slice())), blockBytes: builder.blockBytes }
}

/** Blocks one after the other, with a gap behind each of them in memory; that of DAMAGED has another checksum. */
function groupOf(hash: Hash, seed: number): Group {
  const random = new SeededRandom(seed)
  const all = Array.from({ length: BLOCKS }, () => storedBlock(random))
  const tasks = new DecodeTasks(BLOCKS)
  let [from, to] = [0, 0]
  all.forEach(({ stored, blockBytes }, index) => {
    tasks.place(index, from, stored.length, to, blockBytes)
    tasks.check(index, BigInt(index), hash.hash64(stored, BigInt(index)) ^ (index === DAMAGED ? 1n : 0n))
    from += stored.length
    to += blockBytes + 16
  })
  const memory = new Uint8Array(to).fill(GUARD)
  const blocks = all.map(({ stored, blockBytes }) => decodePacked('lz4', stored, blockBytes, place))
  return { stored: Buffer.concat(all.map((each) => each.stored)), memory, tasks, blocks }
}

function checkDecoded({ memory, tasks, blocks }: Group): void {
  blocks.forEach((block, index) => {
    assert.equal(tasks.isDone(index), index !== DAMAGED)
    const end = tasks.blockStart(index) + tasks.blockLength(index)
    if (index !== DAMAGED) assert.ok(Buffer.compare(memory.subarray(tasks.blockStart(index), end), block) === 0)
    assert.ok(
      memory.subarray(end, end + 16).every((byte) => byte === GUARD),
      'it wrote outside',
    )
  })
}

testWithAddon('a thread decodes groups as JavaScript does, and says of damage that it is not done', {}, async () => {
  const hash = await loadHash()
  const thread = new NativeDecodeThread(addon())
  const groups = Array.from({ length: 3 }, (_, seed) => groupOf(hash, seed + 1))
  let done = 0
  for (const { stored, memory, tasks } of groups) {
    const room = thread.room(stored.length) as Uint8Array
    room.set(stored)
    thread.begin(room.subarray(0, stored.length), memory, tasks, () => done++)
  }
  // No turn of the event loop.
  const startMs = performance.now()
  while (done < groups.length && performance.now() - startMs < 30_000) thread.poll()
  assert.equal(done, groups.length)
  groups.forEach(checkDecoded)
  await thread.close()
})

testWithAddon(
  'who waits for the event loop is told as well, once, and there is room for so many groups',
  {},
  async () => {
    const hash = await loadHash()
    const thread = new NativeDecodeThread(addon())
    const groups: Group[] = []
    let done = 0
    for (let room = thread.room(1000); room !== undefined; room = thread.room(1000)) {
      const group = groupOf(hash, groups.length + 10)
      groups.push(group)
      thread.begin(group.stored, group.memory, group.tasks, () => done++)
    }
    assert.ok(groups.length > 1 && groups.length < 10, String(groups.length))
    while (done < groups.length) await new Promise((resume) => setTimeout(resume, 1))
    thread.poll()
    assert.equal(done, groups.length)
    groups.forEach(checkDecoded)
    assert.ok(thread.room(1000) !== undefined)
    assert.equal(thread.room(2 ** 20), undefined)
    await thread.close()
  },
)

testWithAddon('closing waits for what has begun, and there is no room afterwards', {}, async () => {
  const hash = await loadHash()
  const thread = new NativeDecodeThread(addon())
  const group = groupOf(hash, 20)
  let done = false
  assert.ok(thread.room(1000) !== undefined)
  thread.begin(group.stored, group.memory, group.tasks, () => (done = true))
  await Promise.all([thread.close(), thread.close()])
  assert.ok(done)
  checkDecoded(group)
  assert.equal(thread.room(1000), undefined)
  thread.poll()
})

testWithAddon('blocks outside of their memory are refused', {}, async () => {
  const native = addon()
  const queue = native.openQueue(0, new Int32Array(2), () => undefined)
  assert.ok(typeof queue !== 'number')
  const bytes = new Uint8Array(100)
  for (const [from, length, to, blockLength] of [
    [90, 11, 0, 10],
    [0, 10, 91, 10],
    [0xffff_ffff, 0xffff_ffff, 0, 10],
    [0, 10, 0xffff_ffff, 0xffff_ffff],
  ] as const) {
    const tasks = new DecodeTasks(2)
    tasks.place(1, from, length, to, blockLength)
    assert.throws(() => native.pushDecode(queue, 1, [bytes, bytes, tasks.bytes]), /outside of its memory/)
  }
  const short: unknown = [bytes]
  const no: unknown = bytes
  assert.throws(() => native.pushDecode(queue, 1, short as [Uint8Array, Uint8Array, Uint8Array]), TypeError)
  assert.throws(() => native.pushDecode(no as typeof queue, 1, [bytes, bytes, bytes]), TypeError)
  assert.throws(() => native.takeDone(no as typeof queue), TypeError)
  native.closeQueue(queue)
  assert.throws(() => native.pushDecode(queue, 1, [bytes, bytes, new Uint8Array(0)]), /closed/)
  assert.equal(native.takeDone(queue), 0)
})
