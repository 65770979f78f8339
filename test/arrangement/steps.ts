/** Every step of a split and of a merge, as the place where something happens: a crash, a failure, another opener. */

import assert from 'node:assert/strict'
import { isCode } from '../../src/kernel/errors.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import { bytes, checkArrangement, contentOf, fill, filled, key, opened, ticking } from './changes.ts'
import type { Change } from './changes.ts'

/** The process dies, or the machine, at every `stride`th step. */
export async function crashAtSteps(change: Change, stride: number): Promise<void> {
  const seen = { before: 0, after: 0 }
  for (let step = 1; ; step += stride) {
    const main = await Simulation.start(3, TINY_SETTINGS)
    const parents = await change.prepare(main)
    let count = 0
    main.beforeOperation = () => {
      if (++count >= step) throw new Error('the process is gone')
    }
    for (const parent of parents) parent.beforeOperation = main.beforeOperation
    const ended = await change.run(parents).then(
      () => true,
      () => false,
    )
    delete main.beforeOperation
    for (const parent of parents) delete parent.beforeOperation
    const device =
      ((step - 1) / stride) % 2 === 0
        ? main.device.kill({})
        : main.device.crash({ data: 'none', names: 'none' }, step, {})
    const next = new Simulation(1, TINY_SETTINGS)
    next.device = device
    const outcome = await checkArrangement(next, change, `crash at step ${step}`)
    seen[outcome]++
    if (ended) {
      assert.equal(outcome, 'after')
      if (count < step) break
    }
  }
  assert.ok(seen.before > 0 && seen.after > 0, JSON.stringify(seen))
}

/** Every `stride`th step fails, once. */
export async function failAtSteps(change: Change, stride: number): Promise<void> {
  for (let step = 1; ; step += stride) {
    const main = await Simulation.start(4, TINY_SETTINGS)
    const parents = await change.prepare(main)
    let count = 0
    main.beforeOperation = () => {
      if (++count === step) throw new Error('it failed this once')
    }
    for (const parent of parents) parent.beforeOperation = main.beforeOperation
    const error: unknown = await ticking(
      parents,
      change.run(parents).then(
        () => undefined,
        (reason: unknown) => reason ?? new Error('nothing'),
      ),
    )
    delete main.beforeOperation
    for (const parent of parents) delete parent.beforeOperation
    const goOn = error !== undefined && !isCode(error, 'OUTCOME_UNKNOWN')
    for (const { db } of parents) {
      const index = db === parents[0]?.db ? 1 : 50
      const write = db.put(bytes(key(index)), bytes(`value ${index}`))
      await ticking(parents, goOn ? write : write.catch(() => undefined))
    }
    for (const parent of parents) await parent.stop().catch(() => undefined)
    const outcome = await checkArrangement(main, change, `failure at step ${step}`)
    if (goOn) assert.equal(outcome, 'before', `step ${step}`)
    if (error === undefined) assert.equal(outcome, 'after')
    if (count < step) break
  }
}

/** Another process opens the shard at every `stride`th step of a split. */
export async function openAtSteps(stride: number): Promise<void> {
  const seen = { split: 0, opener: 0 }
  for (let step = 1; ; step += stride) {
    const main = await Simulation.start(5, TINY_SETTINGS)
    await fill(main.db, 'value', 0, 40)
    let count = 0
    let opening: Promise<readonly Simulation[] | undefined> | undefined
    main.beforeOperation = () => {
      if (++count === step) opening = opened(main, ['main'])
    }
    const splitting = main.db.split(bytes(key(20)), 'left', 'right').then(
      () => true,
      () => false,
    )
    const late = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => main.db.put(bytes(key(40 + index)), bytes('late'))),
    )
    const split = await splitting
    delete main.beforeOperation
    const other = await opening
    await main.stop().catch(() => undefined)
    if (opening === undefined) break
    assert.ok(!(split && other !== undefined), `step ${step}: both`)
    const there = other ?? (await opened(main, ['left', 'right'])) ?? (await opened(main, ['main']))
    assert.ok(there !== undefined, `step ${step}: nothing can be opened`)
    seen[other === undefined ? 'split' : 'opener']++
    const found: string[] = []
    for (const { db } of there) found.push(...(await contentOf(db)))
    const acknowledged = late.flatMap(({ status }, index) =>
      status === 'fulfilled' ? [`${key(40 + index)}=late`] : [],
    )
    for (const entry of [...filled('value', 0, 40), ...acknowledged])
      assert.ok(found.includes(entry), `step ${step}: ${entry}`)
    for (const each of there) await each.stop()
  }
  assert.ok(seen.split > 0 && seen.opener > 0, JSON.stringify(seen))
}
