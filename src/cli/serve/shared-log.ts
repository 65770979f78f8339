/** The log below the journals of all shards: its epoch, and what its journal keeps, are in a head of its own. */

import { copyOf } from '../../kernel/bytes.ts'
import { Decoder, Encoder } from '../../kernel/codec.ts'
import { VarveError } from '../../kernel/errors.ts'
import { epoch, shardId } from '../../kernel/ids.ts'
import type { HeadStore } from '../../fs/fs.ts'
import type { Journal, JournalSystem } from '../../journal/journal.ts'

/** Fences whoever had it open. @throws {VarveError} HEAD_CONFLICT, HEAD_CORRUPT; what the two throw */
export async function openSharedLog(heads: HeadStore, journals: JournalSystem): Promise<Journal> {
  const shard = shardId('shared')
  const head = await heads.read(shard)
  const before = head === undefined ? { epoch: 0, state: undefined } : decodeState(head.content)
  const now = epoch(before.epoch + 1)
  let state = before.state
  let version = await heads.compareAndSet(shard, head?.version, encodeState(now, state))
  const keeper = {
    get state() {
      return state
    },
    commit: async (next: Uint8Array): Promise<void> => {
      version = await heads.compareAndSet(shard, version, encodeState(now, next))
      state = copyOf(next)
    },
  }
  return journals.open(shard, now, keeper)
}

/** Epoch as a varint, then the state, where there is one. */
function encodeState(now: number, state: Uint8Array | undefined): Uint8Array {
  const encoder = new Encoder().varint(now)
  return (state === undefined ? encoder : encoder.raw(state)).finish()
}

function decodeState(content: Uint8Array): { readonly epoch: number; readonly state: Uint8Array | undefined } {
  const decoder = new Decoder(content, (reason) => {
    throw new VarveError('HEAD_CORRUPT', `the state of the shared log is damaged: ${reason}`)
  })
  const now = decoder.varint()
  return { epoch: now, state: decoder.remaining === 0 ? undefined : copyOf(decoder.raw(decoder.remaining)) }
}
