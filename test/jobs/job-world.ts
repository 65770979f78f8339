/** A shard in a simulation, of which jobs run several times, too late, or never. */

import assert from 'node:assert/strict'
import type { JobSpec } from '../../src/jobs/jobs.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import { UnreliableScheduler } from './unreliable-scheduler.ts'
import type { JobFate } from './unreliable-scheduler.ts'

const KEYS = 30
const keyOf = (index: number): Uint8Array => Buffer.from(`key ${String(index).padStart(3, '0')}`)

export class JobWorld {
  readonly simulation: Simulation
  scheduler: UnreliableScheduler | undefined
  fateOf: (spec: JobSpec) => JobFate = () => 'three times'
  attempts = 0

  constructor(seed: number, before?: () => void) {
    const settings = { ...TINY_SETTINGS, policy: 'tiered', tierRuns: 16, level0FilesStop: 30 } as const
    this.simulation = new Simulation(seed, settings, { record: false, ...(before === undefined ? {} : { before }) })
    this.simulation.composer = {
      compose: (parts) => {
        const fateOf = (spec: JobSpec): JobFate => {
          this.attempts++
          return this.fateOf(spec)
        }
        this.scheduler = new UnreliableScheduler(parts.jobs, fateOf)
        return { ...parts, jobs: this.scheduler }
      },
    }
  }

  get db(): Simulation['db'] {
    return this.simulation.db
  }

  /** Three runs that overlap. */
  async fill(): Promise<void> {
    for (let run = 0; run < 3; run++) {
      for (let index = run; index < KEYS; index += 1 + run) {
        await this.db.put(keyOf(index), Buffer.from(`${run} of ${index}`.padEnd(60)), { durability: 'synced' })
      }
      await this.db.flush()
    }
  }

  /** Every key once, with its newest value, and in no file twice; nothing else is on the disk after another opening. */
  async check(about: string): Promise<void> {
    for (let left = 0; left < 50; left++) await this.simulation.clock.turn()
    await this.scheduler?.idle()
    await this.db.compactRange()
    const entries = this.db.statistics().levels.reduce((sum, level) => sum + level.entries, 0)
    assert.equal(entries, KEYS, `${about}: entries that went in are those that came out`)
    for (let index = 0; index < KEYS; index++) {
      const run = [2, 1, 0].find((each) => index >= each && (index - each) % (1 + each) === 0)
      assert.equal(
        Buffer.from((await this.db.get(keyOf(index))) ?? [])
          .toString()
          .trim(),
        `${run} of ${index}`,
        about,
      )
    }
    for await (const { damage } of this.db.verify()) assert.equal(damage, undefined, about)
    await this.simulation.reopen()
    for (let left = 0; left < 50; left++) await this.simulation.clock.turn()
    const stored = this.simulation.device.files().filter((path) => path.startsWith('files/') && path.endsWith('.table'))
    assert.equal(stored.length, this.db.statistics().files, `${about}: what no version has is gone`)
    await this.simulation.stop()
  }
}

/**
 * Kills the process at every `stride`th step of a compaction.
 *
 * @returns how many steps that has
 * @throws {AssertionError} a later opening finds something else than all that was written, once
 */
export async function killAtSteps(stride: number): Promise<number> {
  let steps = 0
  for (let dies = 0; ; dies += stride) {
    let [counting, done] = [false, 0]
    const world: JobWorld = new JobWorld(3, () => {
      // From this step on nothing of this process happens any more.
      if (counting && done++ === dies) world.simulation.device.kill()
    })
    await world.simulation.open()
    await world.fill()
    counting = true
    let settled = false
    void world.db.compactRange().finally(() => (settled = true))
    for (let left = 2000; left > 0 && !settled && done <= dies; left--) await world.simulation.clock.turn()
    counting = false
    steps = Math.max(steps, done)
    const ended = done <= dies
    await world.simulation.kill()
    await world.check(`killed at step ${dies}`)
    if (ended) break
  }
  return steps
}
