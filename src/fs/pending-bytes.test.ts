import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PendingBytes } from './pending-bytes.ts'

test('whoever waits goes on when no more than the limit is pending, and not before', async () => {
  const pending = new PendingBytes(100)
  const resumed: string[] = []
  const wait = async (name: string): Promise<void> => {
    await pending.ready()
    resumed.push(name)
  }
  await wait('none pending')
  pending.add(100)
  await wait('at the limit')
  pending.add(50)
  const waiting = [wait('a'), wait('b')]
  pending.remove(49)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(resumed, ['none pending', 'at the limit'], 'one byte over the limit')
  pending.remove(1)
  await Promise.all(waiting)
  assert.deepEqual(resumed.slice(2), ['a', 'b'])
  pending.remove(100)
  assert.equal(pending.bytes, 0)
})
