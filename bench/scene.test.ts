import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheOf, growing, largerThanMemory } from './scene.ts'

const MIB = 1024 * 1024

test('where data are larger than memory, a cache leaves most of it to the process and its files', () => {
  const scene = largerThanMemory(1_000_000)
  assert.equal(scene.memoryBytes, 244 * MIB)
  assert.equal(cacheOf(scene, 256 * MIB), 30.5 * MIB)
  assert.equal(cacheOf(scene, 8 * MIB), 8 * MIB, 'less where less was asked for')
  for (const roomy of growing([1000], 100)) assert.equal(cacheOf(roomy, 256 * MIB), 256 * MIB)
})
