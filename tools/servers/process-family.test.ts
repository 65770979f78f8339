import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { childrenOf, runs, signalTo, stopFamily, untilGone } from './process-family.ts'

const skip = existsSync('/proc/self/stat') ? false : 'there is no /proc here'
const ROUNDS = 10

// A child that was being made went on: writes were acknowledged for two minutes by a server that stood still.
test('of a process that makes children all the time none runs once it was stopped', { skip }, async () => {
  const parent = spawn('sh', ['-c', 'echo ready; while :; do sleep 0.02 & done'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const { pid } = parent
  assert.ok(pid !== undefined)
  const ended = once(parent, 'exit')
  let children: readonly number[] = []
  try {
    await once(parent.stdout, 'data')
    for (let round = 0; round < ROUNDS; round++) {
      children = await stopFamily(pid)
      await delay(2)
      assert.deepEqual([pid, ...childrenOf(pid)].filter(runs), [])
      for (const each of [...children, pid]) signalTo(each, 'SIGCONT')
      await delay(5)
    }
  } finally {
    children = await stopFamily(pid)
    for (const each of [pid, ...children]) signalTo(each, 'SIGKILL')
    await ended
    await untilGone(children)
  }
  assert.ok(children.length > 0, 'it had no children')
})
