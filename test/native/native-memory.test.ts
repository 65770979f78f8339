/** What jobs have freed goes back to the system. */

import assert from 'node:assert/strict'
import { addon, testWithAddon } from './addon-test.ts'

testWithAddon('freed memory is given back, and once it is, there is none', {}, () => {
  const given = addon().giveMemoryBack()
  assert.ok(given === 0 || given === 1)
  // Whatever else this process frees meanwhile is little.
  const before = process.memoryUsage.rss()
  addon().giveMemoryBack()
  assert.ok(process.memoryUsage.rss() <= before + 16 * 2 ** 20)
  return Promise.resolve()
})
