import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLinearizability } from './linearizability.ts'
import type { RecordedCall } from './linearizability.ts'
import { REGISTERS } from './register-model.ts'
import type { RegisterAnswer, RegisterCall } from './register-model.ts'
import { SeededRandom } from './seeded-random.ts'

type Call = RecordedCall<RegisterCall, RegisterAnswer>

const put = (start: number, end: number, value: string, key = 'k'): Call => ({
  input: { type: 'put', key, value },
  output: end === Infinity ? undefined : null,
  start,
  end,
})
const get = (start: number, end: number, output: string | null, key = 'k'): Call => ({
  input: { type: 'get', key },
  output,
  start,
  end,
})

function holds(...history: readonly Call[]): boolean {
  return checkLinearizability(history, REGISTERS).linearizable
}

test('histories that an order explains are linearizable', () => {
  assert.ok(holds())
  assert.ok(holds(get(0, 1, null)))
  assert.ok(holds(put(0, 1, 'a'), get(2, 3, 'a')))
  // Porcupine's first example: both reads overlap the write.
  assert.ok(holds(put(0, 10, '1'), get(1, 3, null), get(4, 6, '1')))
  assert.ok(holds(put(0, 10, 'a'), put(0, 10, 'b'), get(11, 12, 'a')))
  assert.ok(holds(put(0, 10, 'a'), put(1, 2, 'b'), get(3, 4, 'b'), get(5, 6, 'a')))
  assert.ok(holds(put(0, 1, 'a'), get(1, 2, null)), 'moments that meet overlap')
})

test('histories that no order explains are not', () => {
  assert.ok(!holds(get(0, 1, 'a')), 'nobody wrote it')
  assert.ok(!holds(put(0, 1, 'a'), get(2, 3, null)), 'a lost write')
  // Porcupine's second example: a value that goes back.
  assert.ok(!holds(put(0, 10, '1'), get(1, 3, '1'), get(4, 6, null)))
  assert.ok(!holds(put(0, 1, 'a'), put(2, 3, 'b'), get(4, 5, 'a')), 'a stale read')
  assert.ok(!holds(put(0, 10, 'a'), put(0, 10, 'b'), get(11, 12, 'a'), get(13, 14, 'b')), 'two readers disagree')
  assert.ok(!holds(put(0, 5, 'a'), put(0, 5, 'b'), get(6, 9, 'a'), get(6, 7, 'b'), get(8, 9, 'a'), get(8, 9, 'b')))
})

test('a call without an outcome may have happened at any time after its start, or never', () => {
  assert.ok(holds(put(0, 1, 'a'), put(2, Infinity, 'b'), get(3, 4, 'a'), get(9, 10, 'a')))
  assert.ok(holds(put(0, 1, 'a'), put(2, Infinity, 'b'), get(3, 4, 'a'), get(9, 10, 'b')))
  assert.ok(!holds(put(0, 1, 'a'), put(2, Infinity, 'b'), get(3, 4, 'b'), get(9, 10, 'a')), 'not twice')
  assert.ok(!holds(get(0, 1, 'b'), put(2, Infinity, 'b')), 'not before its start')
})

test('keys are judged by themselves, and the one that is wrong is named', () => {
  assert.ok(holds(put(0, 1, 'a', 'x'), get(2, 3, null, 'y')))
  const verdict = checkLinearizability([put(0, 1, 'a', 'x'), put(0, 1, 'b', 'y'), get(2, 3, 'a', 'y')], REGISTERS)
  assert.deepEqual(verdict, { linearizable: false, part: 'y', explained: 1 })
})

test('a history that is no history is refused', () => {
  assert.throws(() => holds(get(2, 1, 'a')), RangeError)
  assert.throws(() => holds({ ...get(0, 1, 'a'), end: Infinity }), TypeError)
})

/** Calls of several clients on registers that take effect at a moment between start and end. */
function linearizableHistory(random: SeededRandom, clients: number, calls: number, lostOneIn = 10): Call[] {
  const registers = new Map<string, string | null>()
  const history: Call[] = []
  const begun = Array.from({ length: clients }, () => ({ start: 0, at: 0, end: 0 }))
  const planned = Array.from({ length: calls }, (_, index) => {
    const client = begun[index % clients] as (typeof begun)[0]
    const start = client.end + 1 + random.below(3)
    const at = start + random.below(10)
    client.end = at + random.below(10)
    return { start, at: at + random.below(1000) / 1000, end: client.end + 1, index }
  }).sort((a, b) => a.at - b.at)
  for (const { start, end, index } of planned) {
    const key = `k${random.below(3)}`
    if (random.once(2)) {
      history.push(get(start, end, registers.get(key) ?? null, key))
      continue
    }
    const value = `v${index}`
    const lost = random.once(lostOneIn)
    if (!lost || random.once(2)) registers.set(key, value)
    history.push(put(start, lost ? Infinity : end, value, key))
  }
  return history
}

/**
 * By trying every order: slow, and so simple that it can be believed.
 */
function bruteForce(calls: readonly Call[], state: string | null = null): boolean {
  const settled = calls.filter(({ end }) => end !== Infinity)
  if (settled.length === 0) return true
  const firstEnd = Math.min(...calls.map(({ end }) => end))
  return calls.some((call, index) => {
    if (call.start > firstEnd) return false
    const next = REGISTERS.step(state, call.input, call.output)
    return next !== undefined && bruteForce([...calls.slice(0, index), ...calls.slice(index + 1)], next.state)
  })
}

test('generated histories are accepted, and mutated ones are judged as by trying every order', () => {
  const random = new SeededRandom(7)
  let refused = 0
  for (let round = 0; round < 300; round++) {
    const history = linearizableHistory(random, 3, 12)
    assert.ok(checkLinearizability(history, REGISTERS).linearizable, `round ${round}`)
    const gets = history.filter(({ input }) => input.type === 'get')
    const victim = gets[random.below(Math.max(1, gets.length))]
    if (victim === undefined) continue
    const mutated = history.map((call) => (call === victim ? { ...call, output: `v${random.below(12)}` } : call))
    const keys = [...new Set(mutated.map(({ input }) => input.key))]
    const expected = keys.every((key) => bruteForce(mutated.filter(({ input }) => input.key === key)))
    assert.equal(checkLinearizability(mutated, REGISTERS).linearizable, expected, `round ${round}, mutated`)
    if (!expected) refused++
  }
  assert.ok(refused > 50, 'hardly any mutation was one')
})

test('thousands of calls without an unknown outcome are judged in a moment', () => {
  const history = linearizableHistory(new SeededRandom(8), 4, 2000, Infinity)
  assert.ok(checkLinearizability(history, REGISTERS).linearizable)
  const late = get(1e6, 1e6 + 1, 'never written', 'k1')
  assert.ok(!checkLinearizability([...history, late], REGISTERS).linearizable)
})
