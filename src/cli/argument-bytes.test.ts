import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf } from './argument-bytes.ts'
import { base64Bytes } from './base64-bytes.ts'

test('an argument in hexadecimal or base64 stands for exactly the bytes it was made of', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      for (const notation of ['hex', 'base64'] as const) {
        const argument = Buffer.from(bytes).toString(notation)
        assert.deepEqual(Buffer.from(bytesOf(argument, notation, 'KEY')), Buffer.from(bytes))
      }
    }),
  )
})

test('what is not of the notation is refused, and the argument named', () => {
  for (const [argument, notation, expected] of [
    ['6x', 'hex', /KEY is not hexadecimal: '6x' has a 'x'/],
    ['616', 'hex', /odd number/],
    ['YQ', 'base64', /KEY is no base64/],
    ['Y Q==', 'base64', /KEY is no base64/],
    ['caf\ufffd', 'text', /not valid UTF-8.*--hex/],
  ] as const) {
    assert.throws(() => bytesOf(argument, notation, 'KEY'), expected)
  }
})

test('of all texts that Node would decode to the same bytes, base64 is the one that encoding gives', () => {
  assert.deepEqual(base64Bytes('YQ=='), Buffer.from('a'))
  for (const text of ['YQ', 'YQ=', 'YR==', 'YQ==\n', 'Y-Q=', 'é']) assert.equal(base64Bytes(text), undefined, text)
})
