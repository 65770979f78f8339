import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../kernel/errors.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { fileName } from '../kernel/ids.ts'
import { Compactor } from './compactor.ts'
import type { CompactionHost } from './compactor.ts'
import { Deferred } from './deferred.ts'
import type { Change, Drop } from './shard.ts'

test('whoever waits for other changes when the shard is replaced is told of that, not of a close', async () => {
  const commit = new Deferred<void>()
  const drop = dropOf('one')
  const host = hostOf(
    () => [drop],
    () => commit.promise,
  )
  const compactor = new Compactor(host, new SimulatedClock(), 1, 1000)
  compactor.kick()
  const waits = compactor.apply(({ changes }) => (changes.length > 0 ? 'blocked' : drop))
  commit.reject(new VarveError('FENCED', 'another process has opened the shard'))
  const fenced = (error: unknown): boolean => isCode(error, 'FENCED')
  await assert.rejects(waits, fenced)
  await assert.rejects(compactor.settle(), fenced)
})

test('settle waits for the attempt that is under way, and does not tell of the one before', async () => {
  const [clock, attempts] = [new SimulatedClock(), [new Deferred<void>(), new Deferred<void>()] as const]
  let [begun, left] = [0, 1]
  const compactor = new Compactor(
    hostOf(
      () => (left > 0 ? [dropOf('one')] : []),
      async () => {
        await attempts[begun++]?.promise
        left--
      },
    ),
    clock,
    1,
    1000,
  )
  const first = compactor.settle()
  attempts[0].reject(new Error('once'))
  await assert.rejects(first, /once/)
  await assert.rejects(compactor.settle(), /once/, 'nothing is tried at present')
  clock.advance(1000)
  await clock.turn()
  assert.equal(begun, 2)
  const second = compactor.settle()
  attempts[1].resolve()
  await second
})

test('settle does not resolve where one change has succeeded and another one is to be tried again', async () => {
  const [clock, end] = [new SimulatedClock(), new Deferred<void>()]
  const [good, bad] = [dropOf('good'), dropOf('bad')]
  const left = new Set<Change>([bad, good])
  const commitChange = async (change: Change): Promise<void> => {
    if (change === bad) throw new Error('the bad one')
    await end.promise
    left.delete(change)
  }
  const compactor = new Compactor(
    hostOf(() => [...left], commitChange),
    clock,
    2,
    1000,
  )
  const settled = compactor.settle()
  await clock.turn()
  end.resolve()
  await assert.rejects(settled, /the bad one/)
  await assert.rejects(compactor.settle(), /the bad one/)
})

// It resolved, as if there were nothing left to do.
test('settle that waits when the shard is closed is CLOSED', async () => {
  const [clock, end] = [new SimulatedClock(), new Deferred<void>()]
  const left = hostOf(
    () => [dropOf('one'), dropOf('two')],
    () => end.promise,
  )
  const compactor = new Compactor(left, clock, 1, 1000)
  const settled = compactor.settle()
  const stopped = compactor.stop()
  end.resolve()
  await assert.rejects(settled, (error) => isCode(error, 'CLOSED'))
  await stopped
})

test('when a change that was asked for fails, what the policy wants of the same files is done', async () => {
  const clock = new SimulatedClock()
  const wanted = dropOf('one')
  let [commits, left] = [0, 1]
  const compactor = new Compactor(
    hostOf(
      () => (left > 0 ? [wanted] : []),
      async () => {
        if (commits++ === 0) throw new Error('the disk is full for a moment')
        await clock.turn()
        left--
      },
    ),
    clock,
    1,
    1000,
  )
  await assert.rejects(
    compactor.apply(() => wanted),
    /for a moment/,
  )
  await clock.turn()
  await clock.turn()
  assert.deepEqual([commits, left], [2, 0])
})

function hostOf(choose: () => readonly Change[], commitChange: (change: Change) => Promise<void>): CompactionHost {
  const nothing = (): void => undefined
  return { choose, commitChange, rewriteFiles: () => Promise.resolve([]), stalled: nothing, failed: nothing }
}

function dropOf(name: string): Drop {
  return { type: 'drop', files: [fileName(name)] }
}
