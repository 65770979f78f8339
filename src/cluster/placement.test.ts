/** Placement: even, stable, and little moves. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PLACEMENT_SLACK, placeShards } from './placement.ts'
import type { PlacedNode, PlacedShard } from './placement.ts'

const weight = fc.integer({ min: 1, max: 8 })
const nodes = fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,4}$/), weight }), {
  selector: ({ name }) => name,
  minLength: 1,
  maxLength: 8,
})
const shards = fc.uniqueArray(fc.record({ shard: fc.stringMatching(/^[a-z0-9]{1,4}$/), weight }), {
  selector: ({ shard }) => shard,
  maxLength: 60,
})

function moved(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...after].filter(([shard, node]) => before.get(shard) !== node).map(([shard]) => shard)
}

function loads(placed: ReadonlyMap<string, string>, all: readonly PlacedShard[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const { shard, weight: own = 1 } of all) {
    const node = placed.get(shard) as string
    found.set(node, (found.get(node) ?? 0) + own)
  }
  return found
}

test('every shard is on a node that is there, whatever the order of the input', () => {
  fc.assert(
    fc.property(nodes, shards, (allNodes, allShards) => {
      const placed = placeShards({ nodes: allNodes, shards: allShards })
      assert.deepEqual(new Set(placed.keys()), new Set(allShards.map(({ shard }) => shard)))
      for (const node of placed.values()) assert.ok(allNodes.some(({ name }) => name === node))
      const again = placeShards({ nodes: [...allNodes].reverse(), shards: [...allShards].reverse() })
      assert.deepEqual(again, placed)
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('no node has more than its bound and one shard', () => {
  fc.assert(
    fc.property(nodes, shards, (allNodes, allShards) => {
      const placed = placeShards({ nodes: allNodes, shards: allShards })
      const total = allShards.reduce((sum, each) => sum + each.weight, 0)
      const capacity = allNodes.reduce((sum, each) => sum + each.weight, 0)
      const largest = Math.max(0, ...allShards.map((each) => each.weight))
      for (const [node, load] of loads(placed, allShards)) {
        const own = (allNodes.find(({ name }) => name === node) as { weight: number }).weight
        assert.ok(load <= (PLACEMENT_SLACK * total * own) / capacity + largest, `${node} carries ${load}`)
      }
    }),
    { seed: 2, numRuns: 300 },
  )
})

test('what is placed stays placed', () => {
  fc.assert(
    fc.property(nodes, shards, (allNodes, allShards) => {
      const placed = placeShards({ nodes: allNodes, shards: allShards })
      const again = placeShards({ nodes: allNodes, shards: allShards, current: placed })
      assert.deepEqual(moved(placed, again), [])
    }),
    { seed: 3, numRuns: 300 },
  )
})

test('a node that goes moves only what it had', () => {
  fc.assert(
    fc.property(nodes, shards, fc.nat(), (allNodes, allShards, chosen) => {
      fc.pre(allNodes.length > 1)
      const gone = allNodes[chosen % allNodes.length] as PlacedNode
      const current = placeShards({ nodes: allNodes, shards: allShards })
      const rest = allNodes.filter((node) => node !== gone)
      const after = placeShards({ nodes: rest, shards: allShards, current })
      for (const shard of moved(current, after)) assert.equal(current.get(shard), gone.name)
    }),
    { seed: 4, numRuns: 300 },
  )
})

test('a node that comes takes what others have above their bound, and not more than it should have', () => {
  const allShards = Array.from({ length: 120 }, (_, index) => ({ shard: `s${index}` }))
  const four = ['a', 'b', 'c', 'd'].map((name) => ({ name }))
  const current = placeShards({ nodes: four, shards: allShards, slack: 1 })
  const after = placeShards({ nodes: [...four, { name: 'e' }], shards: allShards, current, slack: 1 })
  // 30 on each of four, 24 on each of five: six from each, and no other moves.
  assert.equal(moved(current, after).length, 24)
  for (const shard of moved(current, after)) assert.equal(after.get(shard), 'e')
  // With some slack less than that moves: each may keep 30.
  const slack = placeShards({ nodes: [...four, { name: 'e' }], shards: allShards, current, slack: 1.25 })
  assert.equal(moved(current, slack).length, 0)
})

test('large shards are placed while there is room for them, whatever they are called', () => {
  const small = Array.from({ length: 8 }, (_, index) => ({ shard: `small-${index}`, weight: 1 }))
  for (const shard of ['a-large-one', 'the-large-one']) {
    const all = [...small, { shard, weight: 8 }]
    const placed = placeShards({ nodes: [{ name: 'n1' }, { name: 'n2' }], shards: all, slack: 1 })
    assert.deepEqual([...loads(placed, all).values()], [8, 8], shard)
  }
})

test('a node of twice the weight gets about twice as much', () => {
  const allShards = Array.from({ length: 3000 }, (_, index) => ({ shard: `s${index}` }))
  const placed = placeShards({ nodes: [{ name: 'a' }, { name: 'b', weight: 2 }], shards: allShards })
  const load = loads(placed, allShards).get('b') as number
  assert.ok(load > 1900 && load < 2100, `it has ${load} of 3000`)
})

test('what cannot be placed is said', () => {
  assert.throws(() => placeShards({ nodes: [], shards: [{ shard: 's' }] }), RangeError)
  assert.throws(() => placeShards({ nodes: [{ name: 'a', weight: 0 }], shards: [{ shard: 's' }] }), RangeError)
  assert.throws(() => placeShards({ nodes: [{ name: 'a' }, { name: 'a' }], shards: [{ shard: 's' }] }), RangeError)
  assert.throws(() => placeShards({ nodes: [{ name: 'a' }], shards: [{ shard: 's' }], slack: 0.5 }), RangeError)
  assert.deepEqual(placeShards({ nodes: [], shards: [] }), new Map())
})

// A node without a name was given shards, under none; a map in the place of `current` was "no function".
test('what is no node, no shard, or no current placement is said', () => {
  const sound: Parameters<typeof placeShards>[0] = { nodes: [{ name: 'a' }], shards: [{ shard: 's' }] }
  const misspelt = (given: object): (() => unknown) => {
    return () => placeShards({ ...sound, ...given })
  }
  assert.throws(misspelt({ nodes: [{ node: 'a' }] }), { name: 'TypeError', message: /a node to place is \{ name/ })
  assert.throws(misspelt({ shards: ['s'] }), { name: 'TypeError', message: /a shard to place is \{ shard/ })
  assert.throws(misspelt({ current: { entries: [] } }), { name: 'TypeError', message: /current must be a Map/ })
})
