/**
 * Messages in the stream of a journal that somebody else has published.
 *
 *      … batch 7 ── stranger ── batch 8     shown to be one: 8 follows 7
 *      … batch 7 ── stranger                may be batch 8, damaged: only who looks at it can tell
 *      … batch 7 ── stranger ── fence       passed over: the fence is where batch 7 ends
 *
 * Nothing is removed: a sequence that is missing could be anything. It goes with the records around it.
 */

import { VarveError } from '../../kernel/errors.ts'
import type { StoredMessage } from '../../nats/nats.ts'
import { checkSameMessages, otherMessages } from '../../nats/same-messages.ts'
import type { ShardLog, Tail } from './shard-log.ts'

/** Those behind the newest record that counts, as the leader has them. */
export async function strangersOf(log: ShardLog): Promise<readonly StoredMessage[]> {
  return (await lookBehind(log)).strangers
}

/** Puts a fence behind them, at the end of what counts. @param owner a new name */
export async function passOver(log: ShardLog, messages: readonly StoredMessage[], owner: string): Promise<void> {
  const { tail, strangers } = await lookBehind(log)
  if (tail === undefined || strangers.length === 0) return
  checkSameMessages(log.stream, strangers, messages)
  // Whoever opens the shard next has a higher epoch.
  const published = await log.mark('fence', { epoch: tail.record?.epoch ?? 0, owner }, tail)
  if (published.type === 'full')
    throw new VarveError(
      'NO_SPACE',
      `stream ${log.stream} takes nothing more (${published.reason}): raise its max_bytes`,
      {
        details: { path: log.stream },
      },
    )
  if (published.type === 'refused') throw otherMessages(log.stream)
}

async function lookBehind(
  log: ShardLog,
): Promise<{ readonly tail: Tail | undefined; readonly strangers: readonly StoredMessage[] }> {
  const { streams, stream, codec } = log
  const state = await streams.state(stream)
  if (state === undefined) return { tail: undefined, strangers: [] }
  const tail = await log.tail(state, true)
  const strangers: StoredMessage[] = []
  await streams.read(stream, (tail.recordAt ?? 0) + 1, tail.sequence, (message) => {
    if (codec.decode(message.data, message.sequence) === undefined) strangers.push(message)
  })
  for (const message of strangers) await log.checkLeaderHas(message)
  return { tail, strangers }
}
