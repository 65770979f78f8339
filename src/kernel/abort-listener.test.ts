import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { onAbort } from './abort-listener.ts'

test('all who listen hear of it, through one listener, which goes with the last of them', () => {
  const controller = new AbortController()
  const { signal } = controller
  const heard: number[] = []
  const ends = Array.from({ length: 20 }, (_, index) => onAbort(signal, () => void heard.push(index)))
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  for (const end of ends.slice(0, 18)) {
    end()
    end()
  }
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  controller.abort()
  assert.deepEqual(heard, [18, 19])
  for (const end of ends) end()
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
