/** What jobs have freed goes back to the system. */

import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MIB } from '../../src/kernel/limits.ts'
import { addon, testWithAddon } from './addon-test.ts'

// Small enough for the allocator's own memory, where one that stays keeps what is free below it.
const PART_BYTES = 64 * 1024
const STAYS_ONE_IN = 40

testWithAddon('what was freed between what stays is given back, and what stays is what it was', {}, async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const parts = Array.from({ length: 1600 }, () => Buffer.allocUnsafeSlow(PART_BYTES).fill(1))
  const staying = parts.filter((_, at) => at % STAYS_ONE_IN === 0)
  parts.length = 0
  let freed = 0
  // Buffers are freed by a thread, some time after they were collected.
  for (let attempt = 0; attempt < 50 && freed < 40 * MIB; attempt++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const before = process.memoryUsage.rss()
    addon().giveMemoryBack()
    freed += Math.max(0, before - process.memoryUsage.rss())
  }
  assert.ok(freed >= 40 * MIB, `${Math.round(freed / MIB)} MiB of 97 were given back`)
  assert.ok(staying.every((part) => part[0] === 1 && part[PART_BYTES - 1] === 1))
})
