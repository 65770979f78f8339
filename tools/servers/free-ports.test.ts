import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOnFreePorts } from './free-ports.ts'

test('a server that does not start is started anew, three times in all, and then its last reason is told', async () => {
  let starts = 0
  const start = (failures: number): Promise<string> => {
    starts++
    return starts > failures ? Promise.resolve('started') : Promise.reject(new Error(`start ${starts}`))
  }
  assert.equal(await startOnFreePorts(() => start(2)), 'started')
  assert.equal(starts, 3)
  starts = 0
  await assert.rejects(
    startOnFreePorts(() => start(9)),
    /start 3/,
  )
  assert.equal(starts, 3)
})
