/** Records on their way to a stream. */

import type { Published } from '../../nats/nats.ts'
import type { LogRecord } from './record.ts'

export interface OutgoingRecord {
  readonly record: Omit<LogRecord, 'epoch' | 'owner' | 'serial' | 'confirmed'>
  /** Called once, in order. */
  readonly stored: (sequence: number) => void
}

/** One that was sent, or waits to be sent again. */
export interface SentRecord extends OutgoingRecord {
  answer: Published | 'unanswered' | undefined
  /** It has been sent before, and may still arrive. */
  unsure: boolean
  sentMs: number
}

export function isStored(answer: SentRecord['answer']): boolean {
  return answer !== undefined && answer !== 'unanswered' && answer.type === 'stored'
}

/** Only where nothing waits to be sent, so behind a whole batch. */
export function touchAfter({ record }: SentRecord): SentRecord {
  const position = record.position + record.batchBytes
  const touch = { kind: 'touch', position, batchBytes: 0, offset: 0, payload: new Uint8Array(0) } as const
  return { record: touch, stored: () => undefined, answer: undefined, unsure: false, sentMs: 0 }
}

export function same(first: SentRecord | undefined, found: LogRecord): first is SentRecord {
  const sent = first?.record
  return (
    sent !== undefined &&
    sent.kind === found.kind &&
    sent.position === found.position &&
    sent.offset === found.offset &&
    sent.batchBytes === found.batchBytes &&
    sent.payload.length === found.payload.length
  )
}
