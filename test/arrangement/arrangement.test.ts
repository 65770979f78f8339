/** Splitting and merging shards by reference: what is seen, and what is kept. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalFileStore } from '../../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../../src/fs/local-head-store.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { reclaimSuperseded } from '../../src/shard/reclaim.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import type { SimulationSettings } from '../simulation.ts'
import { bytes, contentOf, fill, filled, key, tablesIn, textOf } from './changes.ts'

test('a split writes no table, and each side has its keys and goes its own way', async () => {
  const main = await Simulation.start(1, TINY_SETTINGS)
  await fill(main.db, 'one')
  await main.db.compactRange()
  await fill(main.db, 'two', 50, 150)
  await main.db.deleteRange({ gte: bytes(key(90)), lt: bytes(key(110)) })
  await main.db.flush()
  await main.db.settle()
  const before = tablesIn(main)
  const wanted = await contentOf(main.db)
  await main.db.split(bytes(key(100)), 'left', 'right')
  assert.deepEqual(tablesIn(main), before, 'a table was written')
  for (const refused of [main.db.put(bytes('a'), bytes('b')), main.db.flush(), main.db.split(bytes('x'), 'a', 'b')])
    await assert.rejects(refused, (error) => isCode(error, 'SUPERSEDED'))
  await main.stop().catch(() => undefined)
  const [left, right] = [await main.sibling('left'), await main.sibling('right')]
  assert.deepEqual([...(await contentOf(left.db)), ...(await contentOf(right.db))], wanted)
  assert.equal((await contentOf(left.db)).length, 90)
  for (const side of [left, right]) {
    for (let index = 0; index < 200; index += 7) {
      const there = wanted.some((entry) => entry.startsWith(`${key(index)}=`)) && index < 100 === (side === left)
      assert.equal((await side.db.get(bytes(key(index)))) !== undefined, there, key(index))
    }
    const reversed: string[] = []
    for await (const entry of side.db.scan({ reverse: true }))
      reversed.push(`${textOf(entry.key)}=${textOf(entry.value)}`)
    assert.deepEqual(reversed.reverse(), await contentOf(side.db))
  }
  await fill(left.db, 'left', 20, 30)
  await left.db.compactRange()
  await fill(right.db, 'right', 120, 130)
  await right.db.compactRange()
  const after = [...(await contentOf(left.db)), ...(await contentOf(right.db))]
  assert.equal(after.length, wanted.length)
  assert.ok(after.includes(`${key(25)}=left 25`) && after.includes(`${key(125)}=right 125`))
  await assert.rejects(main.open(), (error) => isCode(error, 'SUPERSEDED'))
  await left.stop()
  await right.stop()
})

test('a merge writes no table, and refuses shards with keys on the wrong side', async () => {
  const main = await Simulation.start(2, TINY_SETTINGS)
  await fill(main.db, 'main')
  await main.db.split(bytes(key(100)), 'left', 'right')
  const [left, right] = [await main.sibling('left'), await main.sibling('right')]
  await fill(right.db, 'right', 150, 160)
  await left.db.deleteRange({})
  await fill(left.db, 'left', 10, 20)
  await right.db.settle()
  await left.db.settle()
  for (const at of [15, 170]) await assert.rejects(left.db.merge(right.db, bytes(key(at)), 'wrong'), RangeError)
  await fill(left.db, 'left', 20, 30)
  const before = (await Promise.all([left.db.flush(), right.db.flush()]), tablesIn(main))
  await left.db.merge(right.db, bytes(key(100)), 'merged')
  assert.ok(
    tablesIn(main).every((name) => before.includes(name)),
    'a table was written',
  )
  const merged = await main.sibling('merged')
  const wanted = [
    ...filled('left', 10, 30),
    ...filled('main', 100, 150),
    ...filled('right', 150, 160),
    ...filled('main', 160),
  ]
  assert.deepEqual(await contentOf(merged.db), wanted)
  await merged.db.compactRange()
  assert.deepEqual(await contentOf(merged.db), wanted)
  await merged.reopen()
  assert.deepEqual(await contentOf(merged.db), wanted)
  for (const gone of ['left', 'right']) await assert.rejects(main.sibling(gone), (error) => isCode(error, 'SUPERSEDED'))
  await merged.stop()
})

// Whoever does not know where a shard was split takes a key between the two. What a shard sees of a table it shares reaches
// to where the split was, and that was taken for keys.
test('shards are merged at any key that is between theirs, wherever the split was', async () => {
  for (const [side, at] of [
    ['left', 110],
    ['right', 90],
  ] as const) {
    const main = await Simulation.start(3, TINY_SETTINGS)
    await fill(main.db, 'main', 0, 90)
    await fill(main.db, 'main', 110, 200)
    await main.db.compactRange()
    await main.db.split(bytes(key(100)), 'left', 'right')
    const [left, right] = [await main.sibling('left'), await main.sibling('right')]
    const wanted = [...(await contentOf(left.db)), ...(await contentOf(right.db))]
    await (side === 'left' ? left : right).db.detach()
    await left.db.merge(right.db, bytes(key(at)), 'merged')
    const merged = await main.sibling('merged')
    assert.deepEqual(await contentOf(merged.db), wanted, `${side}, ${at}`)
    await merged.stop()
  }
})

interface Part {
  readonly simulation: Simulation
  /** Where it begins. */
  readonly start: string
}

