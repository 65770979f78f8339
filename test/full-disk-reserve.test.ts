/** A full disk with a reserve: what stores is refused, what frees space goes on, and then so does everything. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KIB } from '../src/kernel/limits.ts'
import { isCode } from '../src/kernel/errors.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const CAPACITY_BYTES = 1024 * KIB
// An eighth of the disk, and four memtables.
const RESERVE_BYTES = 128 * KIB
const VALUE = 'value '.repeat(200)
const SETTINGS = {
  ...TINY_SETTINGS,
  memtableBytes: 32 * KIB,
  tableBytes: 32 * KIB,
  blockBytes: 1 * KIB,
  levelBytesBase: 128 * KIB,
  compression: 'none',
} as const

function keyOf(index: number): Uint8Array {
  return Buffer.from(`key-${String(index).padStart(6, '0')}`)
}

/** Asks again and again, as time goes by. */
async function until(simulation: Simulation, done: () => boolean | Promise<boolean>): Promise<void> {
  const start = simulation.clock.monotonic()
  while (simulation.clock.monotonic() - start < 3_000_000) {
    if (await done()) return
    await simulation.clock.turn()
  }
  assert.fail(`not within ten minutes: ${JSON.stringify(simulation.db.statistics())}`)
}

/** Time passes while tests wait. */
function ticking(name: string, body: (passing: (simulation: Simulation) => Simulation) => Promise<void>): void {
  test(name, async () => {
    const simulations: Simulation[] = []
    const timer = setInterval(() => {
      for (const { clock } of simulations) clock.advance(50)
    }, 1)
    try {
      await body((simulation) => {
        simulations.push(simulation)
        return simulation
      })
    } finally {
      clearInterval(timer)
    }
  })
}

class FullDisk {
  readonly simulation: Simulation
  readonly model = new Map<number, string>()
  #next = 0

  constructor(simulation: Simulation) {
    this.simulation = simulation
  }

  static async start(seed: number, passing: (simulation: Simulation) => Simulation): Promise<FullDisk> {
    const simulation = passing(new Simulation(seed, SETTINGS, { capacityBytes: CAPACITY_BYTES }))
    simulation.reserveBytes = RESERVE_BYTES
    await simulation.open()
    return new FullDisk(simulation)
  }

  get db(): Simulation['db'] {
    return this.simulation.db
  }

  /** Puts until the disk is full. */
  async fill(): Promise<void> {
    for (;;) {
      const index = this.#next++
      const put = this.db.put(keyOf(index), Buffer.from(VALUE))
      const error = await put.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (error === undefined) {
        this.model.set(index, VALUE)
      } else {
        assert.ok(isCode(error, 'NO_SPACE'), (error as Error).message)
        return
      }
      if (index % 50 === 0) await this.simulation.clock.turn()
    }
  }

  async puts(): Promise<boolean> {
    const index = this.#next++
    try {
      await this.db.put(keyOf(index), Buffer.from(VALUE))
      this.model.set(index, VALUE)
      return true
    } catch (error) {
      assert.ok(isCode(error, 'NO_SPACE'), (error as Error).message)
      return false
    }
  }

  async check(): Promise<void> {
    const found: number[] = []
    for await (const { key, value } of this.db.scan()) {
      found.push(Number(Buffer.from(key).toString().slice(4)))
      assert.equal(Buffer.from(value).toString(), this.model.get(found.at(-1) ?? -1))
    }
    assert.deepEqual(
      found,
      [...this.model.keys()].sort((a, b) => a - b),
    )
  }
}

