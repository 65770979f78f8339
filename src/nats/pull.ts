/** Pulls of messages from a consumer of JetStream. */

import type { Clock } from '../kernel/clock.ts'
import { VarveError } from '../kernel/errors.ts'
import { deliveredBy } from './ack-subject.ts'
import type { NatsConnection, NatsMessage, StoredMessage } from './nats.ts'
import type { NatsSettings } from './settings.ts'

const NS_PER_MS = 1_000_000

export interface PullPlace {
  readonly stream: string
  readonly consumer: string
  /** Where messages come to; nobody else listens to it. */
  readonly inbox: string
}

/**
 * Ends at `last`, or when a pull brings less than it could: the caller goes on with another consumer. The consumer is
 * removed then.
 *
 * @param size how many messages to ask for next
 * @throws {VarveError} IO_FAILED
 */
export function pull(
  { connection, settings }: { readonly connection: NatsConnection; readonly settings: NatsSettings },
  { stream, consumer, inbox }: PullPlace,
  last: number,
  size: () => number,
  visit: (message: StoredMessage) => void,
  clock: Clock,
): Promise<void> {
  const { requestMs, apiPrefix } = settings
  return new Promise((resolve, reject) => {
    let left = 0
    let silent = 0
    const end = (outcome: () => void): void => {
      timer.cancel()
      subscription.unsubscribe()
      remove(connection, `${apiPrefix}.CONSUMER.DELETE.${stream}.${consumer}`)
      outcome()
    }
    const ask = (): void => {
      left = size()
      const request = Buffer.from(JSON.stringify({ batch: left, expires: requestMs * NS_PER_MS }))
      try {
        connection.publish(`${apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${consumer}`, request, { reply: inbox })
      } catch (error) {
        // Clients throw where the connection has been closed since.
        end(() => reject(unanswered('read', stream, error)))
      }
    }
    const tick = (): void => {
      silent++
      if (silent > 1) end(() => reject(unanswered('read', stream, new Error(`nothing for ${requestMs} ms`))))
      else timer = clock.after(requestMs, tick, { keepAlive: true })
    }
    const receive = (error: Error | null, message: NatsMessage): void => {
      if (error !== null) {
        end(() => reject(unanswered('read', stream, error)))
        return
      }
      if (message.headers !== undefined && message.headers.code >= 400) {
        // The pull has ended without all it asked for.
        end(resolve)
        return
      }
      silent = 0
      const { sequence } = deliveredBy(message.reply ?? '')
      if (sequence <= last) {
        try {
          visit({ sequence, data: message.data })
        } catch (thrown) {
          end(() => reject(thrown))
          return
        }
      }
      left--
      if (sequence >= last) end(resolve)
      else if (left === 0) ask()
    }
    const subscription = connection.subscribe(inbox, { callback: receive })
    let timer = clock.after(requestMs, tick, { keepAlive: true })
    ask()
  })
}

function remove(connection: NatsConnection, subject: string): void {
  try {
    connection.publish(subject)
  } catch {
    // The server forgets it by itself.
  }
}

/** @param server which one, where that is known; the client has none while it is not connected */
export function unanswered(operation: string, path: string, cause: unknown, server?: string): VarveError {
  const reason = reasonOf(cause)
  const place = server === undefined || server === '' ? 'NATS' : `NATS at ${server}`
  return new VarveError('IO_FAILED', `${place} did not answer: ${operation} of ${path}: ${reason}`, {
    details: { operation, path, reason, server },
    cause,
  })
}

/** What clients say in few words, in more. */
function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause)
  if (!/no ?responders|503/i.test(`${cause instanceof Error ? cause.name : ''} ${reason}`)) return reason
  return `${reason} (JetStream is off, has no leader, or is that of another account or domain: see apiPrefix)`
}
