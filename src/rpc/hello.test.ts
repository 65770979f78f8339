import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VarveError } from '../kernel/errors.ts'
import {
  RPC_VERSION,
  decodeHello,
  decodeRefusal,
  decodeWelcome,
  encodeHello,
  encodeRefusal,
  encodeWelcome,
} from './hello.ts'

const VERSION_OFFSET = 4

function ofVersion(version: number, bytes: Uint8Array): Uint8Array {
  bytes[VERSION_OFFSET] = version
  return bytes
}

// A worker was told that its peer spoke the version that it spoke itself.
test('whichever end is of another version, the client is told which end speaks which', () => {
  const other = RPC_VERSION + 8
  const newerClient = {
    code: 'INCOMPATIBLE',
    message: new RegExp(`client .* version ${other}, the server ${RPC_VERSION}`),
  }
  const hello = ofVersion(other, encodeHello(new Uint8Array(0)))
  assert.throws(() => decodeHello(hello), newerClient)
  try {
    decodeHello(hello)
  } catch (error) {
    assert.throws(
      () => {
        throw decodeRefusal(encodeRefusal(error as VarveError))
      },
      { ...newerClient, details: { what: 'rpc' } },
    )
  }
  const welcome = ofVersion(other, encodeWelcome({ inFlightBytesMax: 1, callsMax: 1 }))
  assert.throws(() => decodeWelcome(welcome), {
    code: 'INCOMPATIBLE',
    message: new RegExp(`server .* version ${other}, the client ${RPC_VERSION}`),
  })
})
