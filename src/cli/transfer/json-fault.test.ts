import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonFault } from './json-fault.ts'

test('what JSON.parse takes has no fault, and what it refuses has one inside or at the end of the text', () => {
  const edited = fc.tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom('', '"', '{', '}', ',', ':', '\\', '\u0001', '1', 'é', 'null'),
  )
  fc.assert(
    fc.property(edited, fc.nat(3), ([json, place, inserted], removed) => {
      const at = place % (json.length + 1)
      for (const text of [json, json.slice(0, at) + inserted + json.slice(at + removed), json.slice(0, at)]) {
        let parses = true
        try {
          JSON.parse(text)
        } catch {
          parses = false
        }
        const fault = jsonFault(text)
        assert.equal(fault === undefined, parses, JSON.stringify(text))
        if (fault !== undefined) assert.ok(fault >= 0 && fault <= text.length)
      }
    }),
    { numRuns: 2000 },
  )
})

test('the fault is where a reader would put a finger', () => {
  for (const [text, at] of [
    ['{"key": "a" "value": 1}', 12],
    ['{"key": "a", value: 1}', 13],
    ['{"key": "a"', 11],
    ['{"key": "a\\x"}', 10],
    ['{"key": "a}', 11],
    ['{"key": "a"} {}', 13],
    ['{"key": 01}', 9],
    ['', 0],
  ] as const) {
    assert.equal(jsonFault(text), at, text)
  }
})

test('neither a long string nor deep nesting makes it fail in another way', () => {
  const long = 'a'.repeat(10_000_000)
  assert.equal(jsonFault(`{"key": "${long}`), 9 + long.length)
  assert.equal(jsonFault(`{"key": "${'\\n'.repeat(1_000_000)}`), 9 + 2_000_000)
  assert.ok((jsonFault('['.repeat(1_000_000)) ?? 0) > 100)
})
