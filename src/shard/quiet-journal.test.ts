import assert from 'node:assert/strict'
import { test } from 'node:test'
import { journalPosition } from '../kernel/ids.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { QuietJournal } from './quiet-journal.ts'

const ASK_MS = 5_000

/** A journal that says what it is told to say, and counts what is asked and done. */
class Told {
  readonly clock = new SimulatedClock()
  end = journalPosition(100)
  replayFrom = 0
  full: boolean | Error = true
  gives: 'well' | Error = 'well'
  asked = 0
  given = 0
  readonly quiet: QuietJournal

  constructor() {
    const crowded = (): Promise<boolean> => {
      this.asked++
      return this.full instanceof Error ? Promise.reject(this.full) : Promise.resolve(this.full)
    }
    const journal = Object.defineProperty({ end: this.end, crowded }, 'end', { get: () => this.end })
    this.quiet = new QuietJournal(journal, this.clock, {
      replayFrom: () => this.replayFrom,
      giveBack: () => {
        this.given++
        if (this.gives instanceof Error) return Promise.reject(this.gives)
        this.replayFrom = this.end
        return Promise.resolve()
      },
    })
  }

  /** What was asked and given back while so many times passed after which it asks. */
  async pass(times: number): Promise<[asked: number, given: number]> {
    const before = [this.asked, this.given] as const
    for (let time = 0; time < times; time++) {
      this.clock.advance(ASK_MS)
      await this.clock.turn()
    }
    return [this.asked - before[0], this.given - before[1]]
  }
}

test('a shard that does not write asks whether there is space, gives back what it has once there is none, and asks no more', async () => {
  const told = new Told()
  told.full = false
  told.quiet.start()
  // The first time it only looks where the journal ends.
  assert.deepEqual(await told.pass(4), [3, 0])
  told.full = true
  assert.deepEqual(await told.pass(3), [1, 1])
  told.end = journalPosition(200)
  assert.deepEqual(await told.pass(3), [1, 1])
  told.quiet.stop()
  told.end = journalPosition(300)
  assert.deepEqual(await told.pass(3), [0, 0])
  assert.equal(told.clock.pending, 0)
})

test('a shard that writes does not ask: it is told', async () => {
  const told = new Told()
  told.quiet.start()
  for (let bytes = 200; bytes < 500; bytes += 100) {
    told.end = journalPosition(bytes)
    assert.deepEqual(await told.pass(1), [0, 0])
  }
  told.quiet.stop()
})

test('what could not be given back, or asked, is tried again, also where files have taken its place by then', async () => {
  const told = new Told()
  told.quiet.start()
  told.full = new Error('nobody knows')
  assert.deepEqual(await told.pass(3), [2, 0])
  told.full = true
  told.gives = new Error('no space')
  assert.deepEqual(await told.pass(2), [2, 2])
  told.replayFrom = told.end
  assert.deepEqual(await told.pass(2), [2, 2])
  told.gives = 'well'
  assert.deepEqual(await told.pass(3), [1, 1])
  told.quiet.stop()
})

test('a journal that nobody can be asked about leaves no timer', () => {
  const clock = new SimulatedClock()
  const journal = { end: journalPosition(0) }
  new QuietJournal(journal, clock, { replayFrom: () => 0, giveBack: () => Promise.resolve() }).start()
  assert.equal(clock.pending, 0)
})
