import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { KIB, MIB } from '../kernel/limits.ts'
import type { SpaceReserve } from '../fs/fs.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { SpaceGuard } from './space-guard.ts'

const NO_SPACE = new VarveError('NO_SPACE', 'the disk is full')
const JOB_NO_SPACE = new VarveError('JOB_FAILED', 'a flush', { details: { causeCode: 'NO_SPACE' } })

/** Answers when it is told to. */
class AskedReserve implements SpaceReserve {
  heldBytes = 0
  released = false
  /** Bytes that were asked for, and `release`. */
  readonly asked: (number | 'release')[] = []
  readonly #answers: { resolve(value: unknown): void; reject(error: Error): void }[] = []

  hold(bytes: number): Promise<boolean> {
    this.asked.push(bytes)
    return this.#answer()
  }

  release(): Promise<void> {
    this.asked.push('release')
    return this.#answer()
  }

  /** To what has waited longest. */
  async answer(value: boolean | Error | undefined): Promise<void> {
    const waiting = this.#answers.shift()
    assert.ok(waiting !== undefined, 'nothing was asked')
    if (value instanceof Error) waiting.reject(value)
    else waiting.resolve(value)
    await new SimulatedClock().turn()
  }

  #answer<T>(): Promise<T> {
    return new Promise((resolve, reject) =>
      this.#answers.push({ resolve: (value) => resolve(value as T), reject: (error) => reject(error) }),
    )
  }
}

class Guarded {
  readonly clock = new SimulatedClock()
  readonly reserve = new AskedReserve()
  fileBytes = 3 * MIB
  /** What the shard was told, in order. */
  readonly told: string[] = []
  readonly guard: SpaceGuard

  constructor(reserved = true) {
    this.guard = new SpaceGuard(reserved ? this.reserve : undefined, this.clock, {
      fileBytes: () => this.fileBytes,
      refuse: (reason) => this.told.push(reason === undefined ? 'take' : `refuse ${reason.code}`),
      retry: () => this.told.push('retry'),
      renew: () => this.told.push('renew'),
      tick: () => this.told.push('tick'),
    })
  }

  /** The disk is full, and the reserve is given back. */
  async fill(): Promise<void> {
    const met = this.guard.met(NO_SPACE)
    await this.reserve.answer(undefined)
    await met
    this.reserve.asked.length = 0
    this.told.length = 0
  }
}

test('a reserve that an earlier owner gave back, and that cannot be set aside again, is a full disk', async () => {
  for (const answer of [true, false, new Error('no device')]) {
    const { guard, reserve, told } = new Guarded()
    reserve.released = true
    const started = guard.start()
    await reserve.answer(answer)
    await started
    assert.deepEqual([guard.full, told], answer === true ? [false, []] : [true, ['refuse NO_SPACE']])
    guard.stop()
  }
})

test('whatever meets a full disk, itself or in a job, has the reserve given back, once, and what failed tried again', async () => {
  for (const error of [NO_SPACE, JOB_NO_SPACE]) {
    const { guard, reserve, told } = new Guarded()
    const first = guard.met(error)
    assert.deepEqual([guard.full, told], [true, ['refuse NO_SPACE']])
    const met = [first, guard.met(NO_SPACE)]
    await reserve.answer(undefined)
    await Promise.all(met)
    await guard.met(JOB_NO_SPACE)
    assert.deepEqual([reserve.asked, told], [['release'], ['refuse NO_SPACE', 'retry']])
    guard.stop()
  }
})

test('where the reserve cannot be given back, what failed is tried again in what space there is', async () => {
  const { guard, reserve, told } = new Guarded()
  const met = guard.met(NO_SPACE)
  await reserve.answer(new Error('no device'))
  await met
  assert.deepEqual(told, ['refuse NO_SPACE', 'retry'])
  guard.stop()
})

test('other errors, and a full disk without a reserve or after the end, change nothing', async () => {
  const { guard, reserve, told } = new Guarded()
  await guard.met(new VarveError('IO_FAILED', 'broken'))
  await guard.met(new VarveError('JOB_FAILED', 'broken', { details: { causeCode: 'IO_FAILED' } }))
  guard.stop()
  await guard.met(NO_SPACE)
  assert.deepEqual([guard.full, reserve.asked, told], [false, [], []])
  const without = new Guarded(false)
  await without.guard.start()
  without.guard.grow()
  await without.guard.met(NO_SPACE)
  assert.deepEqual([without.guard.full, without.told, without.clock.pending], [false, [], 0])
})

