/** What an opening reads of a stream. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../../kernel/hash.ts'
import { shardId } from '../../kernel/ids.ts'
import type { Streams } from '../../nats/nats.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { RecordCodec } from './record.ts'
import type { LogRecord } from './record.ts'
import { ShardLog } from './shard-log.ts'

const [SHARD, STREAM] = [shardId('s'), 'p-journal-s']
const FIRST = 5

test('the end of a log is found from the record that its newest one says counts, however long the log is', async () => {
  const codec = new RecordCodec(await loadHash(), SHARD, STREAM)
  const record = (kind: LogRecord['kind'], serial: number, confirmed: number): Uint8Array => {
    const payload = new Uint8Array(kind === 'batch' ? 10 : 0)
    const position = Math.max(serial - 1, 0) * 10
    const numbers = { epoch: 1, owner: 'a'.repeat(16), serial, confirmed, position, batchBytes: payload.length }
    return codec.encode({ kind, ...numbers, offset: 0, payload })
  }
  const messages = [record('fence', 0, 0)]
  for (let serial = 1; serial <= 100; serial++) messages.push(record('batch', serial, FIRST + Math.max(serial - 3, 0)))
  // Void: it follows a record that is not there. And somebody who wants to be the owner.
  messages.push(record('batch', 102, FIRST + 98), record('knock', 0, 0))
  const last = FIRST + messages.length - 1
  const asked: number[] = []
  const at = (sequence: number) => ({ sequence, data: messages[sequence - FIRST] as Uint8Array })
  const streams: Partial<Streams> = {
    message: (_stream, sequence) => Promise.resolve(at(sequence)),
    read: async (_stream, first, limit, visit) => {
      asked.push(first)
      for (let sequence = first; sequence <= limit; sequence++) visit(at(sequence))
    },
  }
  const patience = { clock: new SimulatedClock(), resumeMs: 0 }
  const log = new ShardLog(SHARD, streams as Streams, 'p', codec, patience)
  const tail = await log.tail({ created: '', first: FIRST, last, messages: messages.length })
  assert.deepEqual([tail.sequence, tail.record?.serial, tail.end], [last, 100, 1000])
  assert.deepEqual(asked, [FIRST + 98])
})
