import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { shardId } from '../kernel/ids.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { failure } from '../testing/simulated-failure.ts'
import { PendingFrame, StagingPool } from './pending-frame.ts'
import { SegmentChain } from './segment-chain.ts'
import { SegmentLog } from './segment-log.ts'
import { resolveLocalJournalSettings } from './settings.ts'

test('after a sync that failed there is no other, of file or directory: it might succeed and mean nothing', async () => {
  const hash = await loadHash()
  let [syncs, fails] = [0, false]
  const device = new SimulatedDevice({
    before: ({ operation, path }) => {
      if (operation !== 'sync' && operation !== 'syncDirectory') return
      syncs++
      if (fails) throw failure('IO_FAILED', operation, path)
    },
  })
  await device.makeDirectory('journal')
  const chain = new SegmentChain(device, hash, 'journal', 4096, { segments: [], end: 0 })
  const settings = resolveLocalJournalSettings({})
  const components = { device, hash, directory: 'journal', shard: shardId('main'), settings }
  const log = new SegmentLog(components, { epoch: 1, attempt: 1 }, chain)
  const write = async (text: string): Promise<void> => {
    const frame = PendingFrame.of(Buffer.from(text), chain.end, new StagingPool())
    await log.prepare(frame)
    await log.write(frame)
  }
  await write('first')
  await log.sync()
  assert.equal(log.syncedUpTo, 5)
  await write('second')
  fails = true
  await assert.rejects(log.sync(), { code: 'IO_FAILED' })
  fails = false
  const before = syncs
  await assert.rejects(log.sync(), { code: 'IO_FAILED' })
  assert.ok(log.syncFailed && syncs === before && log.syncedUpTo === 5)
  await chain.close()
})

test('a segment that nothing needs any more when its turn to be synced comes is left alone', async () => {
  const hash = await loadHash()
  const synced: string[] = []
  let whenSynced = (): void => undefined
  const device = new SimulatedDevice({
    before: ({ operation, path }) => {
      if (operation !== 'sync') return
      synced.push(path)
      whenSynced()
    },
  })
  await device.makeDirectory('journal')
  const chain = new SegmentChain(device, hash, 'journal', 4096, { segments: [], end: 0 })
  const settings = resolveLocalJournalSettings({ segmentBytes: 64 * 1024, preallocateBytes: 0 })
  const components = { device, hash, directory: 'journal', shard: shardId('main'), settings }
  const log = new SegmentLog(components, { epoch: 1, attempt: 1 }, chain)
  for (let count = 0; count < 3; count++) {
    const frame = PendingFrame.of(Buffer.alloc(60_000, count), chain.end, new StagingPool())
    await log.prepare(frame)
    await log.write(frame)
  }
  synced.length = 0
  // While the first of two sealed segments is synced, a flush makes both superfluous.
  whenSynced = () => log.forget(120_000)
  await log.sync()
  assert.equal(synced.length, 2, `${synced.join(', ')}: the first, and the one that takes writes`)
  assert.equal(log.syncedUpTo, 180_000)
  await chain.close()
})
