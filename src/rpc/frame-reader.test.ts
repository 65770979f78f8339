import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { FrameReader } from './frame-reader.ts'

const hash = await loadHash()

// Whoever sent on behind its end, and read nothing, took memory for as long as the socket stayed.
test('what arrives behind the end of the reading is not kept', () => {
  const reader = new FrameReader('toServer', hash, { frameBytesMax: 1_000, totalBytesMax: 1e9 }, () => undefined)
  assert.equal(reader.push(new Uint8Array(10)), undefined)
  assert.equal(reader.heldBytes, 10)
  reader.stop()
  for (let piece = 0; piece < 3; piece++) assert.equal(reader.push(new Uint8Array(1_000)), undefined)
  assert.equal(reader.heldBytes, 0)
})