test('without a reserve, it is told once that something has met a full disk', async () => {
  const { guard, told } = new Guarded(false)
  await guard.met(new VarveError('IO_FAILED', 'broken'))
  assert.equal(guard.takeCrowded(), false)
  await guard.met(NO_SPACE)
  assert.deepEqual([guard.takeCrowded(), guard.takeCrowded(), guard.full, told], [true, false, false, []])
  const { guard: reserved, reserve } = new Guarded()
  const met = reserved.met(NO_SPACE)
  await reserve.answer(undefined)
  await met
  assert.equal(reserved.takeCrowded(), false)
  reserved.stop()
})

test('a full disk is looked at every second until the reserve can be held again; then all goes on, and nobody looks', async () => {
  const guarded = new Guarded()
  const { guard, reserve, clock, told } = guarded
  await guarded.fill()
  for (const answer of [false, new Error('no device')]) {
    clock.advance(1000)
    await clock.turn()
    assert.deepEqual(reserve.asked, [4 * MIB])
    await reserve.answer(answer)
    assert.deepEqual([guard.full, told], [true, ['tick']])
    reserve.asked.length = 0
    told.length = 0
  }
  clock.advance(1000)
  await clock.turn()
  await reserve.answer(true)
  assert.deepEqual([guard.full, told, clock.pending], [false, ['tick', 'take', 'renew'], 0])
})

test('a disk that fills up again has the reserve given back again', async () => {
  const guarded = new Guarded()
  const { guard, reserve, clock, told } = guarded
  await guarded.fill()
  guard.check()
  await clock.turn()
  await reserve.answer(true)
  assert.deepEqual(told, ['take', 'renew'])
  await guarded.fill()
  assert.equal(guard.full, true)
  guard.stop()
})

test('nobody asks for the reserve while it is being given back, or while somebody has asked', async () => {
  const { guard, reserve, clock } = new Guarded()
  const met = guard.met(NO_SPACE)
  guard.grow()
  guard.check()
  await clock.turn()
  assert.deepEqual(reserve.asked, ['release'])
  await reserve.answer(undefined)
  await met
  guard.check()
  guard.grow()
  await clock.turn()
  assert.deepEqual(reserve.asked, ['release', 4 * MIB])
  guard.stop()
})

test('as much is set aside as the files have, rounded up to a power of two, a mebibyte at least, and nothing without files', async () => {
  for (const [fileBytes, wanted] of [
    [0, []],
    [1, [1 * MIB]],
    [64 * KIB, [1 * MIB]],
    [1 * MIB, [1 * MIB]],
    [4 * MIB + 1, [8 * MIB]],
    [512 * MIB, [512 * MIB]],
  ] as const) {
    const guarded = new Guarded()
    guarded.fileBytes = fileBytes
    await guarded.guard.start()
    assert.deepEqual(guarded.reserve.asked, wanted)
  }
})

test('the reserve grows with the files, is asked again where that failed, and left alone where it holds enough', async () => {
  const guarded = new Guarded()
  const { guard, reserve } = guarded
  guard.grow()
  guard.grow()
  assert.deepEqual(reserve.asked, [4 * MIB], 'asked twice at once')
  await reserve.answer(false)
  guard.grow()
  await reserve.answer(new Error('no device'))
  guard.grow()
  reserve.heldBytes = 4 * MIB
  await reserve.answer(true)
  guard.grow()
  assert.deepEqual(reserve.asked, [4 * MIB, 4 * MIB, 4 * MIB])
  guarded.fileBytes = 5 * MIB
  guard.grow()
  assert.equal(reserve.asked.at(-1), 8 * MIB)
  await reserve.answer(true)
  guard.stop()
  guard.grow()
  assert.equal(reserve.asked.length, 4)
})

test('after the end nobody looks at the disk, and what is found out by then changes nothing', async () => {
  const guarded = new Guarded()
  const { guard, reserve, clock, told } = guarded
  await guarded.fill()
  guard.check()
  await clock.turn()
  guard.stop()
  await reserve.answer(true)
  clock.advance(10_000)
  assert.deepEqual([told, clock.pending], [[], 0])
  const releasing = new Guarded()
  const met = releasing.guard.met(NO_SPACE)
  releasing.guard.stop()
  await releasing.reserve.answer(undefined)
  await met
  assert.deepEqual(releasing.told, ['refuse NO_SPACE'])
})
