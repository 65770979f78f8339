import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SyncTurns } from './sync-turns.ts'

class Syncs {
  readonly running: { resolve: () => void; reject: (error: Error) => void }[] = []
  started = 0
  readonly turns = new SyncTurns(() => {
    this.started++
    return new Promise((resolve, reject) => this.running.push({ resolve, reject }))
  })
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('one sync runs at a time; all who ask meanwhile share the next', async () => {
  const syncs = new Syncs()
  const done: string[] = []
  const join = (name: string): void => void syncs.turns.join().then(() => done.push(name))
  join('a')
  join('b')
  join('c')
  await turn()
  assert.deepEqual([syncs.started, done.length], [1, 0])
  syncs.running[0]?.resolve()
  await turn()
  assert.deepEqual([syncs.started, done.join()], [2, 'a'])
  join('d')
  await turn()
  assert.equal(syncs.started, 2, 'a sync that has begun does not cover what came after')
  syncs.running[1]?.resolve()
  await turn()
  assert.deepEqual([syncs.started, done.join()], [3, 'a,b,c'])
  syncs.running[2]?.resolve()
  await turn()
  join('e')
  assert.equal(syncs.started, 4, 'where none runs one begins at once')
  syncs.running[3]?.resolve()
  await turn()
  assert.equal(done.join(), 'a,b,c,d,e')
})

test('never do two run, whoever asks when', async () => {
  let [running, most, finished] = [0, 0, 0]
  const turns = new SyncTurns(async () => {
    most = Math.max(most, ++running)
    await turn()
    running--
  })
  const ask = async (times: number): Promise<void> => {
    for (let left = times; left > 0; left--) {
      await turns.join()
      finished++
    }
  }
  await Promise.all([ask(20), ask(20), ask(20), turn().then(() => ask(20))])
  assert.deepEqual([most, finished], [1, 80])
})

test('a failure is everybody’s who waits, and everybody’s who comes', async () => {
  const syncs = new Syncs()
  const joined = [syncs.turns.join(), syncs.turns.join(), syncs.turns.join()]
  syncs.running[0]?.reject(new Error('gone'))
  for (const outcome of await Promise.allSettled(joined)) assert.equal(outcome.status, 'rejected')
  await assert.rejects(syncs.turns.join(), /gone/)
  assert.equal(syncs.started, 1)
})

test('a sync that failed alone is not tried again for who comes later', async () => {
  const syncs = new Syncs()
  const alone = syncs.turns.join()
  syncs.running[0]?.reject(new Error('gone'))
  await assert.rejects(alone, /gone/)
  await turn()
  await assert.rejects(syncs.turns.join(), /gone/)
  assert.equal(syncs.started, 1)
})
