import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../kernel/errors.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { Compactor } from './compactor.ts'
import { Deferred } from './deferred.ts'
import type { Drop } from './shard.ts'

test('whoever waits for other changes when the shard is replaced is told of that, not of a close', async () => {
  const commit = new Deferred<void>()
  const drop: Drop = { type: 'drop', files: [] }
  const host = {
    choose: () => [drop],
    rewriteFiles: () => Promise.resolve([]),
    commitChange: () => commit.promise,
    stalled: () => undefined,
    failed: () => undefined,
  }
  const compactor = new Compactor(host, new SimulatedClock(), 1, 1000)
  compactor.kick()
  const waits = compactor.apply(({ changes }) => (changes.length > 0 ? 'blocked' : drop))
  commit.reject(new VarveError('FENCED', 'another process has opened the shard'))
  const fenced = (error: unknown): boolean => isCode(error, 'FENCED')
  await assert.rejects(waits, fenced)
  await assert.rejects(compactor.settle(), fenced)
})
