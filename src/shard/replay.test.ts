import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoder } from '../kernel/codec.ts'
import { isCode } from '../kernel/errors.ts'
import { journalPosition, POSITION_ZERO, seqno } from '../kernel/ids.ts'
import { beginGroup } from './group-codec.ts'
import { replayInto } from './replay.ts'

/** A group of `count` operations of one byte each, from seqno `first` on. */
function group(first: number, count: number): Uint8Array {
  const encoder = new Encoder()
  beginGroup(encoder, seqno(first))
  encoder.varint(count)
  for (let index = 0; index < count; index++) encoder.u8(index)
  return encoder.finish()
}

async function replay(groups: readonly Uint8Array[], seqnoBefore: number): Promise<readonly number[]> {
  const applied: number[] = []
  const journal = {
    replay: async (_: unknown, visit: (payload: Uint8Array, position: number) => void) => {
      let position = 0
      for (const payload of groups) {
        visit(payload, position)
        position += payload.length
      }
      return Promise.resolve(journalPosition(position))
    },
  }
  const engine = { decode: (from: { u8(): number }) => from.u8() }
  const active = { bytes: 0, apply: (_: unknown, at: number) => void applied.push(at) }
  const source = { journal, engine, clock: undefined } as never
  await replayInto(source, { active } as never, POSITION_ZERO, seqno(seqnoBefore), Infinity)
  return applied
}

test('replay goes on right after the last operation in files, and every group after the one before', async () => {
  assert.deepEqual(await replay([group(6, 2), group(8, 1)], 5), [6, 7, 8])
  const damaged = (error: unknown): boolean => isCode(error, 'JOURNAL_CORRUPT')
  await assert.rejects(replay([group(7, 1)], 5), damaged, 'a gap after what is in files')
  await assert.rejects(replay([group(5, 1)], 5), damaged, 'again what is in files')
  await assert.rejects(replay([group(6, 2), group(9, 1)], 5), damaged, 'a gap between two groups')
  await assert.rejects(replay([group(6, 2), group(7, 1)], 5), damaged, 'an operation twice')
})
