import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { abortable } from './abortable.ts'

test('any number of waiters under one signal make one listener, which goes with the last of them', async () => {
  const { signal } = new AbortController()
  let finish = (): void => {}
  const slow = new Promise<void>((resolve) => (finish = resolve))
  const waits = Array.from({ length: 50 }, () => abortable(slow, signal))
  await abortable(Promise.resolve(), signal)
  assert.equal(getEventListeners(signal, 'abort').length, 1)

  finish()
  await Promise.all(waits)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('an abort lets every waiter go, and none that comes later in', async () => {
  const controller = new AbortController()
  const never = new Promise<void>(() => {})
  const waits = Array.from({ length: 12 }, () => abortable(never, controller.signal))
  controller.abort(new Error('enough'))
  for (const wait of await Promise.allSettled(waits)) {
    assert.equal(wait.status === 'rejected' && wait.reason.code, 'ABORTED')
    assert.equal(wait.status === 'rejected' && wait.reason.cause.message, 'enough')
  }
  await assert.rejects(abortable(never, controller.signal), { code: 'ABORTED' })
})

test('a waiter gets what the work settles with, and a signal may be used again', async () => {
  const { signal } = new AbortController()
  assert.equal(await abortable(Promise.resolve(7), signal), 7)
  await assert.rejects(abortable(Promise.reject(new Error('broken')), signal), /broken/)
  assert.equal(await abortable(Promise.resolve(8), signal), 8)
})

test('work that fails after its waiter was turned away ends nothing but itself', async () => {
  let fail = (): void => undefined
  const work = new Promise<void>((_, reject) => (fail = () => reject(new Error('the file is closed'))))
  await assert.rejects(abortable(work, AbortSignal.abort()), { code: 'ABORTED' })
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  fail()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  assert.deepEqual(unhandled, [])
})
