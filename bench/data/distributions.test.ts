/** What the operations of a workload are drawn from. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Permutation } from './permutation.ts'
import { SeededNumbers } from './random.ts'
import { Values, ownerOf, versionOf } from './values.ts'
import { Zipf } from './zipf.ts'

test('a permutation gives every number once, in an order that is not the natural one', () => {
  for (const count of [1, 2, 3, 1000, 4097]) {
    const order = new Permutation(count, 7)
    const numbers = Array.from({ length: count }, (_, index) => order.at(index))
    assert.deepEqual(
      [...numbers].sort((a, b) => a - b),
      Array.from({ length: count }, (_, index) => index),
    )
    if (count >= 1000) assert.ok(numbers.filter((number, index) => number === index).length < count / 100)
  }
})

test('Zipf numbers are as popular as the law says', () => {
  const count = 1000
  const zipf = new Zipf(count, new SeededNumbers(5))
  const drawn = new Float64Array(count)
  const draws = 200_000
  for (let draw = 0; draw < draws; draw++) {
    const number = zipf.next()
    drawn[number] = (drawn[number] as number) + 1
  }
  let zeta = 0
  for (let rank = 1; rank <= count; rank++) zeta += 1 / rank ** 0.99
  for (const rank of [1, 2, 10, 100]) {
    const wanted = 1 / rank ** 0.99 / zeta
    // Gray's method is exact for the first two, and within a quarter for single ranks after them.
    assert.ok(Math.abs((drawn[rank - 1] as number) / draws / wanted - 1) < 0.3, `rank ${rank}`)
  }
})

test('values say whose they are, and their fingerprint is that of the model', () => {
  for (const whole of [true, false]) {
    const values = new Values(100, { whole })
    const value = Buffer.alloc(100)
    values.write(123, 7, value)
    assert.equal(ownerOf(value), 123)
    assert.equal(versionOf(value), 7)
    assert.equal(values.fingerprint(value), values.expected(123, 7))
    assert.notEqual(values.expected(123, 7), values.expected(123, 8))
    assert.notEqual(values.expected(123, 7), values.expected(124, 7))
    assert.notEqual(values.fingerprint(value.subarray(0, 99)), values.expected(123, 7))
  }
})
