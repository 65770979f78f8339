import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { fileName, journalPosition, shardId } from '../kernel/ids.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { KeepAlive } from './keep-alive.ts'
import { OpeningFlush } from './opening-flush.ts'
import { Progress } from './progress.ts'

const SHARD = shardId('s')
/** Made in epoch 4; those of others may be newer. */
const FILES = [fileName('s.e4-j1-a1-0.row'), fileName('s.e2-j1-a1-0.row'), fileName('other.e900-j1-a1-0.row')]
const WRITTEN = journalPosition(100)

class Owner {
  readonly clock = new SimulatedClock()
  readonly progress = new Progress(new KeepAlive(this.clock))
  frozen = 0
  flushed = journalPosition(0)
  stuck = false
  truncations = 0
  readonly opening = new OpeningFlush({
    clock: this.clock,
    progress: this.progress,
    freeze: () => (this.frozen++, WRITTEN),
    flushedTo: () => this.flushed,
    isStuck: () => this.stuck,
    truncate: () => this.truncate(),
  })
  truncate: () => Promise<void> = async () => void this.truncations++

  /** Whether `work` is over before anything else happens. */
  async ends(work: Promise<void>): Promise<boolean> {
    let over = false
    void work.then(() => (over = true))
    await this.clock.turn()
    return over
  }
}

test('an opening flushes behind itself from the seventeenth since the newest file on, and waits from the thirty-third on', async () => {
  for (const [epoch, frozen, ends] of [
    [20, 0, true],
    [21, 1, true],
    [36, 1, true],
    [37, 1, false],
  ] as const) {
    const owner = new Owner()
    const begun = owner.opening.begin(SHARD, epoch, FILES)
    assert.equal(await owner.ends(begun), ends, `epoch ${epoch}`)
    assert.equal(owner.frozen, frozen, `epoch ${epoch}`)
    owner.flushed = WRITTEN
    owner.progress.wake()
    await begun
  }
})

test('its end is that of the flush, of a flush that cannot go on, or five seconds', async () => {
  for (const ended of ['flushed', 'stuck', 'late'] as const) {
    const owner = new Owner()
    await owner.opening.begin(SHARD, 30, FILES)
    const end = owner.opening.end()
    assert.equal(await owner.ends(end), false)
    owner.clock.advance(4_999)
    assert.equal(await owner.ends(end), false)
    if (ended === 'flushed') owner.flushed = WRITTEN
    if (ended === 'stuck') owner.stuck = true
    if (ended === 'late') owner.clock.advance(1)
    owner.progress.wake()
    await end
    assert.equal(owner.truncations, ended === 'flushed' ? 2 : 1)
  }
})

test('a journal that cannot be truncated is left to the next opening', async () => {
  const owner = new Owner()
  let failures = 0
  owner.truncate = async () => {
    failures++
    throw new VarveError('IO_FAILED', 'no')
  }
  await owner.opening.begin(SHARD, 21, FILES)
  owner.flushed = WRITTEN
  await owner.opening.end()
  assert.equal(failures, 2)
})
