import assert from 'node:assert/strict'
import { once } from 'node:events'
import { platform } from 'node:process'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

// On a thread of its own: whoever stands back cannot be called forward again, but by the system's administrator.
const PROGRAM = `
import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { standBack } from '${new URL('./thread-nice.js', import.meta.url).href}'
const seen = []
for (const nice of [0, 7, 3]) {
  standBack(nice)
  seen.push(getPriority(0))
}
parentPort.postMessage(seen)
`

test('a thread stands back as far as it is told, and never comes forward', async (context) => {
  if (platform !== 'linux') return context.skip('priorities are of processes here')
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(PROGRAM)}`))
  const [seen] = (await once(worker, 'message')) as [number[]]
  const [before = 0] = seen
  assert.deepEqual(seen, [before, Math.max(before, 7), Math.max(before, 7)])
})
