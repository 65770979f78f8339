import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

// Found by kv-model.test.ts: it was reported as damage.
test('a power cut that loses the first, unsynced journal segment but not the next leaves a prefix, not damage', async () => {
  const counts: number[] = []
  for (let seed = 0; seed < 60; seed++) {
    const simulation = await Simulation.start(seed, { ...TINY_SETTINGS, memtableBytes: 1_048_576 })
    // Three segments of 8 KiB, none of them synced.
    for (let index = 0; index < 40; index++)
      await simulation.db.put(Uint8Array.of(index), new Uint8Array(500).fill(index))
    await simulation.powerCut()
    let count = 0
    for await (const { key, value } of simulation.db.scan()) {
      assert.deepEqual([...key], [count], `seed ${seed}: a hole before ${count}`)
      assert.equal(value[499], count)
      count++
    }
    counts.push(count)
    await simulation.db.put(Uint8Array.of(255), new Uint8Array(1), { durability: 'synced' })
    await simulation.powerCut()
    assert.ok(await simulation.db.has(Uint8Array.of(255)))
    await simulation.stop()
  }
  assert.ok(counts.includes(0) && counts.some((count) => count > 0), `always the same was left: ${counts.join(' ')}`)
})
