import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { shardId } from '../../kernel/ids.ts'
import type { Published, Streams } from '../../nats/nats.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { RecordCodec } from './record.ts'
import { RecordPipeline } from './record-pipeline.ts'
import { ShardLog } from './shard-log.ts'

const hash = await loadHash()
const SHARD = shardId('s')

/** Sends one record to a stream that gives these answers, the last one again and again; nothing is stored. */
async function send(answers: readonly (Published | VarveError)[], hear?: (message: string) => void): Promise<string> {
  const clock = new SimulatedClock()
  let asked = 0
  const streams = {
    publish: async (): Promise<Published> => {
      const answer = answers[Math.min(asked++, answers.length - 1)] as Published | VarveError
      if (answer instanceof VarveError) throw answer
      return Promise.resolve(answer)
    },
    state: () => Promise.resolve({ first: 1, last: 0 }),
    read: () => Promise.resolve(),
  }
  const codec = new RecordCodec(hash, SHARD, 'stream')
  const log = new ShardLog(SHARD, streams as unknown as Streams, 'varve', codec, { clock, resumeMs: 5_000 })
  let outcome = ''
  const host = {
    failed: ({ code, message }: VarveError) => {
      outcome = /no space/.test(message) ? `${code}, full` : code
      hear?.(message)
    },
    full: ({ code }: VarveError) => void (outcome = `${code}, taken back`),
  }
  const pipeline = new RecordPipeline(log, 0, { owner: { epoch: 1, owner: 'a'.repeat(16) }, host, windowMessages: 4 })
  const record = { kind: 'batch', position: 0, batchBytes: 1, offset: 0, payload: Uint8Array.of(1) } as const
  pipeline.push({ record, stored: () => void (outcome = 'stored') })
  for (let step = 0; step < 100 && outcome === ''; step++) {
    await clock.turn()
    clock.advance(100)
  }
  return outcome
}

const FULL = { type: 'full', reason: 'maximum bytes exceeded' } as const
const UNANSWERED = new VarveError('IO_FAILED', 'no answer', { details: { operation: 'publish' } })

test('a record for which there is no space is taken back, but not one that may still arrive', async () => {
  assert.equal(await send([FULL]), 'NO_SPACE, taken back')
  assert.equal(await send([UNANSWERED, FULL]), 'OUTCOME_UNKNOWN, full')
  assert.equal(await send([UNANSWERED]), 'OUTCOME_UNKNOWN')
  assert.equal(await send([UNANSWERED, FULL, { type: 'stored', sequence: 1 }]), 'stored')
})

// A stream that somebody has sealed was told as NATS that does not answer.
test('of an append that is refused again and again it is told why', async () => {
  let said = ''
  await send([UNANSWERED], (message) => (said = message))
  assert.match(said, /the last thing heard: no answer/)
})
