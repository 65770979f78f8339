import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { fileName, shardId } from '../kernel/ids.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { FaultyFileStore } from './faulty-stores.ts'
import { MemoryFileStore } from './memory-file-store.ts'
import { MemoryHeadStore } from './memory-head-store.ts'
import { TracedFileStore, TracedHeadStore } from './traced-stores.ts'
import type { TraceEvent } from './traced-stores.ts'

const hash = await loadHash()

test('every call is told with its operation, name, place, bytes and duration, once, when it has ended', async () => {
  const clock = new SimulatedClock()
  const events: TraceEvent[] = []
  // What is below takes a millisecond for every call.
  const slow = new FaultyFileStore(new MemoryFileStore({ hash }), { clock, plan: () => (clock.advance(1), undefined) })
  const store = new TracedFileStore(slow, { clock, sink: (event) => events.push(event) })
  const writer = await store.create(fileName('a'))
  await writer.write(new Uint8Array(5))
  await writer.write(new Uint8Array(7))
  const ref = await writer.finish()
  const reader = await store.open(ref)
  await reader.read(3, 4)
  reader.readSync(0, 12)
  await assert.rejects(reader.read(11, 2), { code: 'FILE_MISSING' })
  await reader.close()
  await store.list('a')
  await store.remove([fileName('a'), fileName('b')])
  await store.close()
  const told = events.map(({ operation, name, offset, bytes, sync, error }) =>
    [operation, name, offset, bytes, sync ? 'sync' : '', error ?? ''].join(' ').trim(),
  )
  assert.deepEqual(told, [
    'create a 0 0',
    'write a 0 5',
    'write a 5 7',
    'finish a 0 12',
    'open a 0 12',
    'read a 3 4',
    'read a 0 12 sync',
    'read a 11 2  FILE_MISSING',
    'closeReader a 0 0',
    'list a 0 0',
    'remove a,b 0 0',
    'close  0 0',
  ])
  for (const [index, { startMs, durationMs }] of events.entries()) {
    assert.equal(durationMs, 1)
    if (index > 0) assert.equal(startMs, (events[index - 1] as TraceEvent).startMs + 1)
  }
})

test('heads are traced likewise, conflicts included', async () => {
  const clock = new SimulatedClock()
  const events: TraceEvent[] = []
  const store = new TracedHeadStore(new MemoryHeadStore(), { clock, sink: (event) => events.push(event) })
  await store.compareAndSet(shardId('s'), undefined, new Uint8Array(3))
  await assert.rejects(store.compareAndSet(shardId('s'), undefined, new Uint8Array(4)), { code: 'HEAD_CONFLICT' })
  await store.read(shardId('s'))
  assert.deepEqual(
    events.map(({ operation, name, bytes, error }) => [operation, name, bytes, error]),
    [
      ['compareAndSet', 's', 3, undefined],
      ['compareAndSet', 's', 4, 'HEAD_CONFLICT'],
      ['readHead', 's', 0, undefined],
    ],
  )
})
