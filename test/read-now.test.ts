/** Reads of what the system has in memory, where it can tell: at once, without waiting for anything. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../src/kernel/errors.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const KEYS = 300
const key = (number: number): Buffer => Buffer.from(`key ${String(number).padStart(4, '0')}`)
const value = (number: number): Buffer => Buffer.from(`value ${number} ${'.'.repeat(40)}`)

/** A shard of many small tables whose blocks are never in the cache, and whose device has in memory what `atHand` says. */
async function filled(atHand: (position: number) => boolean): Promise<Simulation> {
  const settings = { ...TINY_SETTINGS, openFilesMax: 1000, cacheBytes: 0 }
  const simulation = await Simulation.start(1, settings, { atHand: (_path, position) => atHand(position) })
  for (let number = 0; number < KEYS; number++) await simulation.db.put(key(number), value(number))
  await simulation.db.flush()
  // Opens every table and reads its meta, which a read that does not wait leaves alone.
  for (let number = 0; number < KEYS; number++) await simulation.db.get(key(number))
  return simulation
}

/** How many values a synchronous read finds that may not wait. All of them are right. */
function foundNow(simulation: Simulation): number {
  let count = 0
  for (let number = 0; number < KEYS; number++) {
    try {
      assert.deepEqual(Buffer.from(simulation.db.getSync(key(number), { mayBlock: false }) ?? []), value(number))
      count++
    } catch (error) {
      assert.ok(isCode(error, 'WOULD_BLOCK'), String(error))
    }
  }
  return count
}

test('getSync that may not wait finds what is in memory, and says of the rest that it would block', async () => {
  for (const [atHand, least, most] of [
    [() => true, KEYS, KEYS],
    [() => false, 0, 0],
    [(position: number) => position % 2 === 0, 1, KEYS - 1],
  ] as const) {
    const simulation = await filled(atHand)
    const count = foundNow(simulation)
    assert.ok(count >= least && count <= most, `${count} of ${KEYS}`)
    await simulation.stop()
  }
})

test('get takes no round trip for what is in memory, and waits for what is not', async () => {
  const there = { now: true }
  const simulation = await filled(() => there.now)
  for (const now of [true, false]) {
    there.now = now
    let resolved = false
    const reading = simulation.db.get(key(7)).then((found) => {
      resolved = true
      return found
    })
    await Promise.resolve()
    assert.equal(resolved, now, 'within a microtask')
    assert.deepEqual(Buffer.from((await reading) ?? []), value(7))
  }
  await simulation.stop()
})

test('a short scan takes no round trip for what is in memory, and waits for what is not', async () => {
  const there = { now: true }
  const simulation = await filled(() => there.now)
  for (const now of [true, false]) {
    there.now = now
    const scan = simulation.db.scan({ gte: key(7), limit: 20 })
    let resolved = false
    const reading = scan.next(5).then((entries) => {
      resolved = true
      return entries
    })
    await Promise.resolve()
    assert.equal(resolved, now, 'within a microtask')
    const entries = await reading
    while (entries.length < 20) entries.push(...(await scan.next(20 - entries.length)))
    assert.deepEqual(
      entries.map((entry) => [String(entry.key), String(entry.value)]),
      Array.from({ length: 20 }, (_, index) => [String(key(7 + index)), String(value(7 + index))]),
    )
    scan.close()
  }
  await simulation.stop()
})
