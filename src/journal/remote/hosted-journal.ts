/**
 * A journal that is open for a client, and stays open while the client's connection is lost and made again.
 *
 * An append says where it goes. One that is there already is not made again: the client asks for its outcome, because the
 * answer was lost. So a client that comes back sends again whatever was not answered, and nothing is appended twice. From
 * then on nothing is taken from the connection it has given up: what was still on its way there has been sent again, or was
 * taken back, and then its place is another's.
 */

import { copyOf } from '../../kernel/bytes.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { JournalPosition } from '../../kernel/ids.ts'
import { wasRefused } from '../append-check.ts'
import type { Append, Durability, Journal } from '../journal.ts'
import { markRefused } from './refused-append.ts'

interface Recent {
  readonly append: Append
  readonly bytes: number
}

export class HostedJournal {
  readonly journal: Journal
  /** Appends whose answers may have been lost, by where they begin. */
  readonly #recent = new Map<number, Recent>()
  #acknowledged: number
  /** What the journal refused last. */
  #refusal: VarveError | undefined
  /** The connection that appends. */
  #appender: object

  constructor(journal: Journal, appender: object) {
    this.journal = journal
    this.#appender = appender
    this.#acknowledged = journal.end
  }

  /** From now on `appender` appends, and nobody else. */
  resume(appender: object): void {
    this.#appender = appender
  }

  /**
   * @param acknowledged the client has heard of everything before this position
   * @throws {VarveError} NO_SPACE, OUT_OF_FILES, PERMISSION_DENIED, IO_FAILED — it follows an append that was refused with
   *   it; POISONED; and as `Journal.append`
   */
  append(
    appender: object,
    position: number,
    payload: Uint8Array,
    durability: Durability,
    acknowledged: number,
  ): Append {
    if (appender !== this.#appender) throw new VarveError('POISONED', 'the client appends over another connection now')
    this.#forget(acknowledged)
    const { end } = this.journal
    if (position === end) {
      const append = this.journal.append(payload, durability)
      this.#recent.set(position, { append, bytes: payload.length })
      append.written.catch((error: unknown) => {
        if (!wasRefused(error)) return
        // It was taken back: this place is free for another.
        this.#recent.delete(position)
        this.#refusal = error
      })
      return append
    }
    const recent = this.#recent.get(position)
    if (recent?.bytes === payload.length) return recent.append
    if (position > end) {
      // Where what it follows was refused for good, so is this: there is another owner, or nobody knows.
      const before = this.#recent.get(end)
      if (before !== undefined) return before.append
      const { code = 'NO_SPACE', message = 'it did not fit' } = this.#refusal ?? {}
      const reason = `it follows an append that was refused: ${message}`
      throw markRefused(new VarveError(code, reason, { details: { position, end } }))
    }
    throw new VarveError('POISONED', `the journal ends at ${end}, an append was to go to ${position}`)
  }

  /** Resolves when what was appended at `position` is synced. */
  async synced(position: number): Promise<void> {
    const recent = this.#recent.get(position)
    if (recent === undefined) {
      await this.journal.sync()
      return
    }
    await recent.append.written.catch((error: unknown) => {
      throw markRefused(error)
    })
    await (recent.append.synced ?? this.journal.sync())
  }

  /** One piece of a replay: whole batches, at most `bytesMax` where there is more than one. */
  replayPiece(from: JournalPosition, bytesMax: number): Promise<ReplayPiece> {
    return replayPiece(this.journal, from, bytesMax)
  }

  #forget(acknowledged: number): void {
    if (acknowledged <= this.#acknowledged) return
    this.#acknowledged = acknowledged
    // In order of their positions, as they were appended.
    for (const position of this.#recent.keys()) {
      if (position >= acknowledged) return
      this.#recent.delete(position)
    }
  }
}

export interface ReplayedBatch {
  readonly position: number
  readonly payload: Uint8Array
}

export interface ReplayPiece {
  readonly batches: readonly ReplayedBatch[]
  /** Where the journal ends; undefined: there is more. */
  readonly end: number | undefined
}

export async function replayPiece(
  reader: Pick<Journal, 'replay'>,
  from: JournalPosition,
  bytesMax: number,
): Promise<ReplayPiece> {
  const batches: ReplayedBatch[] = []
  let bytes = 0
  try {
    const end = await reader.replay(from, (payload, position) => {
      if (bytes > 0 && bytes + payload.length > bytesMax) throw ENOUGH
      bytes += payload.length
      batches.push({ position, payload: copyOf(payload) })
    })
    return { batches, end }
  } catch (error) {
    if (error !== ENOUGH) throw error
    return { batches, end: undefined }
  }
}

/** Thrown out of a visit: a replay has no other end before its end. */
const ENOUGH = new Error('enough')
