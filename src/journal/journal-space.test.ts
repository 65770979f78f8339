import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { KIB } from '../kernel/limits.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { JournalSpace } from './journal-space.ts'
import type { JournalReserve } from './journal-space.ts'

const NO_SPACE = new VarveError('NO_SPACE', 'no space left on device')
const BYTES = 64 * KIB

/** Says what it is told to say. */
class ToldReserve implements JournalReserve {
  released = false
  fits: boolean | Error = true
  releases: 'well' | Error = 'well'
  /** Bytes that were asked for, and `release`. */
  readonly asked: (number | 'release')[] = []

  hold(bytes: number): Promise<boolean> {
    this.asked.push(bytes)
    return this.fits instanceof Error ? Promise.reject(this.fits) : Promise.resolve(this.fits)
  }

  release(): Promise<void> {
    this.asked.push('release')
    return this.releases instanceof Error ? Promise.reject(this.releases) : Promise.resolve()
  }
}

function spaceOf(): { readonly space: JournalSpace; readonly reserve: ToldReserve; readonly clock: SimulatedClock } {
  const [reserve, clock] = [new ToldReserve(), new SimulatedClock()]
  return { reserve, clock, space: new JournalSpace({ reserve, bytes: BYTES, clock }) }
}

async function turns(clock: SimulatedClock): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await clock.turn()
}

test('a reserve that an earlier process gave back, and that cannot be set aside again, is a full disk', async () => {
  for (const fits of [true, false, new Error('no device')]) {
    const { space, reserve } = spaceOf()
    reserve.released = true
    reserve.fits = fits
    await space.start()
    assert.equal(space.full, fits !== true)
    assert.equal(space.refusal?.code, fits === true ? undefined : 'NO_SPACE')
    space.close()
  }
  const { space, reserve } = spaceOf()
  await space.start()
  assert.deepEqual([space.full, reserve.asked], [false, []])
})

test('the first NO_SPACE gives the reserve back, others wait for that, and nothing else does', async () => {
  const { space, reserve } = spaceOf()
  await space.met(new VarveError('IO_FAILED', 'broken'))
  assert.deepEqual([space.full, reserve.asked], [false, []])
  await Promise.all([space.met(NO_SPACE), space.met(NO_SPACE)])
  await space.met(NO_SPACE)
  assert.deepEqual([space.full, reserve.asked], [true, ['release']])
  space.close()
})

test('what gives space back is done again in the space of the reserve, once', async () => {
  const { space, reserve } = spaceOf()
  let count = 0
  const failsTwice = (): Promise<number> => (++count <= 2 ? Promise.reject(NO_SPACE) : Promise.resolve(count))
  await assert.rejects(space.attempt(failsTwice), { code: 'NO_SPACE' })
  assert.deepEqual([count, reserve.asked], [2, ['release']])
  assert.equal(await space.attempt(failsTwice), 3)
  await assert.rejects(
    space.attempt(() => Promise.reject(new VarveError('FENCED', 'another'))),
    { code: 'FENCED' },
  )
  space.close()
})

test('where the reserve cannot be given back, what gives space back has what there is', async () => {
  const { space, reserve } = spaceOf()
  reserve.releases = new Error('no device')
  let count = 0
  assert.equal(await space.attempt(() => (++count === 1 ? Promise.reject(NO_SPACE) : Promise.resolve('done'))), 'done')
  assert.equal(space.full, true)
  space.close()
})

test('batches are taken again as soon as the reserve can be held: that is looked at twice a second, and when asked', async () => {
  const { space, reserve, clock } = spaceOf()
  await space.met(NO_SPACE)
  reserve.fits = false
  clock.advance(500)
  await turns(clock)
  assert.deepEqual([space.full, reserve.asked], [true, ['release', BYTES]])
  space.check()
  space.check()
  await turns(clock)
  assert.deepEqual(reserve.asked, ['release', BYTES, BYTES])
  reserve.fits = true
  clock.advance(500)
  await turns(clock)
  assert.deepEqual([space.full, space.refusal, clock.pending], [false, undefined, 0])
  await space.met(NO_SPACE)
  assert.deepEqual(reserve.asked.slice(3), [BYTES, 'release'])
  space.close()
  assert.equal(clock.pending, 0)
})

test('a disk that fills up again while it is looked at stays full', async () => {
  const { space, reserve, clock } = spaceOf()
  await space.met(NO_SPACE)
  space.check()
  // Held by now, and not yet said.
  await new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(resolve))))
  await space.met(NO_SPACE)
  await turns(clock)
  assert.deepEqual([space.full, reserve.asked], [true, ['release', BYTES, 'release']])
  space.close()
})

test('the reserve is seen to as the journals grow, and not any more once they are closed', async () => {
  const { space, reserve, clock } = spaceOf()
  space.appended(BYTES / 2 - 1)
  assert.deepEqual(reserve.asked, [])
  space.appended(1)
  space.appended(BYTES)
  assert.deepEqual(reserve.asked, [BYTES])
  await turns(clock)
  space.appended(BYTES)
  assert.deepEqual(reserve.asked, [BYTES, BYTES])
  await turns(clock)
  space.close()
  space.appended(BYTES)
  await space.met(NO_SPACE)
  space.check()
  assert.deepEqual([space.full, reserve.asked], [false, [BYTES, BYTES]])
})