ticking(
  'with a reserve, deletions clear a full disk, and writes resume by themselves, again and again',
  async (passing) => {
    const disk = await FullDisk.start(1, passing)
    for (let round = 0; round < 8; round++) {
      await disk.fill()
      assert.ok(disk.model.size > 50, `round ${round}: only ${disk.model.size} fitted`)
      await disk.check()
      // Some one by one, the rest at once.
      const doomed = [...disk.model.keys()].slice(0, Math.floor(disk.model.size * 0.8))
      for (const index of doomed.slice(0, 20)) await disk.db.delete(keyOf(index))
      await disk.db.deleteRange({ gte: keyOf(doomed[0] ?? 0), lte: keyOf(doomed.at(-1) ?? 0) })
      for (const index of doomed) disk.model.delete(index)
      await disk.check()
      await until(disk.simulation, () => disk.puts())
      assert.equal(disk.db.statistics().outOfSpace, false)
      assert.equal(disk.db.statistics().reserveBytes, RESERVE_BYTES)
      await disk.check()
      if (round % 4 !== 3) continue
      await disk.db.sync()
      await disk.simulation.powerCut()
    }
    await disk.simulation.stop()
  },
)

ticking(
  'while the disk is full, reads go on and writes that store are refused at once, batches with a put included',
  async (passing) => {
    const disk = await FullDisk.start(2, passing)
    await disk.fill()
    await until(disk.simulation, () => disk.db.statistics().outOfSpace)
    const full = (error: unknown): boolean => isCode(error, 'NO_SPACE') && error.kind === 'retry'
    const writes = disk.simulation.device.operations.filter(({ operation }) => operation === 'write').length
    await assert.rejects(disk.db.put(keyOf(900_000), Buffer.from('x')), full)
    const mixed = disk.db.batch([
      { type: 'delete', key: keyOf(1) },
      { type: 'put', key: keyOf(900_001), value: Buffer.from('x') },
    ])
    await assert.rejects(mixed, full)
    assert.equal(disk.simulation.device.operations.filter(({ operation }) => operation === 'write').length, writes)
    await disk.check()
    await disk.db.batch([
      { type: 'delete', key: keyOf(1) },
      { type: 'deleteRange', gte: keyOf(2), lt: keyOf(10) },
    ])
    for (let index = 1; index < 10; index++) disk.model.delete(index)
    await disk.check()
    await disk.simulation.stop()
  },
)

ticking('a shard on a full disk can be opened again, and cleared', async (passing) => {
  const disk = await FullDisk.start(3, passing)
  await disk.fill()
  // Somebody else takes what is left, but for the space of a few commits and a small flush.
  await until(disk.simulation, () => disk.db.statistics().outOfSpace)
  await disk.db.close()
  const { device } = disk.simulation
  const hog = await device.open('hog', 'create')
  await hog.write([new Uint8Array(CAPACITY_BYTES - device.usedBytes - 96 * KIB)], 0)
  await disk.simulation.open()
  await disk.check()
  assert.equal(await disk.puts(), false, 'still full')
  await disk.db.deleteRange({})
  disk.model.clear()
  await until(disk.simulation, () => disk.puts())
  await disk.check()
  await disk.simulation.stop()
})

ticking('a shard whose reserve is held can be opened though nothing else is left of the disk', async (passing) => {
  const simulation = passing(new Simulation(4, SETTINGS, { capacityBytes: CAPACITY_BYTES }))
  simulation.reserveBytes = RESERVE_BYTES
  await simulation.open()
  await simulation.db.put(keyOf(1), Buffer.from(VALUE))
  await simulation.db.flush()
  await until(simulation, () => simulation.db.statistics().reserveBytes === RESERVE_BYTES)
  await simulation.db.close()
  const { device } = simulation
  const hog = await device.open('hog', 'create')
  await hog.write([new Uint8Array(CAPACITY_BYTES - device.usedBytes)], 0)
  await simulation.open()
  await assert.rejects(simulation.db.put(keyOf(2), Buffer.from('x')), (error) => isCode(error, 'NO_SPACE'))
  await simulation.db.delete(keyOf(1))
  await hog.truncate(0)
  await until(simulation, () => !simulation.db.statistics().outOfSpace)
  await simulation.db.put(keyOf(2), Buffer.from('x'))
  assert.equal(simulation.db.statistics().reserveBytes, RESERVE_BYTES)
  await simulation.stop()
})
