import { test } from 'node:test'
import assert from 'node:assert/strict'
import type { Clock } from '../kernel/clock.ts'
import { ProgressReporter } from './progress-reporter.ts'

test('reports at once, then at most once an interval, and always what was said last', () => {
  const timers = new Set<() => void>()
  const clock = {
    after(_delayMs: number, task: () => void) {
      timers.add(task)
      return { cancel: () => timers.delete(task) }
    },
  } as unknown as Clock
  const elapse = (): void => {
    const due = [...timers]
    timers.clear()
    for (const task of due) task()
  }
  const sent: number[] = []
  const reporter = new ProgressReporter(clock, 100, (fraction) => sent.push(fraction))
  for (const fraction of [0.1, 0.2, 0.3]) reporter.onProgress(fraction)
  assert.deepEqual(sent, [0.1])
  elapse()
  assert.deepEqual(sent, [0.1, 0.3])
  elapse()
  assert.deepEqual(sent, [0.1, 0.3], 'nothing new was said')
  reporter.onProgress(0.4)
  reporter.onProgress(0.5)
  reporter.close()
  elapse()
  assert.deepEqual(sent, [0.1, 0.3, 0.4])
})
