import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MIB } from '../kernel/limits.ts'
import { MessageCodec, isMessage } from './message.ts'

const codec = new MessageCodec()

test('plain data comes back as it was', () => {
  const { data } = fc.letrec((tie) => ({
    data: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, undefined, true, false),
      fc.string(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true }),
      fc.uint8Array(),
      fc.array(tie('data')),
      fc.dictionary(fc.stringMatching(/^[a-z]+$/), tie('data')),
    ),
  }))
  fc.assert(
    fc.property(data, (value) => {
      const decoded = codec.decode(codec.encode(value))
      assert.deepEqual(normal(decoded?.value), normal(value))
    }),
  )
})

test('a message over the limit is refused before it is sent', () => {
  assert.throws(() => codec.encode(new Uint8Array(2 * MIB)), { code: 'LIMIT_EXCEEDED' })
})

test('lengths that nothing covers, deep nesting and unknown extensions are no messages', () => {
  const nested = (depth: number): Uint8Array => Uint8Array.from([...Array<number>(depth).fill(0x91), 0xc0])
  assert.ok(isMessage(nested(32)) && !isMessage(nested(33)))
  // What took 153 MB (msgpackr #199), and what ended the process (msgpackr #200).
  const bomb = new Uint8Array(72_000)
  for (let at = 0; at + 3 <= bomb.length; at += 3) bomb.set([0xdc, 0xff, 0xff], at)
  for (const bytes of [
    Uint8Array.of(0xdd, 0x7f, 0xff, 0xff, 0xff),
    bomb,
    Uint8Array.of(0xdf, 0, 0, 0, 1, 0xc0),
    Uint8Array.of(0xc1),
    Uint8Array.of(0xd4, 0x72, 0x40),
    Uint8Array.of(0xc7, 1, 0, 0),
    Uint8Array.of(0xdb, 0, 0, 0, 5, 0x61),
    Uint8Array.of(0xc0, 0xc0),
    new Uint8Array(2 * MIB),
  ]) {
    assert.equal(codec.decode(bytes), undefined)
  }
})

test('any bytes are a message or are not, and nothing is thrown', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void codec.decode(bytes)))
  const message = codec.encode({ a: [1, 'two', null, new Uint8Array(3)], b: { c: undefined } })
  for (let at = 0; at < message.length; at++) {
    assert.equal(codec.decode(message.subarray(0, at + 1)) !== undefined, at === message.length - 1, 'no part is one')
    for (let bit = 0; bit < 8; bit++) {
      const changed = message.slice()
      changed[at] = (changed[at] as number) ^ (1 << bit)
      codec.decode(changed)
    }
  }
})

test('names that mean something to objects are names like any other', () => {
  const decoded = codec.decode(Uint8Array.from([0x81, 0xa9, ...Buffer.from('__proto__'), 0x81, 0xa1, 0x78, 0x01]))
  assert.equal(({} as { x?: unknown }).x, undefined)
  assert.ok(decoded !== undefined)
  assert.equal((decoded.value as { x?: unknown }).x, undefined)
})

/** Bytes as arrays: what comes back is a Buffer. −0 is 0. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, normal(each)]))
  return Object.is(value, -0) ? 0 : value
}
