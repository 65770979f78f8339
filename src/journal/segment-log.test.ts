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
