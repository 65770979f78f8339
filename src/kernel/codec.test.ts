import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Decoder, Encoder } from './codec.ts'

class Damage extends Error {}

const fail = (reason: string, at: number): never => {
  throw new Damage(`${reason} at ${at}`)
}

const field = fc.oneof(
  fc.record({ type: fc.constant('u8' as const), value: fc.nat(255) }),
  fc.record({ type: fc.constant('u32' as const), value: fc.nat(0xffff_ffff) }),
  fc.record({ type: fc.constant('u64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ type: fc.constant('f64' as const), value: fc.double() }),
  fc.record({ type: fc.constant('varint' as const), value: fc.maxSafeNat() }),
  fc.record({ type: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ type: fc.constant('text' as const), value: fc.string({ unit: 'grapheme' }) }),
)
type Field = typeof field extends fc.Arbitrary<infer Value> ? Value : never

function encode(fields: readonly Field[], capacity: number): Uint8Array {
  const encoder = new Encoder(capacity)
  for (const one of fields) {
    if (one.type === 'u8') encoder.u8(one.value)
    else if (one.type === 'u32') encoder.u32(one.value)
    else if (one.type === 'u64') encoder.u64(one.value)
    else if (one.type === 'f64') encoder.f64(one.value)
    else if (one.type === 'varint') encoder.varint(one.value)
    else if (one.type === 'bytes') encoder.bytes(one.value)
    else encoder.text(one.value)
  }
  assert.equal(encoder.length, encoder.view().length)
  return encoder.finish()
}

function decode(fields: readonly Field[], bytes: Uint8Array): unknown[] {
  const decoder = new Decoder(bytes, fail)
  const values = fields.map((one) => {
    const value = decoder[one.type]()
    return value instanceof Uint8Array ? value.slice() : value
  })
  decoder.end()
  return values
}

// A mark in front (BOM) was taken away: what came back was another text.
test('a text is decoded as it was encoded, a byte order mark in front included', () => {
  for (const text of ['\ufefftext', '\ufeff', '\ufeff\ufeff', 'in\ufeffside']) {
    assert.equal(new Decoder(new Encoder().text(text).finish(), fail).text(), text)
  }
})

test('what was encoded decodes, whatever the capacity was and wherever the bytes lie', () => {
  fc.assert(
    fc.property(fc.array(field), fc.constantFrom(1, 16, 4096), fc.nat(7), (fields, capacity, shift) => {
      const bytes = encode(fields, capacity)
      const moved = new Uint8Array(bytes.length + shift + 3)
      moved.set(bytes, shift)
      const values = decode(fields, moved.subarray(shift, shift + bytes.length))
      assert.deepEqual(
        values,
        fields.map((one) => one.value),
      )
    }),
    { numRuns: 500 },
  )
})

test('bytes that were cut are damage, and nothing else is thrown', () => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), fc.nat(), (fields, cut) => {
      const bytes = encode(fields, 64)
      assert.throws(() => decode(fields, bytes.subarray(0, cut % bytes.length)), Damage)
    }),
    { numRuns: 500 },
  )
})

test('arbitrary bytes decode or are damage, and nothing else is thrown', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 8 }), fc.uint8Array({ maxLength: 64 }), (fields, bytes) => {
      try {
        decode(fields, bytes)
      } catch (error) {
        assert.ok(error instanceof Damage, String(error))
      }
    }),
    { numRuns: 1000 },
  )
})

test('a length or count beyond the end is damage before anything is allocated', () => {
  const huge = new Encoder().varint(Number.MAX_SAFE_INTEGER).finish()
  assert.throws(() => new Decoder(huge, fail).bytes(), Damage)
  assert.throws(() => new Decoder(huge, fail).text(), Damage)
  const four = new Encoder().varint(4).raw(new Uint8Array(7)).finish()
  assert.throws(() => new Decoder(four, fail).count(2), Damage, 'four items of two bytes need eight')
  assert.equal(new Decoder(four, fail).count(1), 4)
})

test('text that is not UTF-8 and bytes left over are damage', () => {
  assert.throws(() => new Decoder(Uint8Array.of(1, 0xff), fail).text(), Damage)
  const decoder = new Decoder(Uint8Array.of(1, 2), fail)
  decoder.u8()
  assert.throws(() => decoder.end(), Damage)
  assert.deepEqual([decoder.at, decoder.remaining], [1, 1])
})

test('an encoder can be cleared and used again, and what it finished stays', () => {
  const encoder = new Encoder(1)
  const first = encoder.text('first').finish()
  encoder.clear()
  assert.equal(encoder.length, 0)
  encoder.text('other')
  assert.equal(new Decoder(first, fail).text(), 'first')
  assert.equal(new Decoder(encoder.view(), fail).text(), 'other')
})

test('a varint that is no safe integer is refused when it is written', () => {
  for (const bad of [-1, 0.5, 2 ** 53, Number.NaN]) assert.throws(() => new Encoder().varint(bad))
})
