import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { HeldOpen } from './held-open.ts'

const ABSENCE_MS = 1_000

/** Things that sessions hold open, and what was let go. */
class Bench {
  readonly clock = new SimulatedClock()
  readonly released: string[] = []
  readonly held = new HeldOpen<string>(this.clock, ABSENCE_MS, async (value) => void this.released.push(value))

  open(key: string, session: object): Promise<string> {
    return this.held.open(key, session, async () => key)
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.clock.turn()
  }
}

test('what is held open stays while any session is there, and a while longer, and goes then', async () => {
  const bench = new Bench()
  const [one, two] = [{}, {}]
  for (const session of [one, two]) await bench.open('both', session)
  await bench.open('back', one)
  bench.held.leave(one)
  await bench.pass(ABSENCE_MS - 1)
  assert.equal(await bench.held.use('back', two), 'back', 'who comes back finds it')
  await bench.pass(10 * ABSENCE_MS)
  assert.deepEqual(bench.released, [], 'the other session is still there')
  bench.held.leave(two)
  await bench.pass(ABSENCE_MS)
  assert.deepEqual(new Set(bench.released), new Set(['back', 'both']))
  assert.equal(bench.held.use('both', one), undefined)
})

test('a session is counted what it holds, and not what it has given back or could not open', async () => {
  const bench = new Bench()
  const session = {}
  for (let round = 0; round < 3; round++) {
    await bench.open('a', session)
    await bench.open('a', session)
    assert.equal(bench.held.countOf(session), 1)
    assert.equal(await bench.held.take('a'), 'a')
    const failed = bench.held.open('b', session, () => Promise.reject(new Error('it cannot be opened')))
    await assert.rejects(failed, /cannot be opened/)
    assert.equal(bench.held.countOf(session), 0)
    assert.equal(bench.held.use('b', session), undefined, 'the next one tries anew')
  }
})

test('when all is closed nothing stays open, also what is opened only then', async () => {
  const bench = new Bench()
  await bench.open('early', {})
  await bench.held.close()
  await bench.open('late', {})
  await bench.clock.turn()
  assert.deepEqual(bench.released, ['early', 'late'])
})