test('any number of splits, merges, compactions and crashes show what was written', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = new SeededRandom(seed)
    const settings: SimulationSettings = {
      ...TINY_SETTINGS,
      ...(seed % 2 === 0 ? { policy: 'tiered', keyColumns: true } : {}),
    }
    const main = await Simulation.start(seed, settings)
    const model = new Map<string, string>()
    let parts: Part[] = [{ simulation: main, start: '' }]
    let next = 1
    const sibling = async (name: string): Promise<Simulation> => main.sibling(name)
    for (let steps = 0; steps < 50; steps++) {
      const at = random.below(parts.length)
      const { simulation, start } = parts[at] as Part
      const limit = parts[at + 1]?.start
      const isHere = (one: string): boolean => one >= start && (limit === undefined || one < limit)
      const { db } = simulation
      const what = random.below(16)
      if (what < 6) {
        for (let left = 8; left > 0; left--) {
          const [one, value] = [key(random.below(200)), `${random.u32()}`.repeat(3)]
          if (!isHere(one)) continue
          model.set(one, value)
          await db.put(bytes(one), bytes(value))
        }
      } else if (what === 6) {
        // Without bounds: what is on other sides must not notice.
        if (random.once(3)) {
          for (const one of model.keys()) if (isHere(one)) model.delete(one)
          await db.deleteRange({})
        } else {
          const [gte, lt] = [key(random.below(200)), key(random.below(200))]
          for (const one of model.keys()) if (isHere(one) && one >= gte && one < lt) model.delete(one)
          await db.deleteRange({ gte: bytes(gte), lt: bytes(lt) })
        }
      } else if (what === 7) await db.compactRange()
      else if (what === 8) await db.settle()
      else if (what === 9) await db.detach()
      else if (what === 10) await simulation.reopen()
      else if (what <= 12 && parts.length < 5) {
        const cut = key(random.below(200))
        if (!isHere(cut) || cut === start) continue
        const names = [`s${next++}`, `s${next++}`] as const
        await db.split(bytes(cut), ...names)
        await simulation.stop().catch(() => undefined)
        const [left, right] = [await sibling(names[0]), await sibling(names[1])]
        parts = parts.toSpliced(at, 1, { simulation: left, start }, { simulation: right, start: cut })
      } else if (parts[at + 1] !== undefined) {
        const other = parts[at + 1] as Part
        const name = `s${next++}`
        await db.merge(other.simulation.db, bytes(other.start), name)
        await simulation.stop().catch(() => undefined)
        await other.simulation.stop().catch(() => undefined)
        parts = parts.toSpliced(at, 2, { simulation: await sibling(name), start })
      }
      if (!random.once(3)) continue
      const found: string[] = []
      for (const part of parts) found.push(...(await contentOf(part.simulation.db)))
      assert.deepEqual(found, [...model].map(([one, value]) => `${one}=${value}`).sort(), `seed ${seed}, step ${steps}`)
      const one = key(random.below(200))
      const holder = parts.findLast((part) => part.start <= one) as Part
      const value = await holder.simulation.db.get(bytes(one))
      assert.equal(
        value === undefined ? undefined : textOf(value),
        model.get(one),
        `seed ${seed}, step ${steps}, ${one}`,
      )
    }
    for (const { simulation } of parts) await simulation.stop()
  }
})

test('what a shard that was split has left goes when its successors have rewritten what they share', async () => {
  const main = await Simulation.start(6, TINY_SETTINGS)
  const { device, random } = main
  const hash = await loadHash()
  const place = {
    files: await LocalFileStore.open({ device, directory: 'files', hash }),
    heads: await LocalHeadStore.open({ device, directory: 'heads', hash, random }),
  }
  const reclaim = (): ReturnType<typeof reclaimSuperseded> => reclaimSuperseded(place, hash, shardId('main'))
  await fill(main.db, 'value')
  await assert.rejects(reclaim(), (error) => isCode(error, 'BUSY'))
  await main.db.split(bytes(key(100)), 'left', 'right')
  await main.stop().catch(() => undefined)
  const [left, right] = [await main.sibling('left'), await main.sibling('right')]
  const ofMain = (): readonly string[] => tablesIn(main).filter((name) => name.includes('/main.'))
  const before = ofMain().length
  assert.equal((await reclaim()).kept, before)
  await left.db.detach()
  await left.reopen()
  const { kept } = await reclaim()
  assert.ok(kept > 0 && kept < before, `${kept} of ${before}`)
  assert.equal(ofMain().length, kept)
  await right.db.detach()
  await right.reopen()
  assert.equal((await reclaim()).kept, 0)
  assert.deepEqual(ofMain(), [])
  assert.deepEqual([...(await contentOf(left.db)), ...(await contentOf(right.db))], filled('value'))
  await assert.rejects(main.open(), (error) => isCode(error, 'SUPERSEDED'))
  await left.stop()
  await right.stop()
})
