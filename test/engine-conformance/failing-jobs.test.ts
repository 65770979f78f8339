/** The suite of engines, shown an engine whose jobs never succeed. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testEngine } from '../../src/testing/engine-conformance.ts'
import { kvSuite } from './kv-suite.ts'

test('where a job fails for ever the suite of engines says which, and why, and does not wait for it', async () => {
  const tests = new Map<string, () => Promise<void>>()
  const run = (): Promise<never> => Promise.reject(new TypeError('the author forgot something'))
  const handlers = { 'varve/kv/jobs': { flush: { version: 1, run } } }
  const collect = (name: string, _: unknown, body: () => Promise<void>): void => void tests.set(name, body)
  testEngine({ test: collect, name: 'wrong', ...kvSuite(), handlers })
  const says =
    /waits for job main\.e1-[0-9a-f]{8}-j[0-9]+ \(flush of varve\/kv\/jobs\), which fails: .*the author forgot something/
  for (const promise of [
    'what was written is read from memory, from flushed files and from compacted ones',
    'a job whose answer is lost is done again without harm',
  ]) {
    const body = tests.get(`wrong: ${promise}`)
    assert.ok(body !== undefined)
    await assert.rejects(body(), says)
  }
})
